"""``POST /api/send_mail`` and ``POST /external/api/send_mail``: the seed's two ways to send.

They differ in where the credential stands: in the Authorization header or in the body.
"""

from typing import Any

import msgspec

from accounts.credentials import Credential, verify
from answers import Answer
from call import Call
from handlers.decoding import convert, read_json
from handlers.sending import send, sender_policy
from mail.compose import Draft, compose
from refusals import BadRequest


class _Body(msgspec.Struct):
    from_name: str | None = None
    to_mail: str | None = None
    to_name: str | None = None
    subject: str | None = None
    content: str | None = None
    is_html: bool | None = None


_decoder = msgspec.json.Decoder(_Body)
_any_decoder = msgspec.json.Decoder(Any)


async def with_header(call: Call) -> Answer:
    return await _send(call, call.credential, await read_json(call.request, _decoder))


async def with_body_token(call: Call) -> Answer:
    body = await read_json(call.request, _any_decoder)
    token = body.get("token") if isinstance(body, dict) else None
    # Who asks is settled before what is asked for.
    credential = verify(token, secrets=call.settings.jwt_secrets)
    return await _send(call, credential, convert(body, _Body))


async def _send(call: Call, credential: Credential, body: _Body) -> Answer:
    draft = Draft(
        sender=credential.address,
        from_name=body.from_name,
        to_mail=body.to_mail,
        to_name=body.to_name,
        subject=body.subject,
        content=body.content,
        is_html=bool(body.is_html),
    )
    try:
        return await send(call, credential, compose(draft, sender_policy(call)))
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None
