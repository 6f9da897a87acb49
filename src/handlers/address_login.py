"""``POST /api/address_login``: exchange a password for a credential."""

from typing import Annotated

from msgspec import Meta, Struct

from accounts.passwords import Digest, digest_of, matches
from errors import Forbidden, Unauthorized
from mail.addresses import comparable
from store.logins import count_failure, logged_in, stored_password
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response, json_response
from web.turnstile import Token, check_human


class AddressLogin(Struct):
    """An address and its password."""

    email: Annotated[str | None, Meta(description="The mail address. Required.")] = None
    password: Digest = None
    cf_token: Token = None


class LoggedIn(Struct):
    """A credential, and the address that it belongs to."""

    jwt: Annotated[str, Meta(description="The credential of the address (the address JWT).")]
    address: Annotated[str, Meta(description="The mail address.")]


async def log_in(context: RequestContext) -> Response:
    """Log in with a password.

    Returns a credential for the address, if the deployment has passwords. After ten failed logins
    from one network within fifteen minutes, or a hundred from all networks, further logins to the
    address are rejected until the oldest of these failures is fifteen minutes old.

    :body AddressLogin:
    :response 200 LoggedIn: The password is correct.
    :errors: password_login_disabled, required_field_missing, human_verification_failed,
        human_verification_unavailable, invalid_login, too_many_logins
    :operation logIn: Addresses
    """
    settings = context.settings
    if not settings.enable_address_password:
        raise Forbidden("password_login_disabled")
    body = await read_json(context.request, AddressLogin)
    address = comparable(required(body.email, "email"))
    digest = digest_of(required(body.password, "password"))
    await check_human(context, body.cf_token)
    source = context.request.client_ip
    stored = await stored_password(context.database, address, source=source, now=context.now())
    right = await matches(
        digest, stored, pepper=settings.password_pepper, derive=context.services.derive_key
    )
    if stored is None or not right:
        await count_failure(context.database, address, source=source, now=context.now())
        raise Unauthorized("invalid_login")
    credential = await logged_in(
        context.database, address, stored, source=source, now=context.now()
    )
    return json_response(LoggedIn(jwt=context.token(credential), address=credential.address))
