"""``POST /api/rotate_credential``: replace the credential."""

from typing import Annotated

from msgspec import Meta, Struct

from store.addresses import rotate_credential
from web.context import RequestContext
from web.responses import Response, json_response


class Rotated(Struct):
    """The credential that replaces all earlier ones."""

    jwt: Annotated[str, Meta(description="The new credential of the address.")]


async def rotate(context: RequestContext) -> Response:
    """Replace the credential.

    Issues a new credential for the address. All earlier credentials are rejected from then on,
    including the credential of this request.

    :response 200 Rotated: The new credential. The earlier ones are no longer valid.
    :operation rotateCredential: Addresses
    """
    new = await rotate_credential(
        context.database, context.credential, by=context.owner, now=context.now()
    )
    return json_response(Rotated(jwt=context.token(new)))
