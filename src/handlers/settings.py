"""``GET /api/settings``: the address of the credential and its send balance."""

from typing import Annotated

from msgspec import Meta, Struct

from store.balances import send_balance
from web.context import RequestContext
from web.responses import Response, json_response


class AddressSettings(Struct):
    """An address and its send balance."""

    address: Annotated[str, Meta(description="The mail address of the credential.")]
    send_balance: Annotated[
        int,
        Meta(
            description="The number of recipients that the address can still send to; 99999 if "
            "unlimited."
        ),
    ]


async def show(context: RequestContext) -> Response:
    """Get the address and its balance.

    Returns the address of the credential and its remaining send balance. If the address has no
    balance yet, the deployment's default is granted.

    :response 200 AddressSettings: The address and its balance.
    :operation getAddressSettings: Addresses
    """
    balance = await send_balance(
        context.database,
        context.credential,
        default=context.settings.default_send_balance,
        now=context.now(),
    )
    return json_response(AddressSettings(context.credential.address, balance))
