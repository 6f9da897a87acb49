"""``GET /admin/show_password/{id}``: get a credential of an address."""

from typing import Annotated

from msgspec import Meta, Struct

from store.addresses import find_address, note_shown
from web.context import RequestContext
from web.responses import Response, json_response


class ShownCredential(Struct):
    """The credential of an address."""

    jwt: Annotated[str, Meta(description="The credential (the address JWT).")]


async def show(context: RequestContext) -> Response:
    """Get the credential of an address.

    Returns a credential of the address. Existing credentials stay valid. The audit log records the
    call.

    :path id: The number of an address. Example: `1`.
    :response 200 ShownCredential: The credential.
    :errors: address_not_found
    :operation showCredential: Administration
    """
    credential = await find_address(context.database, context.parameters["id"])
    await note_shown(context.database, credential, by=context.administrator, now=context.now())
    return json_response(ShownCredential(context.token(credential)))
