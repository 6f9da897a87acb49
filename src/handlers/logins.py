"""``POST /open_api/..._login``: whether a credential or password is good."""

import msgspec

from accounts.credentials import verify
from accounts.passwords import client_digest
from answers import Answer, json_answer
from api.logins import CredentialLogin, PasswordLogin
from api.success import Success
from call import Call
from guards import is_one_of
from handlers.decoding import read_json
from refusals import Unauthorized
from store.addresses import check_holds

_credential_decoder = msgspec.json.Decoder(CredentialLogin)
_password_decoder = msgspec.json.Decoder(PasswordLogin)


async def with_credential(call: Call) -> Answer:
    body = await read_json(call.request, _credential_decoder)
    await check_holds(call.database, verify(body.credential, secrets=call.settings.jwt_secrets))
    return json_answer(Success(success=True))


async def with_site_password(call: Call) -> Answer:
    passwords = call.settings.passwords
    if not await _is_good(call, passwords) and passwords:
        raise Unauthorized("site_password_required")
    return json_answer(Success(success=True))


async def with_admin_password(call: Call) -> Answer:
    settings = call.settings
    is_good = await _is_good(call, settings.admin_passwords)
    if not is_good and not settings.disable_admin_password_check:
        raise Unauthorized("admin_password_required")
    return json_answer(Success(success=True))


async def _is_good(call: Call, passwords: tuple[str, ...]) -> bool:
    body = await read_json(call.request, _password_decoder)
    digests = tuple(client_digest(password) for password in passwords)
    return is_one_of((body.password or "").lower(), digests)
