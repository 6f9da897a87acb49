"""Sending: reserve in D1, call the provider once a message, confirm in D1; later attempts likewise.

Nothing reaches the provider before its row is written, and what is said at the end is no more
than what is known. A message whose provider does not answer in time is ``unknown``;
an answer that comes later still corrects it. What the provider refuses for now is queued, where
there is a queue that will wake somebody up for it.
"""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from accounts.credentials import Credential
from brake import Brake
from clock import now, utc_day
from lifecycle import Status, steps_on
from mail.compose import check_size
from mail.message import Message
from rates import RateLimit, RateState
from refusals import BadRequest, FieldError, Refusal, Unavailable
from retries import next_attempt_at
from runtime.log import log
from sentences import provider_sentence
from settings import Settings
from store.audit import Actor
from store.claim import Claim, claim
from store.confirm import Confirmation, confirm
from store.database import Database, DatabaseUnavailable
from store.delivery_news import record_delivery_news
from store.reserve import BatchAnswer, Entry, Reservation, Sending, reserve
from transport.outcome import Outcome, Refused, Sent, Transport, Unknown
from transport.rehearsal import delivery_news, rehearse

# The reserve batch and the confirm batch with their repetitions, and the provider's time between.
LEASE_SECONDS = 120
RETRY_SECONDS = 30
# Until the next sweep but one: what is due later the sweep wakes in time.
_ALARM_AHEAD_SECONDS = 120
# Of messages that are tried together: a worker has 128 MB, and what is sent is there several times.
_HELD_BYTES = 4 * 1024 * 1024
# Waited for other late answers, to write them together.
_LATE_TOGETHER_SECONDS = 2
# Waited before news are written again that the database has not taken.
_CONFIRM_LATER_SECONDS = (1, 3, 9, 15)

T = TypeVar("T")


class Outlive(Protocol):
    """Work that outlives the request that began it."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """Start ``work``, which goes on when the client has gone or has been answered."""
        ...


class Alarm(Protocol):
    """An alarm clock for messages."""

    async def wake(self, alarms: list[tuple[str, int]]) -> None:
        """Have somebody look at each message in so many seconds; may fail, or do it twice."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller orders: messages, for the address of a credential.

    ``request_digest`` goes with ``idempotency_key``. ``retry_of`` is the id of the message that
    a single one is to repeat. A ``batch`` is answered as a whole; where it is ``permissive``,
    those of its messages are sent that can be. An ``administrator`` needs no credential and pays
    nothing; ``credential`` then only says the sender.
    """

    messages: tuple[Message, ...]
    credential: Credential
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None
    retry_of: str | None = None
    batch: bool = False
    permissive: bool = False
    administrator: Actor | None = None


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Sends messages: what it needs for that, and the rules it keeps to.

    ``alarm`` is None where there is no queue; then no message is queued. ``retry_hours`` is how
    long after its acceptance a message is tried; ``default_balance`` is what an address without a
    balance is granted; ``batch_inline`` is how many messages of a batch are sent at once.
    ``brake`` is when an address is paused, if ever. ``note_rate`` is told how a credential's rate
    limit stands, before anything is refused.
    """

    database: Database
    transport: Transport
    alarm: Alarm | None
    outlive: Outlive
    retry_hours: int
    default_balance: int
    batch_inline: int
    rate_limit: RateLimit | None
    brake: Brake | None
    note_rate: Callable[[RateState], None]

    async def dispatch(self, order: Order) -> Sending | BatchAnswer:
        """Send the messages of ``order``, or find what came of it when it was made before.

        A batch is answered with a ``BatchAnswer``, a single message with a ``Sending``.

        :raises Unauthorized, BadRequest, Conflict, PayloadTooLarge, TooManyRequests: refused
            before the provider was called; nothing is kept.
        :raises Unavailable: refused for now, the charge given back, as there is no queue.
        :raises DatabaseUnavailable: nothing was sent; what may have been kept is given back as
            soon as the database answers again.
        """
        quota = self.rate_limit.quota if self.rate_limit else None
        if quota is not None and len(order.messages) > quota and not order.permissive:
            raise BadRequest("batch_over_rate_limit", limit=quota)
        accepted_at = now()
        entries = self._entries(order, accepted_at)
        reservation = Reservation(
            credential=order.credential,
            default_balance=self.default_balance,
            now=accepted_at,
            lease_until=accepted_at + LEASE_SECONDS * 1000,
            day=utc_day(accepted_at),
            request_id=order.request_id,
            idempotency_key=order.idempotency_key,
            request_digest=order.request_digest,
            retry_of=order.retry_of,
            rate_limit=None if order.administrator else self.rate_limit,
            batch=order.batch,
            permissive=order.permissive,
            administrator=order.administrator,
        )
        try:
            reserved = await reserve(self.database, entries, reservation)
        except DatabaseUnavailable:
            # Whether the reservation was made nobody knows; nothing will be sent for it.
            self.outlive(self._confirm_later([_undone(entry) for entry in entries]))
            raise
        if reserved.rate:
            self.note_rate(reserved.rate)
        if reserved.earlier:
            return reserved.earlier
        for position, refusal in enumerate(reserved.refusals):
            if refusal and not order.permissive:
                raise refusal if not order.batch else _placed(refusal, position)
        kept = [
            entry
            for entry, refusal in zip(entries, reserved.refusals, strict=True)
            if refusal is None
        ]
        self._set_alarms([(entry.id, entry.due_at) for entry in kept if entry.due_at is not None])
        held = [
            (Claim(entry.id, 1, accepted_at, order.request_id, entry.size), entry.message)
            for entry in kept
            if entry.status == "sending"
        ]
        ends = await self._attempt(held, single=not order.batch)
        if order.batch:
            return BatchAnswer(
                tuple(
                    refusal or entry.id
                    for entry, refusal in zip(entries, reserved.refusals, strict=True)
                )
            )
        (entry,) = entries
        if not ends:
            return Sending(entry.id, entry.status, None, HTTPStatus.ACCEPTED, None)
        return _sending(*ends[0])

    def _entries(self, order: Order, accepted_at: int) -> list[Entry]:
        entries: list[Entry] = []
        inline = 0
        for message in order.messages:
            id_, size = str(uuid.uuid7()), check_size(message)
            if message.scheduled_at is not None and message.scheduled_at > accepted_at:
                entries.append(Entry(id_, message, size, "scheduled", message.scheduled_at))
            elif inline < self.batch_inline:
                inline += 1
                entries.append(Entry(id_, message, size))
            elif self.alarm is None:
                raise BadRequest("batch_too_long", limit=self.batch_inline)
            else:
                entries.append(Entry(id_, message, size, "queued", accepted_at))
        return entries

    async def attempt_due(self, message_ids: list[str]) -> None:
        """Make the attempts that are due of these messages, and that nobody else makes.

        Nothing is raised. A message that can't be claimed stays due; or it was claimed by a batch
        of which every answer was lost, and becomes ``unknown`` when its lease ends.
        """
        held: list[tuple[Claim, Message]] = []
        for message_id in message_ids:
            started = now()
            try:
                claimed = await claim(
                    self.database,
                    message_id,
                    claimant=str(uuid.uuid4()),
                    now=started,
                    lease_until=started + LEASE_SECONDS * 1000,
                )
            except Exception as error:  # the others are due as well
                log("claim_failed", message_id=message_id, kind=type(error).__name__)
                continue
            if claimed:
                held.append(claimed)
            if sum(about.size for about, _ in held) >= _HELD_BYTES:
                await self._attempt(held, waited=True)
                held = []
        await self._attempt(held, waited=True)

    async def _attempt(
        self,
        held: list[tuple[Claim, Message]],
        *,
        single: bool = False,
        waited: bool = False,
    ) -> list[tuple[Status, Confirmation]]:
        """Make the attempts that are held, at once, and record what came of them, together.

        Messages that have ``waited`` are answered, and their attachments are kept.
        """
        if not held:
            return []
        outcomes = await asyncio.gather(*(self._send(*attempt, waited=waited) for attempt in held))
        news = [
            self._news(claimed, outcome, single=single, waited=waited)
            for (claimed, _), outcome in zip(held, outcomes, strict=True)
        ]
        messages = {claimed.id: message for claimed, message in held}
        deferred = [about.id for about in news if about.news == "deferred"]
        queued = [] if waited else [(id_, messages[id_]) for id_ in deferred]
        statuses = await self._record(news, queued)
        alarms, delivered = [], []
        late: list[tuple[Claim, Message, Awaitable[Outcome]]] = []
        for (claimed, message), outcome, about in zip(held, outcomes, news, strict=True):
            status = statuses[about.id]
            if isinstance(outcome, Unknown) and outcome.late is not None:
                late.append((claimed, message, outcome.late))
            if status == "queued" and about.next_attempt_at:
                alarms.append((about.id, about.next_attempt_at))
            if status == "sent" and message.is_test:
                delivered.append((claimed.id, message))
        if late:
            self.outlive(self._record_late(late))
        if delivered:
            self.outlive(self._record_delivery(delivered))
        # The rows are queued already: nobody need wait for the queue.
        self._set_alarms(alarms)
        return [(statuses[about.id], about) for about in news]

    async def _send(self, held: Claim, message: Message, *, waited: bool) -> Outcome:
        started = time.perf_counter()
        outcome: Outcome
        try:
            if message.is_test:
                outcome = await rehearse(message, attempt=held.attempt, waited=waited)
            else:
                outcome = await self.transport.send(message)
        except Exception as error:  # of a bug; the attempts beside this one must be recorded
            log("attempt_broken", message_id=held.id, kind=type(error).__name__)
            outcome = Unknown()
        log(
            "attempt",
            request_id=held.request_id,
            message_id=held.id,
            attempt=held.attempt,
            outcome=type(outcome).__name__.lower(),
            code=None if isinstance(outcome, Sent) else outcome.provider_code,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return outcome

    async def _confirm_later(
        self,
        news: list[Confirmation],
        queued: Sequence[tuple[str, Message]] = (),
    ) -> None:
        for seconds in _CONFIRM_LATER_SECONDS:
            await asyncio.sleep(seconds)
            with contextlib.suppress(Exception):  # nobody awaits this; the next try, or the log
                await confirm(self.database, news, queued=queued, brake=self.brake)
                return
        log("confirm_given_up", message_ids=[about.id for about in news])

    async def _record_late(self, late: list[tuple[Claim, Message, Awaitable[Outcome]]]) -> None:
        """Record answers that come when their clients were told that nobody knows."""
        coming = {asyncio.ensure_future(answer): (held, sent) for held, sent, answer in late}
        while coming:
            await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            if not all(answer.done() for answer in coming):
                await asyncio.wait(coming, timeout=_LATE_TOGETHER_SECONDS)
            come = [answer for answer in coming if answer.done()]
            await self._record_come([(*coming.pop(answer), _result(answer)) for answer in come])

    async def _record_come(self, late: list[tuple[Claim, Message, Outcome]]) -> None:
        known = [
            (held, sent, outcome)
            for held, sent, said in late
            if (outcome := _final(said)) is not None
        ]
        if not known:
            return
        log("late_answers", message_ids=[held.id for held, _, _ in known])
        statuses = await self._record([self._news(held, outcome) for held, _, outcome in known], ())
        delivered = [
            (held.id, sent)
            for held, sent, _ in known
            if sent.is_test and statuses[held.id] == "sent"
        ]
        if delivered:
            await self._record_delivery(delivered)

    async def _record_delivery(self, delivered: list[tuple[str, Message]]) -> None:
        try:
            news = [(id_, delivery_news(message)) for id_, message in delivered]
            await record_delivery_news(self.database, news, now=now())
        except Exception as error:  # nobody awaits this
            ids = [id_ for id_, _ in delivered]
            log("delivery_news_lost", message_ids=ids, kind=type(error).__name__)

    async def _record(
        self, news: list[Confirmation], queued: Sequence[tuple[str, Message]]
    ) -> dict[str, Status]:
        """Write the news; the status of each message, that which is expected where it is gone."""
        expected = {about.id: steps_on(about.news)["sending"].target for about in news}
        try:
            return {
                **expected,
                **await confirm(self.database, news, queued=queued, brake=self.brake),
            }
        except Exception as error:
            # The client still hears what is known; the rows stay open until their leases end.
            log("confirm_failed", message_ids=list(expected), kind=type(error).__name__)
            self.outlive(self._confirm_later(news, queued))
            return expected

    def _news(
        self, held: Claim, outcome: Outcome, *, single: bool = False, waited: bool = False
    ) -> Confirmation:
        at = now()
        if isinstance(outcome, Sent):
            return Confirmation(
                id=held.id,
                news="sent",
                attempt=held.attempt,
                now=at,
                provider_message_id=outcome.provider_message_id,
                answer_status=HTTPStatus.OK,
            )
        code = outcome.provider_code
        refused = Confirmation(
            id=held.id,
            news="refused",
            attempt=held.attempt,
            now=at,
            provider_code=code,
            answer_status=HTTPStatus.BAD_GATEWAY,
            answer_code=code,
        )
        if isinstance(outcome, Unknown):
            return replace(refused, news="lost", answer_code="outcome_unknown")
        if not outcome.temporary:
            return refused
        # What has waited goes on: without a queue the sweep takes care of it.
        if self.alarm is None and not waited:
            # A single request may be made again. Of a batch others may have been sent.
            return replace(refused, answer_status=None, frees_key=True) if single else refused
        next_at = next_attempt_at(
            attempt=held.attempt,
            now=at,
            tried_from=held.tried_from,
            retry_hours=self.retry_hours,
        )
        if next_at is None:
            return refused
        return replace(
            refused,
            news="deferred",
            next_attempt_at=next_at,
            answer_status=HTTPStatus.ACCEPTED,
            answer_code=None,
        )

    def _set_alarms(self, due: list[tuple[str, int]]) -> None:
        set_alarms(self.alarm, due, self.outlive)


def set_alarms(alarm: Alarm | None, due: list[tuple[str, int]], outlive: Outlive) -> None:
    """Have each message looked at when it is due, in Unix milliseconds, where nobody else will.

    What is scheduled for later the sweep wakes in time.
    """
    soon = now() + _ALARM_AHEAD_SECONDS * 1000
    near = [(id_, due_at) for id_, due_at in due if due_at <= soon]
    if near and alarm:
        outlive(_wake(alarm, near))


async def _wake(alarm: Alarm, due: list[tuple[str, int]]) -> None:
    try:
        await alarm.wake([(id_, seconds_until(due_at)) for id_, due_at in due])
    except Exception as error:  # whatever the queue says: the rows are due, the sweep finds them
        log("alarm_failed", message_ids=[id_ for id_, _ in due], kind=type(error).__name__)


def seconds_until(milliseconds: int) -> int:
    """The whole seconds until that time, in Unix milliseconds; none where it is past."""
    return max(0, math.ceil((milliseconds - now()) / 1000))


def dispatcher_for(
    settings: Settings,
    database: Database,
    transport: Transport,
    alarm: Alarm | None,
    outlive: Outlive,
    note_rate: Callable[[RateState], None] = lambda state: None,
) -> Dispatcher:
    """The dispatcher of a deployment with these settings."""
    return Dispatcher(
        database=database,
        transport=transport,
        alarm=alarm,
        outlive=outlive,
        retry_hours=settings.retry_hours,
        default_balance=settings.default_send_balance,
        batch_inline=settings.batch_inline,
        rate_limit=settings.send_rate_limit,
        brake=settings.brake,
        note_rate=note_rate,
    )


def _result(answer: "asyncio.Future[Outcome]") -> Outcome:
    return Unknown() if answer.exception() else answer.result()


def _final(late: Outcome) -> Sent | Refused | None:
    """What a late answer says, if anything: its client heard of no second attempt."""
    if isinstance(late, Refused):
        return Refused(late.provider_code, temporary=False)
    return late if isinstance(late, Sent) else None


def _placed(refusal: Refusal, position: int) -> Refusal:
    """``refusal`` with the place in its batch of the message that it is about."""
    if isinstance(refusal, BadRequest):
        refusal.errors = (FieldError(f"[{position}]", refusal.sentence, refusal.values),)
    return refusal


def _undone(entry: Entry) -> Confirmation:
    if entry.status == "sending":
        return Confirmation(id=entry.id, news="refused", attempt=1, now=now(), frees_key=True)
    return Confirmation(id=entry.id, news="cancelled", now=now(), frees_key=True)


def _sending(status: Status, about: Confirmation) -> Sending:
    if about.frees_key:
        raise _unavailable(about)
    if status == "failed":  # also what was to be queued, where the sweep has ended it
        about = replace(
            about, answer_status=HTTPStatus.BAD_GATEWAY, answer_code=about.provider_code
        )
    return Sending(
        id=about.id,
        status=status,
        provider_message_id=about.provider_message_id,
        answer_status=about.answer_status or HTTPStatus.BAD_GATEWAY,
        answer_code=about.answer_code,
    )


def _unavailable(about: Confirmation) -> Refusal:
    code = about.provider_code or ""
    return Unavailable(
        code,
        sentence=provider_sentence(code, "provider_busy"),
        retry_after=RETRY_SECONDS,
        extra={"id": about.id, "message_status": "failed"},
        provider_code=code,
    )
