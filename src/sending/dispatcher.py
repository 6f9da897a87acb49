"""The dispatcher: reserve in D1, call the provider once per message, record in D1.

A message is sent only after its row is written, and a response never claims more than is known. If
the provider does not respond in time, the message becomes ``unknown``; a late response corrects its
status. After a transient rejection, the message is queued for another attempt. If there is no queue
and a caller waits, the caller gets an error instead.
"""

import contextlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from accounts.sending_limits import RateState
from errors import BadRequest, Unavailable
from ids import new_ids
from log import frames, log
from mail.lifecycle import Status, transitions_on
from mail.limits import MAX_MESSAGE_BYTES
from mail.message import Message
from mail.submission import Attempt, Submission, SubmissionResult
from sending import needs
from sending.backoff import next_attempt_at
from sending.enqueue import enqueue_retries, enqueue_soon, wake_webhooks
from sending.results import Tried, raise_first, results_of
from sending.routes import (
    chosen,
    next_transport,
    replacement,
    transport_states,
    with_route,
    with_waiting_route,
)
from services import QueuedEvent, Services
from store.claim import claim
from store.database import DatabaseUnavailable
from store.record import StatusUpdate, record, reroute
from store.reserve import Reserved, Terms, reserve
from transport.outcome import (
    ABOUT_TRANSPORT,
    BINDING,
    KEY_MILLISECONDS,
    LATE_SECONDS,
    Outcome,
    Rejected,
    Sent,
    Transport,
    Unknown,
)
from transport.sandbox import sandbox_outcome

if TYPE_CHECKING:
    from store.transports import States

# A lease covers the reserve batch, the call of the provider, and the record batch, with retries.
LEASE_SECONDS = 120
# The maximum size of the messages of one claim together, in bytes. They are attempted concurrently,
# and other invocations of the Worker claim at the same time. All share its memory.
_SMALL_BYTES = 512 * 1024
# The same for a claim of larger messages, for which an invocation takes memory first. The first
# message may be larger.
_LARGE_BYTES = 2 * 1024 * 1024
# The most content that a claim of larger messages reads, as JSON, where a control character takes
# six bytes. A single message was submitted within a body, which has at most 10 MiB.
_MOST_CONTENT = 10 * 1024 * 1024
# The maximum number of messages of a claim.
_MAX_TOGETHER = 25
# Messages to sandbox recipients are free, so they must not keep memory for half a minute. If those
# that are attempted together have more bytes than this, ``slow@`` does not wait.
_MAX_SANDBOX_BYTES = 64 * 1024
# The maximum number of ids that a claim looks up.
_MAX_CLAIM = 100
# Late responses within this time are recorded together.
_LATE_TOGETHER_SECONDS = 2
# Delays before each retry to record updates after a database failure.
_RECORD_LATER_SECONDS = (1, 3, 9, 15)


class Dispatcher:
    """Sends messages. The deployment must have a database and a transport.

    If a transport rejects a message for a reason that concerns the transport, the next one of the
    message's route is tried at once. If the outcome is not known and the provider has idempotency
    keys, the message is queued, and the provider is asked again with the same key.

    ``dispatch`` calls ``note_rate`` with the state of the credential's rate limit, even if it then
    raises an error for a message.
    """

    def __init__(
        self, services: Services, note_rate: Callable[[RateState], None] = lambda state: None
    ) -> None:
        assert services.database is not None
        assert services.can_send
        self._database = services.database
        self._services, self._settings = services, services.settings
        self._routing = services.routing
        self._reserved = needs.OF_OTHER_TRANSPORTS if self._routing else 0
        self._waiting = services.waiting
        self._subrequests = services.subrequests
        self._memory = services.memory
        self._note_rate = note_rate

    async def dispatch(self, submission: Submission) -> list[SubmissionResult]:
        """Send the messages of ``submission``; return one result per message, in their order.

        A submission that repeats an idempotency key returns the results of the first submission.

        :raises Unauthorized, BadRequest, Conflict, PayloadTooLarge, TooManyRequests: this service
            rejected the submission; nothing is stored or sent.
        :raises Unavailable: the provider rejected the message transiently, and there is no queue.
            The charge is refunded.
        :raises DatabaseUnavailable: nothing was sent. If messages were stored, a background task
            tries for half a minute to cancel and refund them.
        """
        self._check_batch_size(submission)
        attempts = self._plan(submission)
        inline = [one.message for one in attempts if one.status == "sending"]
        needed = len(inline) + needs.to_finish(inline)
        reserved = await self._subrequests.keep(needed, self._reserve(submission, attempts))
        if reserved.rate:
            self._note_rate(reserved.rate)
        if reserved.earlier is not None:
            return reserved.earlier
        if not submission.permissive:
            raise_first(reserved.errors, submission)
        if self._routing:
            pairs = zip(attempts, reserved.transports, strict=True)
            attempts = [self._with_key(chosen(*pair)) for pair in pairs]
        kept = [
            attempt
            for attempt, error in zip(attempts, reserved.errors, strict=True)
            if error is None
        ]
        due = [(one.id, one.due_at) for one in kept if one.due_at is not None]
        enqueue_soon(self._services, due, has_many_waiting=reserved.has_many_waiting)
        if reserved.webhooks:
            kept = [replace(one, webhooks=reserved.webhooks) for one in kept]
            if due:
                wake_webhooks(self._services, reserved.webhooks)
        tried = await self._try([one for one in kept if one.status == "sending"])
        return results_of(submission, attempts, reserved.errors, tried)

    async def attempt_due(self, message_ids: list[str], *, until: float = math.inf) -> list[str]:
        """Attempt these messages, if they are due and no other worker holds them.

        It raises nothing. A message that can't be claimed stays due. If the database wrote a claim
        but its response was lost, the message becomes ``unknown`` when the lease expires.

        :param until: the time after which no attempt begins, in Unix milliseconds.
        :returns: the ids that are left because too few subrequests, too little time or no memory is
            left. Some of these messages may not be due.
        """
        due = list(dict.fromkeys(message_ids))
        is_large = False  # whether the first due message may be large
        while due and self._services.clock() < until:
            if is_large and not await self._has_memory():
                break
            try:
                room = needs.room_for_due(self._subrequests.left) - self._reserved
                if room <= 0 or self._services.clock() >= until:
                    break
                held, left = await self._claim(
                    due[:_MAX_CLAIM], min(room, _MAX_TOGETHER), is_large=is_large
                )
                due = left + due[_MAX_CLAIM:]
                await self._try(await self._with_usable_transports(held))
            finally:
                self._memory.release()
                self._log_attempts()
            is_large = is_large or (bool(left) and not held)
        return due

    def _log_attempts(self) -> None:
        attempts = self._services.attempts
        if attempts:
            log("attempts", attempts=attempts)
            attempts.clear()

    # The steps of a submission

    def _check_batch_size(self, submission: Submission) -> None:
        limit = self._settings.send_rate_limit
        quota = limit.quota if limit else None
        if quota is not None and len(submission.messages) > quota and not submission.permissive:
            raise BadRequest("batch_over_rate_limit", limit=quota)

    def _plan(self, submission: Submission) -> list[Attempt]:
        """The first attempt of each message: at once, from the queue, or at the scheduled time."""
        now = self._services.clock()
        ids = new_ids(now, len(submission.messages))
        room = self._settings.batch_inline
        if len(submission.messages) > 1:
            left = self._subrequests.left - self._reserved
            room = min(room, needs.room_in_request(left, submission))
        inline = iter(range(room))
        attempts = [
            with_route(
                _first_attempt(submission, message, id_, now, inline),
                self._routing,
                submission.transport,
            )
            for message, id_ in zip(submission.messages, ids, strict=True)
        ]
        if self._services.wakeup_queue is None and any(one.status == "queued" for one in attempts):
            raise BadRequest("batch_too_long", limit=room)
        return attempts

    async def _reserve(self, submission: Submission, attempts: list[Attempt]) -> Reserved:
        settings, now = self._settings, self._services.clock()
        terms = Terms(
            now=now,
            lease_until=now + LEASE_SECONDS * 1000,
            default_balance=settings.default_send_balance,
        )
        if self._routing:
            terms = replace(terms, keyed=self._routing.keyed, ask_until=now + KEY_MILLISECONDS)
        if not submission.administrator:
            terms = replace(
                terms,
                rate_limit=settings.send_rate_limit,
                max_sandbox_recipients=settings.max_sandbox_recipients_per_day or None,
                max_sandbox_bytes=settings.max_sandbox_bytes_per_day or None,
                max_withdrawals=settings.max_withdrawals_per_day or None,
            )
        try:
            return await reserve(self._database, submission, attempts, terms)
        except DatabaseUnavailable:
            # The batch may have been written without a response. The caller gets an error, so
            # the messages are cancelled and refunded.
            undo = [_undo(attempt, now) for attempt in attempts]
            self._waiting.run_in_background(self._record_later(undo))
            raise

    async def _has_memory(self) -> bool:
        """Wait until there is memory for large messages. False if it takes too long."""
        try:
            await self._memory.take(_MOST_CONTENT, "jobs")
        except Unavailable:
            return False
        return True

    async def _claim(
        self, message_ids: list[str], max_messages: int, *, is_large: bool
    ) -> tuple[list[Attempt], list[str]]:
        """Claim at most ``max_messages`` due messages of ``message_ids``.

        :param is_large: whether the first one may be a large message. If it is one, nothing is
            claimed otherwise.
        :returns: their attempts, and the ids of the due messages that were not claimed. If the
            database fails, both are empty.
        """
        now = self._services.clock()
        try:
            return await claim(
                self._database,
                message_ids,
                claimant=str(uuid.uuid4()),
                now=now,
                lease_until=now + LEASE_SECONDS * 1000,
                max_messages=max_messages,
                max_bytes=_LARGE_BYTES if is_large else _SMALL_BYTES,
                max_first=MAX_MESSAGE_BYTES if is_large else 0,
                keyed=self._routing.keyed if self._routing else (),
                ask_until=now + KEY_MILLISECONDS,
                is_routed=self._routing is not None,
            )
        except Exception as error:  # the cron enqueues the messages that are still due
            log("claim_failed", message_ids=message_ids, kind=type(error).__name__)
            return [], []

    # The steps of attempts

    async def _try(self, held: list[Attempt]) -> list[Tried]:
        """Make these attempts concurrently, and record their outcomes together."""
        messages = [one.message for one in held]
        sandbox_bytes = sum(one.size for one in messages if one.is_sandbox)
        may_wait = sandbox_bytes <= _MAX_SANDBOX_BYTES
        self._memory.keep(sum(one.size for one in messages) - (sandbox_bytes if may_wait else 0))
        finish = needs.to_finish(messages)
        calls = self._waiting.all([self._call(one, may_wait=may_wait) for one in held])
        outcomes = await self._subrequests.keep(finish, calls)
        ended = list(zip(held, outcomes, strict=True))
        if self._routing:
            ended = await self._subrequests.keep(finish, self._with_other_transports(ended))
        return await self._conclude(ended)

    async def _with_usable_transports(self, held: list[Attempt]) -> list[Attempt]:
        """The claimed attempts, each by a transport that the deployment has and does not skip.

        Attempts that can't be made are left out: another worker may have taken them over.
        """
        routing = self._routing
        if routing is None and all(one.transport in (BINDING, None) for one in held):
            return held
        held = [with_waiting_route(attempt, routing) for attempt in held]
        replaced = [
            (attempt, name)
            for attempt in held
            if (name := replacement(attempt, routing)) is not None
        ]
        ids = {attempt.id for attempt, _ in replaced}
        kept = [self._with_key(attempt) for attempt in held if attempt.id not in ids]
        return [*kept, *await self._reroute([(one, name, None) for one, name in replaced])]

    async def _with_other_transports(
        self, ended: list[tuple[Attempt, Outcome]]
    ) -> list[tuple[Attempt, Outcome]]:
        """Try the next transports where a rejection concerns the transport; return all outcomes."""
        done: list[tuple[Attempt, Outcome]] = []
        while ended:
            rejected = []
            for attempt, outcome in ended:
                name = next_transport(attempt, outcome)
                if name is None:
                    done.append((attempt, outcome))
                else:
                    rejected.append((attempt, name, outcome))
            if not rejected:
                break
            if self._subrequests.left < needs.TO_REROUTE + len(rejected):
                # The queue makes the next attempts, with more subrequests.
                done += [
                    (attempt, replace(outcome, transient=True))
                    for attempt, _, outcome in rejected
                    if isinstance(outcome, Rejected)
                ]
                break
            following = await self._reroute(rejected)
            held = {attempt.id for attempt in following}
            done += [(one, outcome) for one, _, outcome in rejected if one.id not in held]
            calls = [self._call(one, may_wait=True) for one in following]
            ended = list(zip(following, await self._waiting.all(calls), strict=True))
        return done

    async def _reroute(
        self, changes: Sequence[tuple[Attempt, str, Outcome | None]]
    ) -> list[Attempt]:
        """Record that other transports make the next attempts; return those attempts.

        :param changes: the last attempt of each message, the next transport, and the outcome of the
            attempt, None if it was not made.
        """
        if not changes:
            return []
        now = self._services.clock()
        following = {
            attempt.id: self._with_key(
                replace(
                    attempt,
                    number=attempt.number + 1,
                    transport=name,
                    tried=(*attempt.tried, attempt.transport) if outcome else (),
                    may_retry=attempt.may_retry
                    or (isinstance(outcome, Rejected) and outcome.transient),
                )
            )
            for attempt, name, outcome in changes
        }
        updates = [
            StatusUpdate(
                id=attempt.id,
                event="rerouted",
                attempt=attempt.number,
                now=now,
                lease_until=now + LEASE_SECONDS * 1000,
                next_transport=name,
                ask_until=following[attempt.id].ask_until,
                provider_code=outcome.provider_code if isinstance(outcome, Rejected) else None,
            )
            for attempt, name, outcome in changes
        ]
        states = transport_states([(one, outcome) for one, _, outcome in changes if outcome])
        try:
            with self._subrequests.recording():
                held = await reroute(self._database, updates, states=states)
        except Exception as error:  # the outcomes so far are recorded instead
            log("reroute_failed", message_ids=list(following), kind=type(error).__name__)
            return []
        return [attempt for id_, attempt in following.items() if id_ in held]

    def _with_key(self, attempt: Attempt) -> Attempt:
        """``attempt`` with the time until which its provider may be asked again, if it may."""
        routing = self._routing
        if attempt.asks_again or routing is None or attempt.transport not in routing.keyed:
            return attempt if attempt.asks_again else replace(attempt, ask_until=None)
        if attempt.ask_until is not None and not attempt.tried:
            return attempt
        return replace(attempt, ask_until=self._services.clock() + KEY_MILLISECONDS)

    async def _conclude(self, ended: list[tuple[Attempt, Outcome]]) -> list[Tried]:
        """Record the outcomes of these attempts, and start the work that follows."""
        if not ended:
            return []
        messages = [attempt.message for attempt, _ in ended]
        updates = [self._update(*pair) for pair in ended]
        # A message that is attempted during its request has no stored attachments. They are stored
        # if it becomes `queued`.
        queued = [
            (attempt.id, attempt.message)
            for (attempt, _), update in zip(ended, updates, strict=True)
            if update.event == "deferred" and attempt.caller_waits_for != "nothing"
            if not attempt.keeps_attachments
        ]
        follow = needs.ENQUEUE_RETRIES + needs.to_deliver(messages) + needs.to_record_late(messages)
        states = transport_states(ended) if self._routing else {}
        statuses = await self._subrequests.keep(follow, self._record(updates, queued, states))
        tried = [
            (*pair, update, statuses[update.id])
            for pair, update in zip(ended, updates, strict=True)
        ]
        self._follow_up(tried)
        return tried

    async def _call(self, attempt: Attempt, *, may_wait: bool) -> Outcome:
        started = time.perf_counter()
        try:
            outcome = await self._send(attempt, may_wait=may_wait)
        except Exception as error:  # a bug; the concurrent attempts must still be recorded
            kind = type(error).__name__
            log("attempt_broken", message_id=attempt.id, kind=kind, frames=frames(error))
            outcome = Unknown(cause=kind)
        self._services.attempts.append(
            {
                "request_id": attempt.request_id,
                "message_id": attempt.id,
                "attempt": attempt.number,
                **({"transport": attempt.transport} if self._routing else {}),
                "outcome": type(outcome).__name__.lower(),
                "code": None if isinstance(outcome, Sent) else outcome.provider_code,
                "cause": outcome.cause if isinstance(outcome, Unknown) else None,
                "milliseconds": round((time.perf_counter() - started) * 1000, 1),
            }
        )
        return outcome

    async def _send(self, attempt: Attempt, *, may_wait: bool) -> Outcome:
        if attempt.message.is_sandbox:
            waits = may_wait and attempt.caller_waits_for != "nothing"
            return await sandbox_outcome(
                attempt.message, number=attempt.number, waits=waits, sleep=self._waiting.sleep
            )
        transport = self._transport_of(attempt)
        if transport is None:  # the deployment does not have it any more
            return Unknown(cause="no transport")
        outcome = await transport.send(attempt.message)
        if attempt.asks_again and isinstance(outcome, Rejected):
            # This does not say what has become of the earlier attempt.
            return Unknown(outcome.provider_code, cause="rejected")
        return outcome

    def _transport_of(self, attempt: Attempt) -> Transport | None:
        if attempt.transport in (BINDING, None):
            return self._services.transport
        config = self._routing and self._routing.transports.get(attempt.transport)
        return self._services.make_transport(config, attempt.id) if config else None

    def _update(self, attempt: Attempt, outcome: Outcome) -> StatusUpdate:
        """The update that records this outcome of an attempt."""
        update = StatusUpdate(
            id=attempt.id, event="accepted", attempt=attempt.number, now=self._services.clock()
        )
        if isinstance(outcome, Sent):
            message_id = outcome.provider_message_id
            return replace(update, provider_message_id=message_id, reported_as="sent")
        code = outcome.provider_code
        if isinstance(outcome, Unknown):
            unknown = replace(update, event="timed_out", provider_code=code, reported_as="unknown")
            return unknown if attempt.ask_until is None else _asked_again(attempt, unknown)
        rejected = replace(
            update,
            event="rejected",
            provider_code=code,
            reason=outcome.reason,
            reported_as="failed",
        )
        may_retry = outcome.transient or (attempt.may_retry and outcome.reason in ABOUT_TRANSPORT)
        return self._deferred(attempt, rejected) if may_retry and attempt.retries else rejected

    def _deferred(self, attempt: Attempt, rejected: StatusUpdate) -> StatusUpdate:
        # Without a queue only the cron could retry, so a waiting caller gets an error instead.
        if self._services.wakeup_queue is None and attempt.caller_waits_for != "nothing":
            # The caller of a single message can repeat the request. The caller of a batch can't,
            # because other messages of the batch may have been sent.
            if attempt.caller_waits_for == "outcome":
                return replace(rejected, reported_as=None, undo=True)
            return rejected
        next_at = next_attempt_at(
            attempt=-(-attempt.number // max(1, len(attempt.route))),
            now=rejected.now,
            tried_from=attempt.tried_from,
            retry_hours=self._settings.retry_hours,
        )
        if next_at is None:
            return rejected
        return replace(
            rejected,
            event="deferred",
            next_attempt_at=next_at,
            reported_as="queued",
            next_transport=attempt.route[0] if attempt.tried else None,
        )

    async def _record(
        self,
        updates: list[StatusUpdate],
        queued: Sequence[tuple[str, Message]],
        states: "States",
    ) -> dict[str, Status]:
        """Record ``updates``; return the status of each message, by its id.

        If a message was removed or the database fails, the result has the status that the update
        leads to.
        """
        expected = {update.id: transitions_on(update.event)["sending"].target for update in updates}
        cost = needs.to_record(message for _, message in queued)
        later = cost * len(_later_delays(self._subrequests.left - cost, cost))
        try:
            found = await self._subrequests.keep(later, self._write(updates, queued, states))
            return {**expected, **found}
        except Exception as error:
            # The response still reports the outcomes. The rows stay ``sending`` until a later
            # attempt to record succeeds, or until their leases expire.
            log("record_failed", message_ids=list(expected), kind=type(error).__name__)
            self._waiting.run_in_background(self._record_later(updates, queued))
            return expected

    async def _write(
        self,
        updates: list[StatusUpdate],
        queued: Sequence[tuple[str, Message]],
        states: "States | None" = None,
    ) -> dict[str, Status]:
        policy = self._settings.pause_policy
        with self._subrequests.recording():
            return await record(
                self._database, updates, queued=queued, pause_policy=policy, states=states
            )

    def _follow_up(self, tried: list[Tried]) -> None:
        """Start the background work that follows the recorded outcomes."""
        late = [
            (attempt, outcome.late)
            for attempt, outcome, *_ in tried
            if isinstance(outcome, Unknown) and outcome.late is not None
        ]
        delivered = [
            (attempt.message, outcome.provider_message_id or "")
            for attempt, outcome, _, status in tried
            if status == "sent" and attempt.message.is_sandbox and isinstance(outcome, Sent)
        ]
        if late:
            cost = needs.to_record_late(attempt.message for attempt, _ in late)
            self._keep_in_background(cost, self._record_late(late))
        if delivered:
            cost = needs.to_deliver(message for message, _ in delivered)
            self._keep_in_background(cost, self._deliver(delivered))
        # The response need not wait for the queue, because the cron enqueues due messages again.
        due = [
            (update.id, update.next_attempt_at)
            for _, _, update, status in tried
            if status == "queued" and update.next_attempt_at
        ]
        webhooks = {id_ for attempt, *_ in tried for id_ in attempt.webhooks}
        if webhooks:
            wake_webhooks(self._services, webhooks)
        queue = self._services.wakeup_queue
        if due and queue:
            retries = enqueue_retries(self._database, queue, due, now=self._services.clock())
            self._keep_in_background(needs.ENQUEUE_RETRIES, retries)

    # Background work

    def _keep_in_background(self, needed: int, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in the background, and keep back ``needed`` subrequests until it ends."""
        self._waiting.run_in_background(self._subrequests.keep(needed, work))

    async def _record_later(
        self, updates: list[StatusUpdate], queued: Sequence[tuple[str, Message]] = ()
    ) -> None:
        cost = needs.to_record(message for _, message in queued)
        delays = _later_delays(self._subrequests.left, cost)
        for number, seconds in enumerate(delays, start=1):
            await self._waiting.sleep(seconds)
            others = cost * (len(delays) - number)
            with contextlib.suppress(Exception):  # the loop tries again, and logs if it gives up
                await self._subrequests.keep(others, self._write(updates, queued))
                return
        log("record_given_up", message_ids=[update.id for update in updates])

    async def _record_late(self, late: list[tuple[Attempt, Awaitable[Outcome]]]) -> None:
        """Record provider responses that arrive after ``unknown`` was reported.

        Responses that arrive within ``_LATE_TOGETHER_SECONDS`` are recorded together, as a group.
        The subrequests for one group are kept back. If no other group fits into the remaining
        subrequests, the next group is the last one: it waits for all responses that arrive within
        ``LATE_SECONDS``.
        """
        cost = needs.to_record_late(attempt.message for attempt, _ in late)
        end = self._services.clock() + LATE_SECONDS * 1000
        arrived: list[tuple[Attempt, Outcome]] = []
        missing = len(late)

        async def receive(attempt: Attempt, late_outcome: Awaitable[Outcome]) -> None:
            nonlocal missing
            try:
                outcome = await late_outcome
            except Exception:
                outcome = Unknown()
            arrived.append((attempt, outcome))
            missing -= 1
            if missing and len(arrived) > 1:
                return  # the first one of this group records it
            await self._waiting.sleep(0)  # several may arrive at the same time
            if missing:
                remaining = (end - self._services.clock()) / 1000
                fits = self._subrequests.left >= cost or remaining < _LATE_TOGETHER_SECONDS
                await self._waiting.sleep(_LATE_TOGETHER_SECONDS if fits else remaining)
            group, arrived[:] = arrived[:], []
            await self._record_outcomes(group)

        await self._waiting.all([receive(*one) for one in late])

    async def _record_outcomes(self, ended: list[tuple[Attempt, Outcome]]) -> None:
        known = [
            (attempt, _without_retry(outcome))
            for attempt, outcome in ended
            if not isinstance(outcome, Unknown)
        ]
        if known:
            log("late_outcomes", message_ids=[attempt.id for attempt, _ in known])
            await self._conclude(known)

    async def _deliver(self, delivered: list[tuple[Message, str]]) -> None:
        """Enqueue the delivery events of messages to sandbox recipients, or process them here.

        :param delivered: the messages with the Message-IDs that the sandbox assigned.
        """
        # Imported here, because only mail to sandbox recipients needs it.
        from sending.delivery_events import process_events
        from transport.sandbox_events import delivery_events

        now, queue = self._services.clock(), self._services.event_queue
        events = [
            event for message, id_ in delivered for event in delivery_events(message, id_, now=now)
        ]
        if queue and len(events) <= needs.MOST_QUEUED_EVENTS:
            await queue.enqueue(events)
            return
        for start in range(0, len(events), needs.MOST_EVENTS):
            some = events[start : start + needs.MOST_EVENTS]
            queued = [QueuedEvent(msgspec.json.encode(event).decode(), 1) for event in some]
            if await process_events(queued, self._services):
                log("delivery_events_lost", events=len(some))


def _first_attempt(
    submission: Submission, message: Message, id_: str, now: int, inline: Iterator[int]
) -> Attempt:
    """The first attempt of ``message``. ``inline`` has one item per message to attempt at once."""
    attempt = Attempt(
        id=id_,
        message=message,
        tried_from=now,
        request_id=submission.request_id,
        caller_waits_for=submission.reports,
    )
    if message.scheduled_at is not None and message.scheduled_at > now:
        return replace(attempt, status="scheduled", due_at=message.scheduled_at)
    if next(inline, None) is not None:
        return attempt
    return replace(attempt, status="queued", due_at=now)


def _asked_again(attempt: Attempt, unknown: StatusUpdate) -> StatusUpdate:
    """The update that queues the message, so that the provider is asked again with the same key.

    When the time for this is over, the message becomes ``unknown``.
    """
    assert attempt.ask_until is not None
    next_at = next_attempt_at(
        attempt=attempt.number, now=unknown.now, tried_from=attempt.ask_until, retry_hours=0
    )
    if next_at is None:
        return unknown
    return replace(
        unknown,
        event="deferred",
        next_attempt_at=next_at,
        ask_until=attempt.ask_until,
        provider_code="asked_again",
        reported_as="queued",
    )


def _later_delays(left: int, cost: int) -> tuple[float, ...]:
    """The delays in seconds before each retry to record updates.

    There are as many retries as the subrequests allow, and always at least one. If they do not
    allow all retries, the first ones are left out, and the others keep their times.

    :param left: the number of subrequests that are left.
    :param cost: the number of subrequests of one retry.
    """
    skipped = max(0, len(_RECORD_LATER_SECONDS) - max(1, left // cost))
    return (
        sum(_RECORD_LATER_SECONDS[: skipped + 1]),
        *_RECORD_LATER_SECONDS[skipped + 1 :],
    )


def _undo(attempt: Attempt, now: int) -> StatusUpdate:
    if attempt.status == "sending":
        return StatusUpdate(id=attempt.id, event="rejected", attempt=1, now=now, undo=True)
    return StatusUpdate(id=attempt.id, event="cancelled", now=now, undo=True)


def _without_retry(late: Outcome) -> Outcome:
    # `unknown` was reported to the caller, so there is no second attempt.
    return replace(late, transient=False) if isinstance(late, Rejected) else late
