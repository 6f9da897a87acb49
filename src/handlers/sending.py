"""What all endpoints that send share: the idempotency key, the dispatcher, and the answer."""

import hashlib
from http import HTTPStatus

from accounts.credentials import Credential
from answers import Answer, json_answer
from call import Call
from clock import now
from delivery import Order, dispatcher_for
from mail.compose import SenderPolicy
from mail.digest import message_digest
from mail.message import Message
from refusals import BadRequest, ProviderFault, Refusal, Unavailable
from sentences import provider_sentence
from store.reserve import Sending, find_earlier

_MAX_KEY_CHARACTERS = 256
_PAUSED_RETRY_SECONDS = 300


def sender_policy(call: Call) -> SenderPolicy:
    """Which domains may send in this deployment."""
    settings = call.settings
    return SenderPolicy(settings.domains, settings.send_mail_domains if call.transport else None)


async def send(
    call: Call, credential: Credential, message: Message, *, retry_of: str | None = None
) -> Answer:
    """Send ``message``, whose sender the policy has passed, and answer what came of it.

    :raises Refusal: as ``Dispatcher.dispatch`` does, and ``invalid_idempotency_key`` or
        ``sending_paused``.
    """
    key = _idempotency_key(call)
    digest = _digest(message, retry_of) if key else None
    if call.settings.sending_paused:
        paused = Unavailable("sending_paused", retry_after=_PAUSED_RETRY_SECONDS)
        return await replay_or_refuse(call, credential, paused, digest=digest)
    order = Order(
        message=message,
        credential=credential,
        request_id=call.request.id,
        idempotency_key=key,
        request_digest=digest,
        retry_of=retry_of,
    )
    assert call.transport is not None  # the policy has seen to it
    dispatcher = dispatcher_for(
        call.settings, call.database, call.transport, call.alarm, call.outlive
    )
    try:
        return _answer(call, await dispatcher.dispatch(order))
    except Unavailable as refusal:
        call.message_ids.append(str(refusal.extra["id"]))
        raise


async def replay_or_refuse(
    call: Call, credential: Credential, refusal: Refusal, *, digest: str | None
) -> Answer:
    """Answer as an earlier request with the same key was answered, or with ``refusal``.

    :raises Refusal: ``refusal``, or ``Conflict`` where the key is or was another request's.
    """
    key = _idempotency_key(call)
    if key:
        database = call.database
        earlier = await find_earlier(database, credential, key=key, digest=digest, now=now())
        if earlier:
            return _answer(call, earlier)
    raise refusal


def retry_digest(message_id: str) -> str:
    """The digest of the order to send that message again: it is known also without its content."""
    return hashlib.sha256(f"retry {message_id}".encode()).hexdigest()


def _digest(message: Message, retry_of: str | None) -> str:
    return retry_digest(retry_of) if retry_of else message_digest(message)


def _idempotency_key(call: Call) -> str | None:
    key = call.request.optional_header("idempotency-key")
    # What is no UTF-8 arrives as one and the same replacement character.
    if key is not None and (not 1 <= len(key) <= _MAX_KEY_CHARACTERS or "\ufffd" in key):
        raise BadRequest("invalid_idempotency_key")
    return key


def _answer(call: Call, sending: Sending) -> Answer:
    call.message_ids.append(sending.id)
    headers = {"Idempotent-Replayed": "true"} if sending.replayed else {}
    if sending.answer_status == HTTPStatus.BAD_GATEWAY:
        code = sending.answer_code or ""
        raise ProviderFault(
            code,
            sentence=provider_sentence(code, "provider_refused"),
            headers=headers,
            extra={"id": sending.id, "message_status": sending.status},
            provider_code=code,
        )
    body: dict[str, object] = {
        "status": "ok" if sending.answer_status == HTTPStatus.OK else sending.status,
        "id": sending.id,
    }
    if sending.status == "sent":
        body["message_id"] = sending.provider_message_id
    return json_answer(body, sending.answer_status, headers)
