"""Submit messages: the steps that all sending endpoints share.

The steps are: check whether messages can be sent at this time, read the idempotency key, and call
the dispatcher. The endpoint turns the results into a response.
"""

import contextlib
import hashlib
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import ApiError, BadRequest, Unavailable
from mail.compose import SenderPolicy
from mail.digest import message_digest
from mail.message import Message
from mail.schedule import check_scheduled_at
from mail.submission import Submission, SubmissionResult
from sending.dispatcher import Dispatcher
from store.addresses import require_valid
from store.reserve import find_earlier
from web.context import RequestContext
from web.rate_limit_headers import state_headers

# Computes the digest of a request. It is needed only with an idempotency key.
ComputeDigest = Callable[[], str | None]

_MAX_KEY_CHARACTERS = 256
_PAUSED_RETRY_SECONDS = 300
# These errors depend on settings, which may have changed since an earlier request with this key.
_ERRORS_OF_LIMITS = ("batch_over_rate_limit", "batch_too_long")


def sender_policy(context: RequestContext) -> SenderPolicy:
    """The domains from which this deployment can send."""
    settings, routing = context.settings, context.services.routing
    served = settings.send_mail_domains if context.services.transport else None
    return SenderPolicy(settings.domains, served, routing.has_route if routing else None)


async def submit(
    context: RequestContext,
    credential: Credential,
    message: Message,
    *,
    retry_of: str | None = None,
    administrator: Actor | None = None,
    transport: str | None = None,
) -> SubmissionResult:
    """Submit ``message`` and return its result.

    The caller has checked the sender of the message against the sender policy.

    :param retry_of: the id of the message that this one sends again.
    :param administrator: the administrator who sends the message. It then costs no balance, and
        ``credential`` is not checked.
    :param transport: the name of the only transport to use; None to choose by the sender's domain.
    :raises ApiError: as ``Dispatcher.dispatch`` and ``check_scheduled_at`` do, and
        ``invalid_idempotency_key`` or ``sending_paused``.
    """
    submission = Submission(
        messages=(message,),
        credential=credential,
        request_id=context.request.id,
        retry_of=retry_of,
        administrator=administrator,
        transport=transport,
    )
    (result,) = await _submit(
        context,
        submission,
        lambda: retry_digest(retry_of) if retry_of else message_digest(message),
    )
    return result


async def submit_batch(
    context: RequestContext,
    credential: Credential,
    entries: list[Message | ApiError],
    *,
    rejected: Mapping[int, bytes],
    permissive: bool,
) -> list[SubmissionResult]:
    """Submit the messages of a batch; return one result per entry, in their order.

    :param entries: for each entry of the batch its message, or the error if it is invalid.
    :param rejected: the JSON of each entry that is an error, by its position.
    :param permissive: accept the valid messages; otherwise accept all or none.
    :raises ApiError: as ``submit`` does; without ``permissive`` also the first error in
        ``entries``.
    """
    errors = [entry for entry in entries if isinstance(entry, ApiError)]
    if errors and not permissive:
        raise errors[0]
    messages = tuple(entry for entry in entries if isinstance(entry, Message))

    def digest() -> str:
        return _batch_digest(entries, rejected, permissive=permissive)

    if not messages:
        await require_valid(context.database, credential)
        earlier = await _earlier_results(context, credential, digest)
        return earlier or [SubmissionResult(error=error) for error in errors]
    submission = Submission(
        messages=messages,
        credential=credential,
        request_id=context.request.id,
        reports="acceptance",
        permissive=permissive,
    )
    submitted = iter(await _submit(context, submission, digest))
    return [
        SubmissionResult(error=entry) if isinstance(entry, ApiError) else next(submitted)
        for entry in entries
    ]


async def replay_or_raise(
    context: RequestContext, credential: Credential, error: ApiError, digest: ComputeDigest
) -> list[SubmissionResult]:
    """The results of an earlier request with the idempotency key of this request.

    :param error: the error of this request.
    :param digest: computes the digest of this request.
    :raises ApiError: ``error`` if there is no earlier request; otherwise as ``find_earlier`` does.
    """
    earlier = await _earlier_results(context, credential, digest)
    if earlier is None:
        raise error
    return earlier


def retry_digest(message_id: str) -> str:
    """The digest of a request to send the message ``message_id`` again.

    It does not depend on the content of the message.
    """
    return hashlib.sha256(f"retry {message_id}".encode()).hexdigest()


async def _earlier_results(
    context: RequestContext, credential: Credential, digest: ComputeDigest
) -> list[SubmissionResult] | None:
    """The results of an earlier request with the idempotency key of this request, if any."""
    key = _idempotency_key(context)
    if not key:
        return None
    return await find_earlier(
        context.database, credential, key=key, digest=digest(), now=context.now()
    )


async def _submit(
    context: RequestContext, submission: Submission, digest: ComputeDigest
) -> list[SubmissionResult]:
    key = _idempotency_key(context)
    try:
        _check_now(context, submission.messages)
    except ApiError as error:
        if submission.administrator:
            raise
        return await replay_or_raise(context, submission.credential, error, digest)
    if key:
        submission = replace(submission, idempotency_key=key, request_digest=digest())
    dispatcher = Dispatcher(
        context.services, lambda state: context.headers.update(state_headers(state))
    )
    try:
        results = await dispatcher.dispatch(submission)
    except BadRequest as error:
        if error.code not in _ERRORS_OF_LIMITS:
            raise
        return await replay_or_raise(
            context, submission.credential, error, lambda: submission.request_digest
        )
    except Unavailable as error:
        context.message_ids.append(str(error.extra["id"]))
        raise
    context.message_ids.extend(result.id for result in results if result.id)
    return results


def _check_now(context: RequestContext, messages: tuple[Message, ...]) -> None:
    """Reject messages that can't be sent at this time.

    The caller replaces the error if an earlier request with the same key was accepted.
    """
    if context.settings.sending_paused:
        raise Unavailable("sending_paused", retry_after=_PAUSED_RETRY_SECONDS)
    for message in messages:
        if message.scheduled_at is not None:
            check_scheduled_at(message.scheduled_at, now=context.now())


def _batch_digest(
    entries: list[Message | ApiError], rejected: Mapping[int, bytes], *, permissive: bool
) -> str:
    parts = [
        message_digest(entry) if isinstance(entry, Message) else _content_digest(rejected[position])
        for position, entry in enumerate(entries)
    ]
    whole = "\n".join(["permissive" if permissive else "strict", *parts])
    return hashlib.sha256(whole.encode()).hexdigest()


def _content_digest(content: bytes) -> str:
    """The digest of the JSON of an invalid entry.

    White space and the order of members do not change the digest.
    """
    # JSON that can't be decoded is hashed as it is: a repeated request has the same bytes.
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        content = msgspec.json.encode(msgspec.json.decode(content), order="deterministic")
    return hashlib.sha256(b"rejected " + content).hexdigest()


def _idempotency_key(context: RequestContext) -> str | None:
    key = context.request.optional_header("idempotency-key")
    # Invalid UTF-8 arrives as the replacement character: different invalid keys would be equal.
    if key is not None and (not 1 <= len(key) <= _MAX_KEY_CHARACTERS or "\ufffd" in key):
        raise BadRequest("invalid_idempotency_key")
    return key
