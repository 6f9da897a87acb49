"""``GET /api/usage``: messages per day, and the remaining balance and limits."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from store.usage import usage_of_address
from web.context import RequestContext
from web.responses import Response, json_response


class UsageDay(Struct):
    """The messages that were accepted on one UTC day."""

    day: Annotated[str, Meta(description="The day, `YYYY-MM-DD`.")]
    accepted: Annotated[int, Meta(description="The number of messages that the service accepted.")]
    sent: Annotated[
        int, Meta(description="The number of accepted messages that the provider also accepted.")
    ]
    failed: Annotated[
        int, Meta(description="The number of accepted messages that failed permanently.")
    ]
    delivered: Annotated[
        int,
        Meta(
            description="The number of recipients of these messages whose server accepted the "
            "mail, as far as delivery events have arrived."
        ),
    ]
    bounced: Annotated[
        int,
        Meta(
            description="The number of recipients of these messages whose server finally rejected "
            "the mail."
        ),
    ]
    complained: Annotated[
        int, Meta(description="The number of recipients who reported the mail as spam.")
    ]


class Usage(Struct):
    """Messages per day, and the remaining limits."""

    days: Annotated[
        list[UsageDay],
        Meta(description="Those of the last 90 UTC days that have messages, oldest first."),
    ]
    daily_left: Annotated[
        int | None,
        Meta(
            description="The number of recipients that all addresses together can still send to "
            "today (UTC); null if unlimited."
        ),
    ]
    monthly_left: Annotated[
        int | None,
        Meta(
            description="The number of recipients that all addresses together can still send to "
            "this month (UTC); null if unlimited."
        ),
    ]


class AddressUsage(Usage):
    """The usage of one address."""

    send_balance: Annotated[
        int,
        Meta(
            description="The number of recipients that the address can still send to; 99999 if "
            "unlimited."
        ),
    ]
    sending_disabled: Annotated[
        bool | UnsetType,
        Meta(
            description="`true` if an administrator has switched off sending for the address, "
            "otherwise missing. `send_balance` is 0 then."
        ),
    ] = UNSET


async def show(context: RequestContext) -> Response:
    """Get the usage of the address.

    Returns the numbers of accepted, sent and failed messages of the address for each UTC day, its
    remaining balance and the remaining limits. Messages to sandbox recipients are not counted.

    :response 200 AddressUsage: The usage of the last 90 days.
    :operation getUsage: Addresses
    """
    days, left, balance, is_disabled = await usage_of_address(
        context.database,
        context.credential,
        now=context.now(),
        default_balance=context.settings.default_send_balance,
    )
    return json_response(
        AddressUsage(
            msgspec.convert(days, list[UsageDay]),
            *left,
            send_balance=balance,
            sending_disabled=is_disabled or UNSET,
        )
    )
