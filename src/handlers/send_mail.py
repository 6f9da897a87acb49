"""``POST /api/send_mail`` and ``POST /external/api/send_mail``: the seed's two ways to send.

They differ in where the credential stands: in the Authorization header or in the body.
"""

from typing import Any

import msgspec

from accounts.credentials import Credential, verify
from answers import Answer, json_answer
from call import Call
from delivery import deliver
from handlers.decoding import decode_json, read_json
from mail.compose import Draft, SenderPolicy, compose
from refusals import BadRequest, InvalidInput, Unauthorized, Unavailable
from settings import Settings

_PAUSED_RETRY_SECONDS = 300


class _Body(msgspec.Struct):
    from_name: str | None = None
    to_mail: str | None = None
    to_name: str | None = None
    subject: str | None = None
    content: str | None = None
    is_html: bool | None = None


class _WithToken(msgspec.Struct):
    token: Any = None


_decoder = msgspec.json.Decoder(_Body)
_token_decoder = msgspec.json.Decoder(_WithToken)


async def with_header(call: Call) -> Answer:
    return await _send(call, call.credential, await read_json(call.request, _decoder))


async def with_body_token(call: Call) -> Answer:
    body = await call.request.json_body()
    try:
        token = decode_json(body, _token_decoder).token
    except InvalidInput as error:  # the body is no object, so there is no token in it
        raise Unauthorized("invalid_credential") from error
    credential = verify(token, secrets=call.settings.jwt_secrets)
    return await _send(call, credential, decode_json(body, _decoder))


async def _send(call: Call, credential: Credential, body: _Body) -> Answer:
    settings = call.settings
    if settings.sending_paused:
        raise Unavailable("sending_paused", retry_after=_PAUSED_RETRY_SECONDS)
    draft = Draft(
        sender=credential.address,
        from_name=body.from_name,
        to_mail=body.to_mail,
        to_name=body.to_name,
        subject=body.subject,
        content=body.content,
        is_html=bool(body.is_html),
    )
    policy = sender_policy(settings, has_transport=call.transport is not None)
    try:
        message = compose(draft, policy)
        assert call.transport is not None  # the policy has seen to it
        sending = deliver(
            message,
            credential,
            database=call.database,
            transport=call.transport,
            default_balance=settings.default_send_balance,
            outlive=call.outlive,
        )
        accepted = await call.outlive(sending)
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None
    return json_answer(
        {"status": "ok", "id": accepted.id, "message_id": accepted.provider_message_id}
    )


def sender_policy(settings: Settings, *, has_transport: bool) -> SenderPolicy:
    return SenderPolicy(settings.domains, settings.send_mail_domains if has_transport else None)
