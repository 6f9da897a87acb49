"""``POST /open_api/..._login``: whether a credential or password is good."""

import msgspec

from accounts.credentials import verify
from answers import Answer, json_answer
from api.logins import CredentialLogin, Success
from call import Call
from handlers.decoding import read_json
from store.addresses import check_holds

_decoder = msgspec.json.Decoder(CredentialLogin)


async def with_credential(call: Call) -> Answer:
    body = await read_json(call.request, _decoder)
    await check_holds(call.database, verify(body.credential, secrets=call.settings.jwt_secrets))
    return json_answer(Success(success=True))
