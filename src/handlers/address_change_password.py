"""``POST /api/address_change_password``: replace the password of the credential's address."""

from typing import Annotated

from msgspec import Meta, Struct

from accounts.passwords import Digest, digest_of, is_client_digest, matches, stored_form
from errors import Forbidden, field_error
from store.logins import check_failures_of, count_failure_of, stored_password_of
from store.own_credentials import change_password, wrong_password
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response, Success, json_response

PresentPassword = Annotated[
    str | None,
    Meta(description="The SHA-256 digest of the present password in hexadecimal."),
]


class PasswordChange(Struct):
    """A new password for an address, and the present one."""

    new_password: Digest = None
    current_password: PresentPassword = None


async def change(context: RequestContext) -> Response:
    """Change the password.

    Replaces the password of the credential's address. Existing credentials stay valid. If the
    address has a password, the request must have its digest as `current_password`. If the password
    is lost, an administrator can set a new one.

    :body PasswordChange:
    :response 200 Success: The password was changed.
    :errors: password_change_disabled, required_field_missing, password_not_digested,
        current_password_missing, wrong_password, too_many_logins, too_many_credential_changes
    :operation changePassword: Addresses
    """
    settings = context.settings
    if not settings.enable_address_password:
        raise Forbidden("password_change_disabled")
    body = await read_json(context.request, PasswordChange)
    digest = new_digest(body.new_password, "new_password")
    present = await proven_password(context, body.current_password)
    stored = await stored_form(
        digest, pepper=settings.password_pepper, derive=context.services.derive_key
    )
    await change_password(
        context.database,
        context.credential,
        stored,
        present=present,
        most_a_day=settings.max_credential_changes_per_day,
        by=context.owner,
        now=context.now(),
    )
    return json_response(Success(success=True))


async def proven_password(context: RequestContext, given: str | None) -> str | None:
    """Check ``given``, the digest of the present password; return the password's stored form.

    Return None if the address has no password. Wrong passwords with a credential are counted apart
    from failed logins.

    :raises BadRequest: ``current_password_missing``.
    :raises Forbidden: ``wrong_password``.
    :raises TooManyRequests: ``too_many_logins``.
    :raises Unauthorized: ``invalid_credential``.
    """
    database, credential = context.database, context.credential
    source = context.request.client_ip
    stored = await stored_password_of(database, credential, source=source, now=context.now())
    if stored is None:
        return None
    if given is None:
        raise field_error("current_password_missing", "current_password")
    pepper, derive = context.settings.password_pepper, context.services.derive_key
    if not await matches(digest_of(given), stored, pepper=pepper, derive=derive):
        await count_failure_of(database, credential, source=source, now=context.now())
        raise wrong_password()
    # Guesses that arrived together with this one may have failed in the meantime.
    await check_failures_of(database, credential, source=source, now=context.now())
    return stored


def new_digest(value: str | None, field: str) -> str:
    """Check ``value``, the digest of a new password in ``field``; return it in lower case.

    :raises BadRequest: ``required_field_missing`` or ``password_not_digested``.
    """
    digest = digest_of(required(value, field))
    if not is_client_digest(digest):
        raise field_error("password_not_digested", field)
    return digest
