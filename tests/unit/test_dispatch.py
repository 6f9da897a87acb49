"""Dispatch: what is sent at once, what waits, what its client is told, and what faults leave."""

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

import delivery
from accounts.credentials import Credential
from clock import now
from delivery import Dispatcher, Order
from lifecycle import Status
from mail.message import Message
from rates import RateLimit, RateState
from refusals import BadRequest, Refusal, TooManyRequests, Unauthorized, Unavailable
from runtime.limits import MAX_SUBREQUESTS
from store.database import DatabaseUnavailable, Row, Statement
from store.reserve import BatchAnswer, Sending
from tests.unit import given
from tests.unit.sqlite_database import SqliteDatabase
from transport import rehearsal
from transport.outcome import Outcome, Refused, Sent, Unknown

BUSY = Refused("E_RATE_LIMIT_EXCEEDED", temporary=True)
REFUSED = Refused("E_DELIVERY_FAILED", temporary=False)
HOUR = 3_600_000


class Database(SqliteDatabase):
    """Loses the answers of the batches numbered in ``lost``, which count from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self.lost: set[int] = set()

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        self.batches += 1
        number = self.batches
        answer = await super().batch(statements, repeatable=repeatable)
        if number in self.lost:
            raise DatabaseUnavailable
        return answer


class Provider:
    """Takes every mail, but for those of whose subject ``outcomes`` knows better."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.outcomes: dict[str, Outcome | Exception] = {}
        self.together = 1  # as many calls must be made before the first is answered
        self._all_here = asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        self.mails.append(message)
        if len(self.mails) >= self.together:
            self._all_here.set()
        await asyncio.wait_for(self._all_here.wait(), 5)
        outcome = self.outcomes.get(message.subject, Sent(f"<{message.subject}@provider>"))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Alarm:
    """Writes down whom it is to wake; with ``broken`` it does not even do that."""

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, int]]] = []
        self.broken = False

    async def wake(self, alarms: list[tuple[str, int]]) -> None:
        if self.broken:
            raise OSError
        self.calls.append(alarms)

    @property
    def ids(self) -> list[str]:
        return [id for call in self.calls for id, _ in call]


class World:
    """A deployment in small, with an address that may send to a hundred recipients."""

    def __init__(self, *, queue: bool = True, rate_limit: RateLimit | None = None) -> None:
        self.database, self.provider, self.alarm = Database(), Provider(), Alarm()
        self.credential: Credential = given.address(self.database, balance=1000)
        self.rates: list[RateState] = []
        self.outlived: list[asyncio.Task[Any]] = []
        self.dispatcher = Dispatcher(
            database=self.database,
            transport=self.provider,
            alarm=self.alarm if queue else None,
            outlive=self._outlive,
            retry_hours=72,
            default_balance=0,
            batch_inline=25,
            rate_limit=rate_limit,
            brake=None,
            note_rate=self.rates.append,
        )
        self.database.batches = 0
        self.database.statements.clear()

    def _outlive(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Future[Any]":
        task = asyncio.ensure_future(work)
        self.outlived.append(task)
        return task

    async def order(self, *messages: Message, **more: Any) -> Sending | BatchAnswer:
        batch = {"batch": len(messages) > 1, **more}
        return await self.dispatcher.dispatch(Order(messages, self.credential, "r1", **batch))

    async def send(self, *messages: Message, **more: Any) -> Sending:
        sending = await self.order(*messages or (given.message(),), **more)
        assert isinstance(sending, Sending)
        return sending

    async def send_batch(self, *messages: Message, **more: Any) -> list[str | Refusal]:
        answer = await self.order(*messages, batch=True, **more)
        assert isinstance(answer, BatchAnswer)
        return list(answer.results)

    async def refused(self, *messages: Message, **more: Any) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.order(*messages, **more)
        return caught.value

    async def settle(self) -> None:
        """Wait for all that outlives its request."""
        while self.outlived:
            await self.outlived.pop()

    def make_due(self) -> None:
        self.database.query(
            "UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL"
        )

    def rows(self, *columns: str) -> list[Any]:
        rows = self.database.query(f"SELECT {', '.join(columns)} FROM messages ORDER BY id")
        return [tuple(row.values()) if len(columns) > 1 else row[columns[0]] for row in rows]

    def history(self) -> list[str]:
        sql = "SELECT kind FROM events ORDER BY message_id, sequence"
        return [row["kind"] for row in self.database.query(sql)]

    @property
    def balance(self) -> int:
        return int(self.database.value("SELECT balance FROM send_balances"))


@pytest.fixture(autouse=True)
def ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's Python makes UUIDs of version 7, that of the host does not yet."""
    numbers = itertools.count()

    def uuid7() -> uuid.UUID:
        return uuid.UUID(given.message_id(now(), next(numbers)))

    monkeypatch.setattr(uuid, "uuid7", uuid7, raising=False)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for."""
    monkeypatch.setattr(delivery, "_CONFIRM_LATER_SECONDS", (0, 0, 0))
    monkeypatch.setattr(rehearsal, "ANSWER_SECONDS", 0)
    monkeypatch.setattr(rehearsal, "_LATE_SECONDS", 0)


def mails(count: int, first: int = 0, **fields: Any) -> list[Message]:
    """As many messages, with their numbers as subjects."""
    return [given.message(subject=str(number), **fields) for number in range(first, first + count)]


def test_a_send_is_two_batches_and_one_call() -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(subject="s"))
        assert sending == Sending(sending.id, "sent", "<s@provider>", 200, None)
        assert (world.database.batches, len(world.provider.mails)) == (2, 1)
        assert world.rows("id", "status", "request_id") == [(sending.id, "sent", "r1")]
        await world.settle()
        assert world.alarm.calls == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("outcome", "status", "answer_status", "answer_code"),
    [
        (REFUSED, "failed", 502, "E_DELIVERY_FAILED"),
        (BUSY, "queued", 202, None),
        (Unknown(), "unknown", 502, "outcome_unknown"),
        (ValueError(), "unknown", 502, "outcome_unknown"),
    ],
    ids=["refused", "busy", "unknown", "a bug"],
)
def test_the_client_is_told_what_is_known(
    outcome: Outcome | Exception, status: Status, answer_status: int, answer_code: str | None
) -> None:
    async def scenario() -> None:
        world = World()
        world.provider.outcomes["Hello"] = outcome
        sending = await world.send()
        assert sending == Sending(sending.id, status, None, answer_status, answer_code)
        kept = world.rows("status", "answer_status", "answer_code")
        assert kept == [(status, answer_status, answer_code)]
        await world.settle()
        assert world.alarm.ids == ([sending.id] if outcome is BUSY else [])

    asyncio.run(scenario())


# Batches


def test_the_first_of_a_batch_are_sent_at_once_and_the_rest_is_queued() -> None:
    async def scenario() -> None:
        world = World()
        world.provider.together = 25  # none is answered before all are called
        results = await world.send_batch(*mails(30))
        assert (world.database.batches, len(world.provider.mails)) == (2, 25)
        assert results == world.rows("id")
        assert world.rows("status") == ["sent"] * 25 + ["queued"] * 5
        await world.settle()
        assert world.alarm.calls == [[(id, 0) for id in results[25:]]]
        for id in world.alarm.ids:
            await world.dispatcher.attempt_due([id])
        assert world.rows("status", "attempt") == [("sent", 1)] * 30
        assert Counter(mail.subject for mail in world.provider.mails).most_common(1)[0][1] == 1
        assert world.balance == 970

    asyncio.run(scenario())


def test_without_a_queue_a_longer_batch_is_refused() -> None:
    async def scenario() -> None:
        world = World(queue=False)
        before = world.database.dump()
        refusal = await world.refused(*mails(26))
        assert (type(refusal), refusal.code) == (BadRequest, "batch_too_long")
        assert (refusal.values, world.database.dump()) == ({"limit": 25}, before)
        # What is scheduled is not sent at once.
        await world.send_batch(*mails(25), *mails(5, 25, scheduled_at=now() + HOUR))
        assert world.rows("status") == ["sent"] * 25 + ["scheduled"] * 5

    asyncio.run(scenario())


def test_each_message_of_a_batch_ends_in_its_own_way() -> None:
    async def scenario() -> None:
        world = World()
        outcomes: list[Outcome | Exception] = [REFUSED, BUSY, Unknown(), ValueError()]
        world.provider.outcomes = {str(n): outcome for n, outcome in enumerate(outcomes)}
        results = await world.send_batch(*mails(5))
        assert world.rows("status") == ["failed", "queued", "unknown", "unknown", "sent"]
        assert results == world.rows("id")
        assert (world.database.batches, world.balance) == (2, 996)
        await world.settle()
        assert world.alarm.ids == results[1:2]

    asyncio.run(scenario())


def test_without_permissive_the_first_refusal_is_that_of_the_batch() -> None:
    async def scenario() -> None:
        world = World()
        given.suppressed(world.database, "b@example.org")
        before = world.database.dump()
        batch = [given.message(to) for to in ("a@example.org", "b@example.org")]
        refusal = await world.refused(*batch)
        assert (refusal.code, world.provider.mails) == ("recipient_suppressed", [])
        assert world.database.dump() == before

    asyncio.run(scenario())


def test_with_permissive_the_others_are_sent() -> None:
    async def scenario() -> None:
        world = World()
        given.suppressed(world.database, "b@example.org")
        batch = [given.message(to) for to in ("a@example.org", "b@example.org", "c@example.org")]
        first, second, third = await world.send_batch(*batch, permissive=True)
        assert isinstance(second, BadRequest)
        assert world.rows("id", "status") == [(first, "sent"), (third, "sent")]
        assert len(world.provider.mails) == 2

    asyncio.run(scenario())


def test_a_permissive_batch_is_refused_whole_where_the_credential_does_not_hold() -> None:
    async def scenario() -> None:
        world = World()
        world.database.query("UPDATE addresses SET credential_version = 1")
        refusal = await world.refused(*mails(2), permissive=True)
        assert isinstance(refusal, Unauthorized)

    asyncio.run(scenario())


def test_a_batch_is_replayed() -> None:
    async def scenario() -> None:
        world = World()
        key = {"idempotency_key": "k", "request_digest": "d"}
        results = await world.send_batch(*mails(30), **key)
        again = await world.order(*mails(30), **key)
        assert again == BatchAnswer(tuple(results), replayed=True)
        assert (len(world.provider.mails), world.balance) == (25, 970)

    asyncio.run(scenario())


def test_a_batch_of_one_is_answered_as_a_batch() -> None:
    async def scenario() -> None:
        world = World()
        assert await world.send_batch(given.message()) == world.rows("id")

    asyncio.run(scenario())


def test_the_largest_batch_fits_into_the_subrequests_of_one_request() -> None:
    async def scenario() -> None:
        world = World(rate_limit=RateLimit(quota=100, seconds=60))
        # As many parts as ten megabytes can have, and news of every kind.
        bodies = {"text": "t" * 65_537, "html": "h"}
        batch = [*mails(50, html="h" * 65_537, text="t" * 65_537), *mails(50, 50, **bodies)]
        outcomes: Iterator[Outcome] = itertools.cycle([REFUSED, BUSY, Unknown()])
        world.provider.outcomes = {mail.subject: next(outcomes) for mail in batch[:24]}
        await world.send_batch(*batch, idempotency_key="k", request_digest="d")
        await world.settle()
        assert world.rows("status").count("queued") == 75 + 8
        used = len(world.database.statements) + len(world.provider.mails) + len(world.alarm.calls)
        assert used <= MAX_SUBREQUESTS

    asyncio.run(scenario())


@pytest.mark.parametrize("to", ["you@example.org", "complained@test.invalid"])
def test_four_messages_that_are_woken_fit_into_one_request(to: str) -> None:
    async def scenario() -> None:
        world = World()
        later = now() + HOUR
        batch = [given.message(to, subject=str(n), scheduled_at=later) for n in range(4)]
        results = await world.send_batch(*batch)
        world.make_due()
        world.provider.outcomes = {"0": BUSY, "1": REFUSED, "2": BUSY, "3": REFUSED}
        world.database.statements.clear()
        world.alarm.calls.clear()
        await world.dispatcher.attempt_due([str(id) for id in results])
        await world.settle()
        assert "scheduled" not in world.rows("status")
        used = len(world.database.statements) + len(world.provider.mails) + len(world.alarm.calls)
        assert used <= MAX_SUBREQUESTS

    asyncio.run(scenario())


# Schedules


def test_a_scheduled_message_waits() -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(scheduled_at=now() + HOUR))
        assert sending == Sending(sending.id, "scheduled", None, 202, None)
        await world.settle()
        assert (world.provider.mails, world.alarm.calls) == ([], [])  # the sweep will wake it
        await world.dispatcher.attempt_due([sending.id])
        assert world.provider.mails == []
        world.make_due()
        await world.dispatcher.attempt_due([sending.id])
        await world.dispatcher.attempt_due([sending.id])
        assert world.rows("status", "attempt") == [("sent", 1)]
        assert len(world.provider.mails) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("seconds", "woken"), [(5, True), (119, True), (180, False)])
def test_what_is_due_before_the_next_sweeps_is_woken_at_its_time(seconds: int, woken: bool) -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(scheduled_at=now() + seconds * 1000))
        await world.settle()
        assert world.alarm.ids == ([sending.id] if woken else [])
        for _, delay in itertools.chain(*world.alarm.calls):
            assert seconds - 1 <= delay <= seconds

    asyncio.run(scenario())


def test_a_time_that_has_just_passed_is_at_once() -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(scheduled_at=now() - 1000))
        assert (sending.status, sending.answer_status) == ("sent", 200)
        assert world.rows("status", "scheduled_at") == [("sent", None)]

    asyncio.run(scenario())


def test_attachments_of_a_scheduled_message_are_sent_with_it() -> None:
    async def scenario() -> None:
        world = World()
        file = given.file(b"\0\xff", content_id="logo")
        later = given.message(scheduled_at=now() + HOUR, attachments=(file,))
        sending = await world.send(later)
        world.make_due()
        await world.dispatcher.attempt_due([sending.id])
        (mail,) = world.provider.mails
        assert mail.attachments == (file,)

    asyncio.run(scenario())


def test_attachments_of_a_deferred_message_are_sent_with_it() -> None:
    async def scenario() -> None:
        world = World()
        file = given.file(b"\0\xff")
        world.provider.outcomes["Hello"] = BUSY
        sending = await world.send(given.message(attachments=(file,)))
        for _ in range(2):
            world.make_due()
            await world.dispatcher.attempt_due([sending.id])
        assert [mail.attachments for mail in world.provider.mails] == [(file,)] * 3

    asyncio.run(scenario())


def test_late_answers_of_a_batch_are_written_together() -> None:
    async def scenario() -> None:
        world = World()

        async def late(number: int) -> Outcome:
            await asyncio.sleep(0.01)
            return REFUSED if number % 5 == 0 else Sent(f"<{number}@provider>")

        for number in range(25):
            world.provider.outcomes[str(number)] = Unknown(late=late(number))
        await world.send_batch(*mails(25))
        assert world.rows("status") == ["unknown"] * 25
        world.database.batches = 0
        world.database.statements.clear()
        await world.settle()
        assert Counter(world.rows("status")) == {"sent": 20, "failed": 5}
        assert world.balance == 1000 - 20
        assert len(world.database.statements) < 20

    asyncio.run(scenario())


def test_a_late_answer_that_breaks_says_nothing() -> None:
    async def scenario() -> None:
        world = World()

        async def late() -> Outcome:
            raise RuntimeError

        world.provider.outcomes["Hello"] = Unknown(late=late())
        await world.send()
        await world.settle()
        assert world.rows("status") == ["unknown"]

    asyncio.run(scenario())


def test_a_scheduled_message_is_tried_from_its_time_on() -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(scheduled_at=now() + 5 * 24 * HOUR))
        world.provider.outcomes["Hello"] = BUSY
        # Five days later, when it is due.
        world.database.query(
            "UPDATE messages SET accepted_at = accepted_at - 432000000,"
            " scheduled_at = scheduled_at - 432000000, next_attempt_at = 1"
        )
        await world.dispatcher.attempt_due([sending.id])
        assert world.rows("status") == ["queued"]

    asyncio.run(scenario())


# Without a queue


def test_a_single_message_that_is_refused_for_now_may_be_sent_again() -> None:
    async def scenario() -> None:
        world = World(queue=False)
        world.provider.outcomes["Hello"] = BUSY
        key = {"idempotency_key": "k", "request_digest": "d"}
        refusal = await world.refused(given.message(), **key)
        assert (type(refusal), refusal.code) == (Unavailable, "E_RATE_LIMIT_EXCEEDED")
        assert (world.rows("status"), world.balance) == (["failed"], 1000)
        del world.provider.outcomes["Hello"]
        assert (await world.send(**key)).answer_status == 200

    asyncio.run(scenario())


def test_of_a_batch_it_has_failed() -> None:
    async def scenario() -> None:
        world = World(queue=False)
        world.provider.outcomes["0"] = BUSY
        key = {"idempotency_key": "k", "request_digest": "d"}
        results = await world.send_batch(*mails(2), **key)
        assert world.rows("status") == ["failed", "sent"]
        assert await world.order(*mails(2), **key) == BatchAnswer(tuple(results), replayed=True)

    asyncio.run(scenario())


def test_a_scheduled_message_is_tried_again_as_the_sweep_wakes_it() -> None:
    async def scenario() -> None:
        world = World(queue=False)
        world.provider.outcomes["Hello"] = BUSY
        sending = await world.send(given.message(scheduled_at=now() + HOUR))
        world.make_due()
        await world.dispatcher.attempt_due([sending.id])
        assert (world.rows("status"), world.balance) == (["queued"], 999)
        del world.provider.outcomes["Hello"]
        world.make_due()
        await world.dispatcher.attempt_due([sending.id])
        assert world.history() == ["deferred", "sent"]

    asyncio.run(scenario())


# Test recipients


@pytest.mark.parametrize(
    ("word", "status", "history"),
    [
        ("delivered", "sent", ["sent", "delivered"]),
        ("delivered+tag", "sent", ["sent", "delivered"]),
        ("bounced", "sent", ["sent", "bounced"]),
        ("complained", "sent", ["sent", "delivered", "complained"]),
        ("suppressed", "failed", ["failed"]),
        ("ratelimited", "queued", ["deferred"]),
        ("slow", "unknown", ["unknown", "sent", "delivered"]),
    ],
)
def test_test_recipients_show_each_outcome(word: str, status: str, history: list[str]) -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message(f"{word}@test.invalid"))
        assert sending.status == status
        await world.settle()
        assert world.history() == history
        assert (world.provider.mails, world.balance) == ([], 1000)
        assert world.database.dump()["daily_recipients"] == []

    asyncio.run(scenario())


def test_a_test_message_that_is_rate_limited_is_taken_at_the_second_attempt() -> None:
    async def scenario() -> None:
        world = World()
        sending = await world.send(given.message("ratelimited@test.invalid"))
        world.make_due()
        await world.dispatcher.attempt_due([sending.id])
        await world.settle()
        assert world.history() == ["deferred", "sent", "delivered"]
        assert world.provider.mails == []

    asyncio.run(scenario())


# The rate limit


def test_the_rate_is_noted_also_when_it_refuses() -> None:
    async def scenario() -> None:
        world = World(rate_limit=RateLimit(quota=1, seconds=60))
        await world.send()
        assert isinstance(await world.refused(given.message()), TooManyRequests)
        remaining = [rate.remaining for rate in world.rates]
        assert remaining == [0, 0]

    asyncio.run(scenario())


# Where the database does not answer


KEY = {"idempotency_key": "k", "request_digest": "d"}
Messages = Callable[[], list[Message]]
ORDERS: dict[str, Messages] = {
    "a message": lambda: mails(1),
    "a scheduled message": lambda: mails(1, scheduled_at=now() + HOUR),
    "a batch": lambda: [*mails(30), *mails(1, 30, scheduled_at=now() + HOUR)],
}


@pytest.mark.parametrize("messages", ORDERS.values(), ids=[*ORDERS])
def test_a_reservation_without_an_answer_is_undone(messages: Messages) -> None:
    async def scenario() -> None:
        world = World()
        world.database.lost = {1, 2}  # the first try to undo it is lost as well
        with pytest.raises(DatabaseUnavailable):
            await world.order(*messages(), **KEY)
        assert world.balance < 1000
        await world.settle()
        assert (world.provider.mails, world.balance, world.alarm.calls) == ([], 1000, [])
        assert set(world.rows("status")) <= {"failed", "cancelled"}
        # And the same request may be made again.
        count = len(world.rows("id"))
        answer = await world.order(*messages(), **KEY)
        assert not answer.replayed
        assert len(world.rows("id")) == 2 * count

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["a scheduled message", "a batch"])
def test_a_reservation_that_a_client_was_told_of_is_not_undone(kind: str) -> None:
    async def scenario() -> None:
        world = World()
        world.database.lost = {1}
        with pytest.raises(DatabaseUnavailable):
            await world.order(*ORDERS[kind](), **KEY)
        answer = await world.order(*ORDERS[kind](), **KEY)
        assert answer.replayed
        before = world.database.dump()
        await world.settle()
        assert world.database.dump() == before
        assert "cancelled" not in world.rows("status")

    asyncio.run(scenario())


def test_a_reservation_of_which_a_message_is_on_its_way_is_not_undone() -> None:
    async def scenario() -> None:
        world = World()
        world.database.lost = {1}
        with pytest.raises(DatabaseUnavailable):
            await world.order(*mails(30), **KEY)
        queued = world.rows("id")[-1]
        world.provider.together = 2  # the provider has not answered when it is to be undone
        attempt = asyncio.ensure_future(world.dispatcher.attempt_due([queued]))
        while not world.provider.mails:
            await asyncio.sleep(0)
        await world.outlived.pop(0)
        answer = await world.order(*mails(30), **KEY)
        assert answer.replayed  # so nothing is sent twice
        world.provider.together = 1
        await world.provider.send(given.message())
        await attempt
        assert world.rows("status").count("sent") == 1

    asyncio.run(scenario())


def test_what_is_known_is_said_when_the_database_does_not_take_it_and_written_later() -> None:
    async def scenario() -> None:
        world = World()
        world.provider.outcomes = {"1": REFUSED, "2": BUSY}
        world.database.lost = {2}
        results = await world.send_batch(*mails(3))
        await world.settle()
        assert world.rows("status") == ["sent", "failed", "queued"]
        assert (world.alarm.ids, world.balance) == (results[2:], 998)

    asyncio.run(scenario())


def test_a_broken_queue_loses_nothing() -> None:
    async def scenario() -> None:
        world = World()
        world.alarm.broken = True
        results = await world.send_batch(*mails(26))
        await world.settle()
        assert results == world.rows("id")
        assert world.rows("status")[-1] == "queued"

    asyncio.run(scenario())
