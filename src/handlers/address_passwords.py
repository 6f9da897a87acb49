"""``POST /api/address_login`` and ``POST /api/address_change_password``."""

import msgspec

from accounts.passwords import is_client_digest, matches, stored_form
from answers import Answer, json_answer
from api.logins import AddressLogin, LoggedIn, PasswordChange
from api.success import Success
from call import Call
from clock import now
from handlers.credentials import token
from handlers.decoding import read_json
from handlers.human_verification import check_human
from handlers.parameters import comparable, required
from refusals import BadRequest, FieldError, Forbidden, Unauthorized
from runtime.ciphers import pbkdf2_sha256
from store.addresses import set_password
from store.logins import count_failure, logged_in, stored_password

_login_decoder = msgspec.json.Decoder(AddressLogin)
_change_decoder = msgspec.json.Decoder(PasswordChange)


async def login(call: Call) -> Answer:
    settings = call.settings
    if not settings.enable_address_password:
        raise Forbidden("password_login_disabled")
    body = await read_json(call.request, _login_decoder)
    address = comparable(required(body.email, "email"))
    digest = required(body.password, "password").lower()
    await check_human(call, body.cf_token)
    stored = await stored_password(call.database, address, now=now())
    right = await matches(digest, stored, pepper=settings.password_pepper, derive=pbkdf2_sha256)
    if stored is None or not right:
        await count_failure(call.database, address, now=now())
        raise Unauthorized("invalid_login")
    credential = await logged_in(
        call.database, address, stored, source=call.request.client_ip, now=now()
    )
    return json_answer(LoggedIn(jwt=token(call, credential), address=credential.address))


async def change(call: Call) -> Answer:
    settings = call.settings
    if not settings.enable_address_password:
        raise Forbidden("password_change_disabled")
    body = await read_json(call.request, _change_decoder)
    digest = new_digest(body.new_password, "new_password")
    stored = await stored_form(digest, pepper=settings.password_pepper, derive=pbkdf2_sha256)
    await set_password(call.database, call.credential, stored, by=call.owner, now=now())
    return json_answer(Success(success=True))


def new_digest(value: str | None, field: str) -> str:
    """The digest of a new password, the content of ``field``.

    :raises BadRequest: ``required_field_missing`` or ``password_not_digested``.
    """
    digest = required(value, field).lower()
    if not is_client_digest(digest):
        fault = FieldError(field, "password_not_digested")
        raise BadRequest("password_not_digested", errors=(fault,))
    return digest
