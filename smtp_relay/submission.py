"""Submission: one received message, converted and posted to the API, and the reply to it."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from smtp_relay import replies
from smtp_relay.api import ApiSilent, ApiUnavailable
from smtp_relay.api_response import ApiResponse
from smtp_relay.auth import Authenticator, Login
from smtp_relay.log import log, log_fault
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.metrics import Metrics
from smtp_relay.reply_mapping import Reply, outcome_unknown, reply_to_mail

# Convert larger messages in a thread, so that other sessions do not wait.
_LARGE_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Submission:
    """A message as received. ``session_id`` and ``client`` are for the log."""

    content: bytes
    recipients: list[str]
    login: Login
    session_id: str
    client: str


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """The reply, and the API's error code and message id if there is one."""

    reply: Reply
    code: str | None = None
    message_id: str | None = None

    @property
    def has_login_ended(self) -> bool:
        """Whether the API no longer accepts the client's credential."""
        return self.code == "invalid_credential"


class SendingApi(Protocol):
    """The API endpoint that sends."""

    async def send_mail(self, credential: str, body: bytes, key: str | None) -> ApiResponse:
        """Send the message that ``body`` describes."""


class Submitter:
    """Submits messages to the API."""

    def __init__(
        self, api: SendingApi, authenticator: Authenticator, metrics: Metrics, *, max_hops: int
    ) -> None:
        self._api = api
        self._authenticator = authenticator
        self._metrics = metrics
        self._max_hops = max_hops
        self._in_progress: set[asyncio.Task[SubmissionResult]] = set()

    async def submit(self, submission: Submission) -> SubmissionResult:
        """Submit a message. Continues in the background if the client disconnects meanwhile."""
        task = asyncio.create_task(self._submit(submission))
        self._in_progress.add(task)
        task.add_done_callback(self._in_progress.discard)
        return await asyncio.shield(task)

    def give_up(self) -> None:
        """Stop waiting for the API. The clients learn that the outcome is unknown."""
        for task in list(self._in_progress):
            task.cancel()

    async def wait_until_done(self) -> None:
        """Wait until no submission is in progress."""
        await asyncio.gather(*self._in_progress, return_exceptions=True)

    async def _submit(self, submission: Submission) -> SubmissionResult:
        began = time.perf_counter()
        login = submission.login
        result = await self._attempt(submission)
        if result.has_login_ended:
            self._authenticator.forget(login)
            if login.is_renewable:
                reply = Reply(replies.LOGIN_OVER, "temporary")
                result = SubmissionResult(reply, result.code, result.message_id)
        self._count(submission, result)
        log(
            "message",
            connection=submission.session_id,
            client=submission.client,
            sender=login.address,
            recipients=len(submission.recipients),
            bytes=len(submission.content),
            result=result.reply.result,
            reply=result.reply.text[:9],
            code=result.code,
            message_id=result.message_id,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return result

    async def _attempt(self, submission: Submission) -> SubmissionResult:
        # The reply after a failure. Until the request is posted, the API can't have the message.
        otherwise = Reply(replies.INTERNAL_ERROR, "temporary")
        try:
            request = await self._convert(submission)
            repeatable = request.key is not None
            otherwise = outcome_unknown(repeatable=repeatable)
            credential = submission.login.credential
            response = await self._api.send_mail(credential, request.body, request.key)
            reply = reply_to_mail(response, request.labels, repeatable=repeatable)
            return SubmissionResult(reply, response.code, response.message_id)
        except CannotRelay as error:
            reply = Reply(f"{error.reply} {error}", "permanent")
            return SubmissionResult(reply, type(error).__name__.lower())
        except ApiUnavailable:
            reply = Reply(replies.API_UNAVAILABLE, "temporary")
            return SubmissionResult(reply, "api_unavailable")
        except ApiSilent:
            return SubmissionResult(otherwise, "api_silent")
        except asyncio.CancelledError:  # by `give_up`
            return SubmissionResult(otherwise, "stopped")
        except Exception as error:
            log_fault(error)
            return SubmissionResult(otherwise, "internal_error")

    async def _convert(self, submission: Submission) -> Request:
        def work() -> Request:
            return convert(
                submission.content,
                submission.recipients,
                sender=submission.login.address,
                max_hops=self._max_hops,
            )

        is_large = len(submission.content) > _LARGE_BYTES
        return await asyncio.to_thread(work) if is_large else work()

    def _count(self, submission: Submission, result: SubmissionResult) -> None:
        self._metrics.messages[result.reply.result] += 1
        self._metrics.message_bytes += len(submission.content)
        if result.message_id:
            self._metrics.recipients += len(submission.recipients)
