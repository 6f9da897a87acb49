"""``/admin/account_settings``: the lists and sending limits of the deployment."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import fields

from accounts.lists import LISTS, checked_limits, comparable_entries
from errors import field_error
from store.account_settings import ListEntry, read_account_settings, write_account_settings
from web.body import read_json
from web.context import RequestContext
from web.responses import Response, Success, json_response

_MAX_LIMITS_BYTES = 2000  # of the JSON of sendMailLimitConfig


class AccountSettings(Struct, rename="camel"):
    """The lists and limits of the deployment. Fields that are left out keep their value."""

    block_list: Annotated[
        list[str] | None, Meta(description="Names that can't be used for new addresses.")
    ] = None
    send_block_list: Annotated[
        list[str] | None,
        Meta(description="Recipients that receive no mail: addresses, or whole domains."),
    ] = None
    verified_address_list: Annotated[
        list[str] | None, Meta(description="Recipients that cost no send balance.")
    ] = None
    no_limit_send_address_list: Annotated[
        list[str] | None, Meta(description="Addresses that can send without a balance.")
    ] = None
    send_mail_limit_config: Annotated[
        Any,
        Meta(
            description="`{dailyEnabled, monthlyEnabled, dailyLimit, monthlyLimit}`: the limits on "
            "the recipients of all addresses per UTC day and month. -1 is unlimited. Only a "
            "disabled limit can be null.",
            extra_json_schema={"type": ["object", "null"]},
        ),
    ] = None


class _Posted(AccountSettings):
    # Raw, so that its size is checked before it is decoded.
    send_mail_limit_config: Raw | UnsetType = UNSET


async def show(context: RequestContext) -> Response:
    """Get lists and limits.

    Returns the block lists, verified recipients, unlimited addresses and limits as they were set.

    :response 200 AccountSettings: Lists and limits.
    :operation getAccountSettings: Administration
    """
    lists, limits = await read_account_settings(context.database)
    config = checked_limits(msgspec.json.decode(limits) if limits else {})
    return json_response({**lists, "sendMailLimitConfig": config})


async def change(context: RequestContext) -> Response:
    """Set lists and limits.

    Replaces the given lists and limits, and keeps the others. A list has at most 10,000 entries.

    :body AccountSettings:
    :response 200 Success: The settings were changed.
    :errors: invalid_list_entry, list_too_large, invalid_send_limits
    :operation setAccountSettings: Administration
    """
    body = await read_json(context.request, _Posted)
    given = {field.encode_name: getattr(body, field.name) for field in fields(_Posted)}
    lists = {
        field: [ListEntry(*entry) for entry in comparable_entries(field, given[field]).items()]
        for field in LISTS
        if given[field] is not None
    }
    config = _limits(body.send_mail_limit_config)
    limits = None if config is None else checked_limits(config)
    await write_account_settings(
        context.database, lists, limits, by=context.administrator, now=context.now()
    )
    return json_response(Success(success=True))


def _limits(given: Raw | UnsetType) -> Any:
    if given is UNSET:
        return None
    if len(bytes(given)) > _MAX_LIMITS_BYTES:
        raise field_error("invalid_send_limits", "sendMailLimitConfig")
    return msgspec.json.decode(given)
