"""How much was sent, and the addresses that may not send because too much of it failed."""

from api.admin import Pause, Pauses
from api.success import Success as Done
from api.usage import AddressUsage, Usage, UsageDay
from tools.openapi.operation import Operation, Parameter, Success
from tools.openapi.operations.sendbox import LIMIT, OFFSET
from tools.openapi.samples import ADDRESS, CREATED_AT

_DAYS = [UsageDay(day="2026-11-20", accepted=42, sent=40, failed=1)]

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/usage",
        id="getUsage",
        tag="Addresses",
        summary="Get the usage of the address",
        description="How many messages the address had accepted, sent and failed, by UTC day, and "
        "what is left of its balance and of the limits. Test mails are not counted.",
        answers=(
            Success(
                description="The usage of the last 90 days.",
                type=AddressUsage,
                examples={
                    "usage": AddressUsage(
                        days=_DAYS, daily_left=958, monthly_left=None, send_balance=58
                    )
                },
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/admin/usage",
        id="getUsageOfAll",
        tag="Administration",
        summary="Get the usage of all addresses",
        description="As `GET /api/usage`, over all addresses, with what administrators have sent.",
        answers=(
            Success(
                description="The usage of the last 90 days.",
                type=Usage,
                examples={"usage": Usage(days=_DAYS, daily_left=958, monthly_left=None)},
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/admin/pauses",
        id="listPauses",
        tag="Administration",
        summary="List paused addresses",
        description="The addresses that may not send, because too many of their last messages "
        "failed or bounced, the last one first.",
        parameters=(LIMIT, OFFSET),
        answers=(
            Success(
                description="The paused addresses.",
                type=Pauses,
                examples={"pauses": Pauses([Pause(1, ADDRESS, CREATED_AT)], count=1)},
            ),
        ),
        refusals=("invalid_limit", "invalid_offset"),
    ),
    Operation(
        method="DELETE",
        path="/admin/pauses/{id}",
        id="liftPause",
        tag="Administration",
        summary="Let a paused address send again",
        description="Only messages that come after this count when it may be paused again.",
        parameters=(
            Parameter(
                name="id",
                where="path",
                description="The number of an address.",
                schema={"type": "string", "minLength": 1},
                example="1",
            ),
        ),
        answers=(
            Success(
                description="It may send again.", type=Done, examples={"lifted": Done(success=True)}
            ),
        ),
        refusals=("address_not_found", "not_paused"),
    ),
)
