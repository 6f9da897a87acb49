"""``POST /api/address_change_password``: replace the password of the credential's address."""

from msgspec import Struct

from accounts.passwords import Digest, is_client_digest, stored_form
from errors import Forbidden, field_error
from store.addresses import set_password
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response, Success, json_response


class PasswordChange(Struct):
    """A new password for an address."""

    new_password: Digest = None


async def change(context: RequestContext) -> Response:
    """Change the password.

    Replaces the password of the credential's address. Existing credentials stay valid.

    :body PasswordChange:
    :response 200 Success: The password was changed.
    :errors: password_change_disabled, required_field_missing, password_not_digested
    :operation changePassword: Addresses
    """
    settings = context.settings
    if not settings.enable_address_password:
        raise Forbidden("password_change_disabled")
    body = await read_json(context.request, PasswordChange)
    digest = new_digest(body.new_password, "new_password")
    stored = await stored_form(
        digest, pepper=settings.password_pepper, derive=context.services.derive_key
    )
    await set_password(
        context.database, context.credential, stored, by=context.owner, now=context.now()
    )
    return json_response(Success(success=True))


def new_digest(value: str | None, field: str) -> str:
    """Check ``value``, the digest of a new password in ``field``; return it in lower case.

    :raises BadRequest: ``required_field_missing`` or ``password_not_digested``.
    """
    digest = required(value, field).lower()
    if not is_client_digest(digest):
        raise field_error("password_not_digested", field)
    return digest
