"""``POST /api/rotate_credential``: replace the credential."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from handlers.address_change_password import PresentPassword, proven_password
from store.own_credentials import rotate_credential
from web.body import read_optional_json
from web.context import RequestContext
from web.responses import Response, json_response


class Rotation(Struct):
    """The present password, to keep it after the rotation. The body is optional."""

    current_password: PresentPassword = None


class Rotated(Struct):
    """The credential that replaces all earlier ones."""

    jwt: Annotated[str, Meta(description="The new credential of the address.")]
    password_ended: Annotated[
        bool | UnsetType, Meta(description="`true` if the password was removed.")
    ] = UNSET


async def rotate(context: RequestContext) -> Response:
    """Replace the credential.

    Issues a new credential for the address. All earlier credentials are rejected from then on,
    including the credential of this request. A password that was set with a credential is removed,
    because a thief of the credential could have set it. To keep the password, send it as
    `current_password`.

    :body Rotation: Optional.
    :response 200 Rotated: The new credential. The earlier ones are no longer valid.
    :errors: wrong_password, too_many_logins, too_many_credential_changes
    :operation rotateCredential: Addresses
    """
    body = await read_optional_json(context.request, Rotation)
    given = body.current_password
    new, password_ended = await rotate_credential(
        context.database,
        context.credential,
        proof=None if given is None else await proven_password(context, given),
        most_a_day=context.settings.max_credential_changes_per_day,
        by=context.owner,
        now=context.now(),
    )
    return json_response(Rotated(context.token(new), password_ended or UNSET))
