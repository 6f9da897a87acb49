"""One send: reserve in D1, call the provider once, confirm in D1; and later attempts the same way.

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
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import msgspec

from accounts.credentials import Credential
from clock import now, utc_day
from lifecycle import News, Status, steps_on
from mail.compose import check_size
from mail.message import Message
from refusals import Refusal, Unavailable
from retries import next_attempt_at
from runtime.log import log
from sentences import provider_sentence
from settings import Settings
from store.claim import Claim, claim
from store.confirm import Confirmation, confirm
from store.database import Database, DatabaseUnavailable
from store.reserve import Reservation, Sending, reserve
from transport.outcome import Outcome, Refused, Sent, Transport, Unknown

# The reserve batch and the confirm batch with their repetitions, and the provider's time between.
LEASE_SECONDS = 120
RETRY_SECONDS = 30
# Waited before news are written again that the database has not taken.
_CONFIRM_LATER_SECONDS = (1, 3, 9)

T = TypeVar("T")


class Outlive(Protocol):
    """Work that outlives the request that began it."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """Start ``work``, which goes on when the client has gone or has been answered."""
        ...


class Alarm(Protocol):
    """An alarm clock for messages."""

    async def wake(self, message_ids: list[str], *, seconds: int = 0) -> None:
        """Have somebody look at these messages in so many seconds; may fail, or do it twice."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller orders: a message, for the address of a credential.

    ``request_digest`` goes with ``idempotency_key``. ``retry_of`` is the id of the message that
    this one is to repeat.
    """

    message: Message
    credential: Credential
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Sends messages: what it needs for that, and the rules it keeps to.

    ``alarm`` is None where there is no queue; then no message is queued. ``retry_hours`` is how
    long after its acceptance a message is tried; ``default_balance`` is what an address without a
    balance is granted.
    """

    database: Database
    transport: Transport
    alarm: Alarm | None
    outlive: Outlive
    retry_hours: int
    default_balance: int

    async def dispatch(self, order: Order) -> Sending:
        """Send the message of ``order``, or find what came of it when it was ordered before.

        :raises Unauthorized, BadRequest, Conflict, PayloadTooLarge: refused before the provider
            was called; nothing is kept.
        :raises Unavailable: refused for now, the charge given back, as there is no queue.
        :raises DatabaseUnavailable: nothing was sent; what may have been kept is given back as
            soon as the database answers again.
        """
        accepted_at = now()
        reservation = Reservation(
            id=str(uuid.uuid7()),
            credential=order.credential,
            default_balance=self.default_balance,
            size=check_size(order.message),
            now=accepted_at,
            lease_until=accepted_at + LEASE_SECONDS * 1000,
            day=utc_day(accepted_at),
            request_id=order.request_id,
            idempotency_key=order.idempotency_key,
            request_digest=order.request_digest,
            retry_of=order.retry_of,
        )
        held = Claim(reservation.id, 1, accepted_at, order.request_id)
        try:
            earlier = await reserve(self.database, order.message, reservation)
        except DatabaseUnavailable:
            # Whether the reservation was made nobody knows; nothing will be sent for it.
            undone = Confirmation(id=held.id, attempt=held.attempt, now=now(), frees_key=True)
            self.outlive(self._confirm_later("refused", undone))
            raise
        if earlier:
            return earlier
        status, confirmation = await self._attempt(held, order.message)
        if confirmation.frees_key:
            raise _unavailable(confirmation)
        if status == "failed":  # also what was to be queued, where the sweep has ended it
            confirmation = _answered(
                confirmation, HTTPStatus.BAD_GATEWAY, confirmation.provider_code
            )
        return Sending(
            id=held.id,
            status=status,
            provider_message_id=confirmation.provider_message_id,
            answer_status=confirmation.answer_status or HTTPStatus.BAD_GATEWAY,
            answer_code=confirmation.answer_code,
        )

    async def attempt_due(self, message_id: str) -> None:
        """Try the message again if it is due and nobody else does.

        :raises DatabaseUnavailable: nothing was sent. The message stays due; or it was claimed by
            a batch of which every answer was lost, and becomes ``unknown`` when its lease ends.
        """
        started = now()
        claimed = await claim(
            self.database,
            message_id,
            claimant=str(uuid.uuid4()),
            now=started,
            lease_until=started + LEASE_SECONDS * 1000,
        )
        if claimed:
            await self._attempt(*claimed)

    async def _attempt(self, held: Claim, message: Message) -> tuple[Status, Confirmation]:
        started = time.perf_counter()
        outcome = await self.transport.send(message)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        status, confirmation = await self._record(held, outcome, milliseconds=milliseconds)
        if isinstance(outcome, Unknown) and outcome.late is not None:
            self.outlive(self._record_late(held, outcome.late))
        if status == "queued" and confirmation.next_attempt_at and self.alarm:
            # The row is queued already: nobody need wait for the queue.
            self.outlive(self._set_alarm(self.alarm, held.id, confirmation.next_attempt_at))
        return status, confirmation

    async def _confirm_later(self, news: News, confirmation: Confirmation) -> None:
        for seconds in _CONFIRM_LATER_SECONDS:
            await asyncio.sleep(seconds)
            with contextlib.suppress(Exception):  # nobody awaits this; the next try, or the log
                await confirm(self.database, news, confirmation)
                return
        log("confirm_given_up", message_id=confirmation.id, news=news)

    async def _record_late(self, held: Claim, late: Awaitable[Outcome]) -> None:
        outcome = await late
        if isinstance(outcome, Refused):
            # Its client was told that nobody knows: there is no second attempt.
            outcome = Refused(outcome.provider_code, temporary=False)
        if not isinstance(outcome, Unknown):
            await self._record(held, outcome, late=True)

    async def _record(
        self, held: Claim, outcome: Outcome, **measured: object
    ) -> tuple[Status, Confirmation]:
        news, confirmation = self._news(held, outcome)
        expected = steps_on(news)["sending"].target
        log(
            "attempt",
            request_id=held.request_id,
            message_id=held.id,
            attempt=held.attempt,
            news=news,
            code=confirmation.provider_code,
            **measured,
        )
        try:
            return await confirm(self.database, news, confirmation) or expected, confirmation
        except Exception as error:
            # The client still hears what is known; the row stays open until its lease ends.
            kind = type(error).__name__
            about = {"request_id": held.request_id, "message_id": held.id}
            log("confirm_failed", **about, news=news, kind=kind)
            self.outlive(self._confirm_later(news, confirmation))
            return expected, confirmation

    def _news(self, held: Claim, outcome: Outcome) -> tuple[News, Confirmation]:
        at = now()
        if isinstance(outcome, Sent):
            return "sent", Confirmation(
                id=held.id,
                attempt=held.attempt,
                now=at,
                provider_message_id=outcome.provider_message_id,
                answer_status=HTTPStatus.OK,
            )
        code = outcome.provider_code
        about = Confirmation(id=held.id, attempt=held.attempt, now=at, provider_code=code)
        if isinstance(outcome, Unknown):
            return "lost", _answered(about, HTTPStatus.BAD_GATEWAY, "outcome_unknown")
        if not outcome.temporary:
            return "refused", _answered(about, HTTPStatus.BAD_GATEWAY, code)
        # Once accepted as queued it goes on: without its queue the sweep takes care of it.
        if self.alarm is None and held.attempt == 1:
            return "refused", msgspec.structs.replace(about, frees_key=True)
        next_at = next_attempt_at(
            attempt=held.attempt,
            now=at,
            accepted_at=held.accepted_at,
            retry_hours=self.retry_hours,
        )
        if next_at is None:
            return "refused", _answered(about, HTTPStatus.BAD_GATEWAY, code)
        queued = msgspec.structs.replace(about, next_attempt_at=next_at)
        return "deferred", _answered(queued, HTTPStatus.ACCEPTED, None)

    async def _set_alarm(self, alarm: Alarm, message_id: str, due_at: int) -> None:
        try:
            await alarm.wake([message_id], seconds=max(0, math.ceil((due_at - now()) / 1000)))
        except Exception as error:  # whatever the queue says: the row is due, the sweep finds it
            log("alarm_failed", message_id=message_id, kind=type(error).__name__)


def dispatcher_for(
    settings: Settings,
    database: Database,
    transport: Transport,
    alarm: Alarm | None,
    outlive: Outlive,
) -> Dispatcher:
    """The dispatcher of a deployment with these settings."""
    return Dispatcher(
        database=database,
        transport=transport,
        alarm=alarm,
        outlive=outlive,
        retry_hours=settings.retry_hours,
        default_balance=settings.default_send_balance,
    )


def _answered(about: Confirmation, status: int, code: str | None) -> Confirmation:
    return msgspec.structs.replace(about, answer_status=int(status), answer_code=code)


def _unavailable(confirmation: Confirmation) -> Refusal:
    code = confirmation.provider_code or ""
    return Unavailable(
        code,
        sentence=provider_sentence(code, "provider_busy"),
        retry_after=RETRY_SECONDS,
        extra={"id": confirmation.id, "message_status": "failed"},
        provider_code=code,
    )
