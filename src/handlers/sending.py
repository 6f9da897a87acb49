"""What all endpoints that send share: the idempotency key, the dispatcher, and the answer."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus

from msgspec import UNSET

from accounts.credentials import Credential
from answers import Answer, json_answer
from api.sending import SendAnswer
from call import Call
from clock import now
from delivery import Order, dispatcher_for
from mail.compose import SenderPolicy
from mail.digest import message_digest
from mail.message import Message
from mail.schedule import check_scheduled_at
from rates import state_headers
from refusals import BadRequest, ProviderFault, Refusal, Unavailable
from sentences import provider_sentence
from store.addresses import check_holds
from store.audit import Actor
from store.reserve import BatchAnswer, Sending, find_earlier

_MAX_KEY_CHARACTERS = 256
_PAUSED_RETRY_SECONDS = 300


def sender_policy(call: Call) -> SenderPolicy:
    """Which domains may send in this deployment."""
    settings = call.settings
    return SenderPolicy(settings.domains, settings.send_mail_domains if call.transport else None)


async def send(
    call: Call,
    credential: Credential,
    message: Message,
    *,
    retry_of: str | None = None,
    administrator: Actor | None = None,
) -> Sending:
    """Send ``message``, whose sender the policy has passed, and return what came of it.

    :param administrator: who sends it, free of charge; ``credential`` then need not hold.
    :raises Refusal: as ``Dispatcher.dispatch`` and ``check_scheduled_at`` do, and
        ``invalid_idempotency_key`` or ``sending_paused``.
    """
    sending = await _dispatch(
        call,
        credential,
        (message,),
        digest=lambda: retry_digest(retry_of) if retry_of else message_digest(message),
        retry_of=retry_of,
        administrator=administrator,
    )
    assert isinstance(sending, Sending)
    call.message_ids.append(sending.id)
    return sending


async def send_batch(
    call: Call, credential: Credential, entries: list[Message | Refusal], *, permissive: bool
) -> BatchAnswer:
    """Send the messages among ``entries``, and return what came of each entry.

    :param permissive: send those that can be sent; without it, all of them or none.
    :raises Refusal: as ``send`` does; without ``permissive`` also the first of ``entries`` that
        is one.
    """
    refused = [entry for entry in entries if isinstance(entry, Refusal)]
    if refused and not permissive:
        raise refused[0]
    messages = tuple(entry for entry in entries if isinstance(entry, Message))
    if not messages:
        await check_holds(call.database, credential)
        return BatchAnswer(tuple(refused))
    sent = await _dispatch(
        call,
        credential,
        messages,
        digest=lambda: _batch_digest(entries, permissive=permissive),
        batch=True,
        permissive=permissive,
    )
    assert isinstance(sent, BatchAnswer)
    results = iter(sent.results)
    every = tuple(entry if isinstance(entry, Refusal) else next(results) for entry in entries)
    call.message_ids.extend(result for result in every if isinstance(result, str))
    return BatchAnswer(every, sent.replayed)


async def replay_or_refuse(
    call: Call, credential: Credential, refusal: Refusal, *, digest: str
) -> Sending | BatchAnswer:
    """What came of an earlier request with the same key, or ``refusal``.

    :raises Refusal: ``refusal``, or ``Conflict`` where the key is or was another request's.
    """
    key = _idempotency_key(call)
    if key:
        database = call.database
        earlier = await find_earlier(database, credential, key=key, digest=digest, now=now())
        if earlier:
            return earlier
    raise refusal


def answer(call: Call, sending: Sending | BatchAnswer) -> Answer:
    """The answer of the seed's endpoints.

    :raises ProviderFault: where the provider refused the message, or its answer is not known.
    """
    assert isinstance(sending, Sending)
    headers = replay_headers(sending)
    if sending.answer_status == HTTPStatus.BAD_GATEWAY:
        raise provider_fault(sending)
    body = SendAnswer(
        status="ok" if sending.answer_status == HTTPStatus.OK else sending.status,
        id=sending.id,
        message_id=sending.provider_message_id if sending.status == "sent" else UNSET,
    )
    return json_answer(body, sending.answer_status, headers)


def replay_headers(sending: Sending | BatchAnswer) -> dict[str, str]:
    """The headers that tell an answer which was given before."""
    return {"Idempotent-Replayed": "true"} if sending.replayed else {}


def provider_fault(sending: Sending) -> ProviderFault:
    """The refusal for a message that the provider refused, or whose outcome is not known."""
    code = sending.answer_code or ""
    return ProviderFault(
        code,
        sentence=provider_sentence(code, "provider_refused"),
        headers=replay_headers(sending),
        extra={"id": sending.id, "message_status": sending.status},
        provider_code=code,
    )


def retry_digest(message_id: str) -> str:
    """The digest of the order to send that message again: it is known also without its content."""
    return hashlib.sha256(f"retry {message_id}".encode()).hexdigest()


async def _dispatch(
    call: Call,
    credential: Credential,
    messages: tuple[Message, ...],
    *,
    digest: Callable[[], str],
    retry_of: str | None = None,
    batch: bool = False,
    permissive: bool = False,
    administrator: Actor | None = None,
) -> Sending | BatchAnswer:
    key = _idempotency_key(call)
    try:
        _check_now(call, messages)
    except Refusal as refusal:
        if administrator:
            raise
        return await replay_or_refuse(call, credential, refusal, digest=digest())
    order = Order(
        messages=messages,
        credential=credential,
        request_id=call.request.id,
        idempotency_key=key,
        request_digest=digest() if key else None,
        retry_of=retry_of,
        batch=batch,
        permissive=permissive,
        administrator=administrator,
    )
    assert call.transport is not None  # the policy has seen to it
    dispatcher = dispatcher_for(
        call.settings,
        call.database,
        call.transport,
        call.alarm,
        call.outlive,
        note_rate=lambda state: call.headers.update(state_headers(state)),
    )
    try:
        return await dispatcher.dispatch(order)
    except Unavailable as refusal:
        call.message_ids.append(str(refusal.extra["id"]))
        raise


def _check_now(call: Call, messages: tuple[Message, ...]) -> None:
    """Refuse what can't be sent now, though it may have been sent when it was asked for first."""
    if call.settings.sending_paused:
        raise Unavailable("sending_paused", retry_after=_PAUSED_RETRY_SECONDS)
    for message in messages:
        if message.scheduled_at is not None:
            check_scheduled_at(message.scheduled_at, now=now())


def _batch_digest(entries: list[Message | Refusal], *, permissive: bool) -> str:
    parts = [
        f"refused {entry.code}" if isinstance(entry, Refusal) else message_digest(entry)
        for entry in entries
    ]
    whole = "\n".join(["permissive" if permissive else "strict", *parts])
    return hashlib.sha256(whole.encode()).hexdigest()


def _idempotency_key(call: Call) -> str | None:
    key = call.request.optional_header("idempotency-key")
    # What is no UTF-8 arrives as one and the same replacement character.
    if key is not None and (not 1 <= len(key) <= _MAX_KEY_CHARACTERS or "\ufffd" in key):
        raise BadRequest("invalid_idempotency_key")
    return key
