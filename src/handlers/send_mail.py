"""``POST /api/send_mail`` and ``POST /external/api/send_mail``: the seed's two ways to send.

They differ in where the credential stands: in the Authorization header or in the body.
"""

from typing import Any

import msgspec

from accounts.credentials import Credential, verify
from answers import Answer
from api.sending import SendMail, SendMailWithToken
from call import Call
from handlers.decoding import convert, read_json
from handlers.sending import answer, send, sender_policy
from mail.compose import Draft, compose
from refusals import BadRequest

_decoder = msgspec.json.Decoder(SendMail)
_any_decoder = msgspec.json.Decoder(Any)


async def with_header(call: Call) -> Answer:
    return await _send(call, call.credential, await read_json(call.request, _decoder))


async def with_body_token(call: Call) -> Answer:
    body = await read_json(call.request, _any_decoder)
    token = body.get("token") if isinstance(body, dict) else None
    # Who asks is settled before what is asked for.
    credential = verify(token, secrets=call.settings.jwt_secrets)
    return await _send(call, credential, convert(body, SendMailWithToken))


async def _send(call: Call, credential: Credential, body: SendMail) -> Answer:
    try:
        message = compose(draft_of(body, credential.address), sender_policy(call))
        return answer(call, await send(call, credential, message))
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None


def draft_of(body: SendMail, sender: str) -> Draft:
    """The mail that ``body`` describes, from the address ``sender``."""
    return Draft(
        sender=sender,
        from_name=body.from_name,
        to_mail=body.to_mail,
        to_name=body.to_name,
        subject=body.subject,
        content=body.content,
        is_html=bool(body.is_html),
        to=body.to,
        cc=body.cc,
        bcc=body.bcc,
        reply_to=body.reply_to,
        text=body.text,
        html=body.html,
        headers=body.headers,
        attachments=body.attachments,
        tags=body.tags,
        scheduled_at=body.scheduled_at,
    )
