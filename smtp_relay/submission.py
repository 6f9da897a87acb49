"""Submission: converts a received message, posts it to the API, and returns the reply."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from smtp_relay import replies
from smtp_relay.api import Api, ApiBusy, ApiSilent, ApiUnavailable
from smtp_relay.auth import Authenticator, Login
from smtp_relay.log import log, log_fault
from smtp_relay.memory import Reservation
from smtp_relay.message.adaptations import Kind
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.metrics import Metrics
from smtp_relay.reply_mapping import Reply, outcome_unknown, reply_to_mail

# Convert larger messages in threads, so that other sessions do not wait. Convert only a few at a
# time, because a conversion can briefly take ten times the size of the message.
_LARGE_BYTES = 32 * 1024
_LARGE_AT_ONCE = 2


@dataclass(slots=True)
class Submission:
    """A message as received. ``session_id`` and ``client`` are for the log.

    The conversion empties ``content``, and counts its changes of each kind in ``adaptations``. When
    the submission ends, ``reservation`` is released and ``on_end`` called.
    """

    content: bytes
    recipients: list[str]
    login: Login
    reservation: Reservation
    on_end: Callable[[], None]
    session_id: str
    client: str
    size: int = field(init=False)
    adaptations: Counter[Kind] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self.size = len(self.content)


class Submitter:
    """Submits messages to the API."""

    def __init__(
        self,
        api: Api,
        authenticator: Authenticator,
        metrics: Metrics,
        *,
        max_hops: int,
        is_strict: bool,
    ) -> None:
        self._api = api
        self._authenticator = authenticator
        self._metrics = metrics
        self._max_hops = max_hops
        self._is_strict = is_strict
        self._in_progress: set[asyncio.Task[Reply]] = set()
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def submit(self, submission: Submission) -> Reply:
        """Submit a message and return the reply. Continues if the client disconnects meanwhile."""
        task = asyncio.create_task(self._submit(submission))
        self._in_progress.add(task)
        task.add_done_callback(self._in_progress.discard)
        task.add_done_callback(lambda _: submission.reservation.release())
        task.add_done_callback(lambda _: submission.on_end())
        return await asyncio.shield(task)

    def give_up(self) -> None:
        """Stop waiting for the API. Replies to posted messages say that the outcome is unknown."""
        for task in list(self._in_progress):
            task.cancel()

    async def wait_until_done(self) -> None:
        """Wait until no submission is in progress."""
        await asyncio.gather(*self._in_progress, return_exceptions=True)

    async def _submit(self, submission: Submission) -> Reply:
        began = time.perf_counter()
        login = submission.login
        reply = await self._attempt(submission)
        if reply.has_login_ended:
            self._authenticator.forget(login)
            if login.is_renewable:
                reply = replace(reply, text=replies.LOGIN_OVER, result="temporary")
        self._metrics.messages[reply.result] += 1
        self._metrics.message_bytes += submission.size
        if reply.message_id:
            self._metrics.recipients += len(submission.recipients)
            self._metrics.adaptations.update(submission.adaptations)
        log(
            "message",
            connection=submission.session_id,
            client=submission.client,
            sender=login.address,
            recipients=len(submission.recipients),
            bytes=submission.size,
            adaptations=submission.adaptations or None,
            result=reply.result,
            reply=reply.text[:9],
            code=reply.code,
            message_id=reply.message_id,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return reply

    async def _attempt(self, submission: Submission) -> Reply:
        # The reply if an error occurs. Before the request is posted, the message is not sent.
        otherwise = Reply(replies.INTERNAL_ERROR, "temporary")
        try:
            request = await self._convert(submission)
            submission.adaptations = request.adaptations.counts
            if not submission.reservation.resize(len(request.body), copies=1):
                return Reply(replies.NO_MEMORY, "temporary", "memory_full")
            repeatable = request.key is not None
            otherwise = outcome_unknown(repeatable=repeatable)
            login = submission.login
            response = await self._api.send_mail(
                login.credential, request.body, request.key, user=login.address
            )
            return reply_to_mail(response, request.labels, repeatable=repeatable)
        except CannotRelay as error:
            return Reply(f"{error.reply} {error}", "permanent", type(error).__name__.lower())
        except ApiBusy:
            return Reply(replies.API_BUSY, "temporary", "api_busy")
        except ApiUnavailable:
            return Reply(replies.API_UNAVAILABLE, "temporary", "api_unavailable")
        except ApiSilent:
            return replace(otherwise, code="api_silent")
        except asyncio.CancelledError:  # by `give_up`
            return replace(otherwise, code="stopped")
        except Exception as error:
            log_fault(error)
            return replace(otherwise, code="internal_error")

    async def _convert(self, submission: Submission) -> Request:
        work = partial(
            convert,
            submission.content,
            submission.recipients,
            sender=submission.login.address,
            max_hops=self._max_hops,
            is_strict=self._is_strict,
        )
        try:
            if submission.size <= _LARGE_BYTES:
                return work()
            async with self._large:
                return await asyncio.to_thread(work)
        finally:
            submission.content = b""
