"""``POST /api/request_send_mail_access``: request a send balance."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from store.balances import request_access
from web.context import RequestContext
from web.responses import Response, json_response


class AccessResponse(Struct):
    """The default balance was granted, or the request was stored."""

    status: Annotated[Literal["ok"], Meta(description="Always `ok`.")]


async def request(context: RequestContext) -> Response:
    """Request a send balance.

    Grants the deployment's default balance. If there is no default, the request is stored and
    listed by `GET /admin/address_sender`.

    :response 200 AccessResponse: The balance was granted, or the request was stored.
    :errors: already_requested
    :operation requestAccess: Addresses
    """
    await request_access(
        context.database,
        context.credential,
        default=context.settings.default_send_balance,
        now=context.now(),
    )
    return json_response(AccessResponse("ok"))
