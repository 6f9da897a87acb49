"""What all endpoints that send share: the idempotency key, the dispatcher, and the answer."""

from http import HTTPStatus

from accounts.credentials import Credential
from answers import Answer, json_answer
from call import Call
from delivery import Dispatcher, Order
from mail.compose import SenderPolicy
from mail.digest import message_digest
from mail.message import Message
from refusals import BadRequest, ProviderFault, Unavailable
from sentences import provider_sentence
from store.reserve import Sending

_MAX_KEY_CHARACTERS = 256
_PAUSED_RETRY_SECONDS = 300


def check_not_paused(call: Call) -> None:
    """:raises Unavailable: where the administrator has stopped all sending."""
    if call.settings.sending_paused:
        raise Unavailable("sending_paused", retry_after=_PAUSED_RETRY_SECONDS)


def sender_policy(call: Call) -> SenderPolicy:
    """Which domains may send in this deployment."""
    settings = call.settings
    return SenderPolicy(settings.domains, settings.send_mail_domains if call.transport else None)


async def send(
    call: Call, credential: Credential, message: Message, *, retry_of: str | None = None
) -> Answer:
    """Send ``message``, whose sender the policy has passed, and answer what came of it.

    :raises Refusal: as ``Dispatcher.dispatch`` does, and ``invalid_idempotency_key``.
    """
    key = _idempotency_key(call)
    order = Order(
        message=message,
        credential=credential,
        request_id=call.request.id,
        idempotency_key=key,
        request_digest=message_digest(message, retry_of=retry_of) if key else None,
        retry_of=retry_of,
    )
    assert call.transport is not None  # the policy has seen to it
    dispatcher = Dispatcher(
        database=call.database,
        transport=call.transport,
        alarm=call.alarm,
        outlive=call.outlive,
        retry_hours=call.settings.retry_hours,
        default_balance=call.settings.default_send_balance,
    )
    sending = await dispatcher.dispatch(order)
    call.message_ids.append(sending.id)
    return _answer(sending)


def _idempotency_key(call: Call) -> str | None:
    key = call.request.optional_header("idempotency-key")
    if key is not None and not 1 <= len(key) <= _MAX_KEY_CHARACTERS:
        raise BadRequest("invalid_idempotency_key")
    return key


def _answer(sending: Sending) -> Answer:
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
