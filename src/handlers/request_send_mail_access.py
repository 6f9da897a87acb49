"""``POST /api/request_send_mail_access``: request a send balance."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from store.balances import request_access
from web.context import RequestContext
from web.responses import Response, json_response


class AccessResponse(Struct):
    """The default balance was granted, the request was stored, or the address has a balance."""

    status: Annotated[Literal["ok"], Meta(description="Always `ok`.")]


async def request(context: RequestContext) -> Response:
    """Request a send balance.

    Grants the deployment's default balance. If there is no default, or the balance is used up, the
    request is stored and listed by `GET /admin/address_sender`. While the address has a balance,
    the call changes nothing.

    :response 200 AccessResponse: The balance was granted, the request was stored, or the address
        has a balance.
    :errors: already_requested, balance_disabled
    :operation requestAccess: Addresses
    """
    await request_access(
        context.database,
        context.credential,
        default=context.settings.default_send_balance,
        now=context.now(),
    )
    return json_response(AccessResponse("ok"))
