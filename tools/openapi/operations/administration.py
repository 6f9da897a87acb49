"""`/admin`, but for creating addresses."""

from typing import Any

from api.admin import (
    AccountSettings,
    AddressPage,
    AddressRow,
    AdminSendMail,
    AuditPage,
    AuditRow,
    BalancePage,
    BalanceRow,
    BindingAnswer,
    BindingMail,
    NewBalance,
    NewPassword,
    NewSuppression,
    ShownCredential,
    SuppressionPage,
    SuppressionRow,
)
from api.sendbox import SendboxPage
from api.success import Success as Done
from tools.openapi.operation import Body, Operation, Parameter, Success
from tools.openapi.operations.sendbox import CURSOR, ENTRY, ID, IN_FLIGHT, LIMIT, OFFSET
from tools.openapi.operations.sending import IDEMPOTENCY_KEY, KEPT, NOT_SENT, TAKEN, WRONG_FIELDS
from tools.openapi.samples import ADDRESS, CREATED_AT, JWT, MESSAGE_ID

DONE = Success(description="It is done.", type=Done, examples={"done": Done(success=True)})
_PAGING = ("invalid_limit", "invalid_offset")
_CREATED = "2026-11-20 09:30:00"
_ADDRESS_ID = Parameter(
    name="id",
    where="path",
    description="The number of an address.",
    schema={"type": "string", "minLength": 1},
    example="1",
)
_ADDRESS = Parameter(
    name="address",
    where="query",
    description="Only this mail address.",
    schema={"type": "string"},
    example=ADDRESS,
)
_LIMITS = {"dailyEnabled": True, "dailyLimit": 1000, "monthlyEnabled": False, "monthlyLimit": None}
_SETTINGS: dict[str, Any] = {
    "blockList": ["boss"],
    "sendBlockList": ["@example.net", "bob@example.org"],
    "verifiedAddressList": ["carol@example.org"],
    "noLimitSendAddressList": [ADDRESS],
    "sendMailLimitConfig": _LIMITS,
}
_MAIL = {
    "from_mail": "news@example.com",
    "to_mail": "bob@example.org",
    "subject": "Hello",
    "content": "Hello, Bob",
}
_BINDING_MAIL = {
    "from": {"email": "news@example.com", "name": "News"},
    "to": "bob@example.org",
    "subject": "Hello",
    "text": "Hello, Bob",
}


def _parameter(name: str, description: str, example: str, **schema: Any) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=description,
        schema={"type": "string", **schema},
        example=example,
    )


def _page(description: str, type: type, **examples: Any) -> tuple[Success, ...]:
    return (Success(description=description, type=type, examples=examples),)


def _operation(route: str, id: str, summary: str, description: str, **fields: Any) -> Operation:
    method, _, path = route.partition(" ")
    return Operation(
        method=method,
        path=path,
        id=id,
        tag="Administration",
        summary=summary,
        description=description,
        **{"answers": (DONE,), **fields},
    )


OPERATIONS = (
    _operation(
        "GET /admin/address",
        "listAddresses",
        "List addresses",
        "The addresses of the deployment.",
        parameters=(
            LIMIT,
            OFFSET,
            _parameter("query", "A part of the name.", "alice"),
            _parameter(
                "sort_by",
                "The member to sort by; `id` without it.",
                "name",
                enum=[
                    *("id", "name", "created_at", "updated_at", "source_meta"),
                    *("mail_count", "send_count"),
                ],
            ),
            _parameter("sort_order", "`asc`, or `desc` without it.", "asc", enum=["asc", "desc"]),
        ),
        answers=_page(
            "A page of addresses.",
            AddressPage,
            page=AddressPage([AddressRow(1, ADDRESS, _CREATED, _CREATED, "192.0.2.1", 0, 42)], 1),
        ),
        refusals=(*_PAGING, "invalid_sort_by", "invalid_sort_order"),
    ),
    _operation(
        "DELETE /admin/delete_address/{id}",
        "deleteAddressAsAdmin",
        "Delete an address",
        "Deletes an address with all its messages. What waits is cancelled.",
        parameters=(_ADDRESS_ID,),
        refusals=("address_not_found",),
    ),
    _operation(
        "GET /admin/show_password/{id}",
        "showCredential",
        "Get the credential of an address",
        "A credential of the address, like the one that it has. The audit trail tells of it.",
        parameters=(_ADDRESS_ID,),
        answers=_page("The credential.", ShownCredential, shown=ShownCredential(JWT)),
        refusals=("address_not_found",),
    ),
    _operation(
        "POST /admin/address/{id}/reset_password",
        "resetPassword",
        "Set the password of an address",
        "Replaces the password of an address, where addresses have passwords.",
        parameters=(_ADDRESS_ID,),
        body=Body(type=NewPassword, examples={"password": {"password": "0" * 64}}),
        refusals=(
            *("address_not_found", "password_change_disabled", "password_not_digested"),
            "required_field_missing",
        ),
    ),
    _operation(
        "DELETE /admin/clear_sent_items/{id}",
        "clearMessagesAsAdmin",
        "Delete all messages of an address",
        "As `DELETE /api/clear_sent_items`, for any address.",
        parameters=(_ADDRESS_ID,),
        refusals=("address_not_found",),
    ),
    _operation(
        "GET /admin/address_sender",
        "listBalances",
        "List send balances",
        "The send balances of addresses, and their requests for one (balance 0, not enabled).",
        parameters=(
            *(LIMIT, OFFSET, _ADDRESS),
            _parameter(
                "requested",
                "`true` for the requests alone, the oldest first.",
                "true",
                enum=["true", "false"],
            ),
        ),
        answers=_page(
            "A page of balances.",
            BalancePage,
            page=BalancePage([BalanceRow(1, ADDRESS, 97, 1, _CREATED)], 1),
        ),
        refusals=(*_PAGING, "invalid_requested"),
    ),
    _operation(
        "POST /admin/address_sender",
        "setBalance",
        "Set a send balance",
        "Sets the send balance of an address, and whether it may be used.",
        body=Body(
            type=NewBalance,
            examples={
                "row": {"address_id": 1, "balance": 100, "enabled": True},
                "address": {"address": ADDRESS, "address_id": 0, "balance": 5, "enabled": 1},
            },
        ),
        refusals=("invalid_address_id", "address_not_found", "required_field_missing.422"),
    ),
    _operation(
        "DELETE /admin/address_sender",
        "removeBalance",
        "Remove a send balance",
        "As if the address had never had one: it is granted the default at its next need.",
        parameters=(_parameter("id", "The `id` of the row.", "1"),),
        refusals=("address_not_found", "balance_not_found"),
    ),
    _operation(
        "DELETE /admin/address_sender/{id}",
        "removeBalanceByPath",
        "Remove a send balance, its id in the path",
        "The same.",
        parameters=(_ADDRESS_ID,),
        refusals=("address_not_found", "balance_not_found"),
    ),
    _operation(
        "GET /admin/account_settings",
        "getAccountSettings",
        "Get lists and limits",
        "Block lists, verified recipients, unlimited addresses, and limits, as they were posted.",
        answers=_page("Lists and limits.", AccountSettings, settings=_SETTINGS),
    ),
    _operation(
        "POST /admin/account_settings",
        "setAccountSettings",
        "Set lists and limits",
        "Replaces the lists and limits that are given. A list has at most 10,000 entries.",
        body=Body(type=AccountSettings, examples={"all": _SETTINGS, "one": {"blockList": []}}),
        refusals=("invalid_list_entry", "list_too_large", "invalid_send_limits"),
    ),
    _operation(
        "POST /admin/send_mail",
        "sendMailAsAdmin",
        "Send a mail from any address",
        "As `POST /api/send_mail`, from any address in the domains of the deployment. It costs no "
        "balance, counts towards the limits, and lies in no address's sendbox.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(type=AdminSendMail, examples={"text": _MAIL}),
        answers=(TAKEN, KEPT),
        refusals=(
            *("required_field_missing", "required_field_missing.422"),
            *WRONG_FIELDS,
            *NOT_SENT,
        ),
    ),
    _operation(
        "POST /admin/send_mail_by_binding",
        "sendMailByBinding",
        "Send a mail in the provider's fields",
        "The same in the fields of the `send_email` binding, from any domain in "
        "`SEND_MAIL_DOMAINS`.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(type=BindingMail, examples={"text": _BINDING_MAIL}),
        answers=(
            Success(
                description="The provider took the mail.",
                type=BindingAnswer,
                examples={"sent": BindingAnswer("ok")},
                headers=("Idempotent-Replayed",),
            ),
            Success(
                status=202,
                description="The provider takes no more for now. The mail goes out by itself.",
                type=BindingAnswer,
                examples={"queued": BindingAnswer("queued")},
                headers=("Idempotent-Replayed",),
            ),
        ),
        refusals=(
            *("binding_not_enabled", "invalid_sender"),
            *("required_field_missing", "required_field_missing.422"),
            *WRONG_FIELDS,
            *NOT_SENT,
        ),
    ),
    _operation(
        "GET /admin/sendbox",
        "listAllMessages",
        "List what all addresses have sent",
        "The messages of all addresses and of administrators, newest first; `count` ends at 1,000.",
        parameters=(LIMIT, OFFSET, _ADDRESS),
        answers=_page(
            "A page of messages.", SendboxPage, page=SendboxPage(results=[ENTRY], count=1)
        ),
        refusals=_PAGING,
    ),
    _operation(
        "DELETE /admin/sendbox/{id}",
        "deleteMessageAsAdmin",
        "Delete any message",
        "As `DELETE /api/sendbox/{id}`, whoever has sent it.",
        parameters=(ID,),
        refusals=IN_FLIGHT,
    ),
    _operation(
        "GET /admin/suppressions",
        "listSuppressions",
        "List suppressions",
        "The recipients that get no mail, because the provider no longer delivers to them.",
        parameters=(LIMIT, OFFSET, _ADDRESS),
        answers=_page(
            "A page of suppressions.",
            SuppressionPage,
            page=SuppressionPage([SuppressionRow("bob@example.org", "bounced", CREATED_AT)], 1),
        ),
        refusals=_PAGING,
    ),
    _operation(
        "POST /admin/suppressions",
        "addSuppression",
        "Add a suppression",
        "Refuses mail to a recipient from now on.",
        body=Body(
            type=NewSuppression,
            examples={"one": {"address": "bob@example.org", "reason": "asked for it"}},
        ),
        refusals=("required_field_missing", "invalid_recipient"),
    ),
    _operation(
        "DELETE /admin/suppressions",
        "removeSuppression",
        "Remove a suppression",
        "Takes mail to a recipient again; the provider may still refuse it.",
        parameters=(_parameter("address", "The recipient. Required.", "bob@example.org"),),
        refusals=("required_field_missing", "suppression_not_found"),
    ),
    _operation(
        "GET /admin/audit",
        "listAudit",
        "Read the audit trail",
        "What administrators did and what became of credentials, newest first. It is never "
        "changed, and holds no secret.",
        parameters=(LIMIT, CURSOR),
        answers=_page(
            "A page of the trail.",
            AuditPage,
            page=AuditPage(
                [
                    AuditRow(
                        id=MESSAGE_ID,
                        at=CREATED_AT,
                        actor="admin#1",
                        action="balance.set",
                        object=ADDRESS,
                        source="192.0.2.1",
                        details={"balance": 100, "enabled": True},
                    )
                ],
                MESSAGE_ID,
            ),
        ),
        refusals=("invalid_limit", "invalid_cursor"),
    ),
)
