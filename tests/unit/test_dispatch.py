"""Dispatch: messages sent at once, waiting messages, results for callers, and faults."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from accounts.credentials import Credential
from accounts.sending_limits import RateLimit, RateState
from clock import now
from errors import ApiError, BadRequest, TooManyRequests, Unauthorized, Unavailable
from mail.lifecycle import ReportedAs, Status
from mail.message import Message
from mail.submission import Submission, SubmissionResult
from sending import dispatcher
from sending.dispatcher import Dispatcher
from services import Clock
from store.database import DatabaseUnavailable, Row, Statement
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.sqlite_database import SqliteDatabase
from transport import sandbox
from transport.outcome import Outcome, Rejected, Sent, Unknown

BUSY = Rejected("throttled", "E_RATE_LIMIT_EXCEEDED", transient=True)
SUPPRESSED = Rejected("recipient_suppressed", "E_RECIPIENT_SUPPRESSED")
REJECTED = Rejected("recipient_rejected", "E_DELIVERY_FAILED")
HOUR = 3_600_000


class Database(SqliteDatabase):
    """Loses the responses of the batches in ``lost``; the first batch has the number 1."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self.lost: set[int] = set()

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        self.batches += 1
        number = self.batches
        response = await super().batch(statements, repeatable=repeatable)
        if number in self.lost:
            raise DatabaseUnavailable
        return response


class Provider:
    """Accepts every mail, except those whose subject has another outcome in ``outcomes``."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.outcomes: dict[str, Outcome | Exception] = {}
        self.together = 1  # calls return when this many have begun
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


class WakeupQueue:
    """Stores the arguments of ``enqueue``."""

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, int]]] = []

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        self.calls.append(due)

    @property
    def ids(self) -> list[str]:
        return [id for call in self.calls for id, _ in call]


class World:
    """A small deployment with an address that may send to a thousand recipients."""

    def __init__(
        self,
        *,
        queue: bool = True,
        rate_limit: RateLimit | None = None,
        subrequests: int = 10_000,
        clock: Clock = now,
    ) -> None:
        self.database, self.provider, self.wakeup_queue = Database(), Provider(), WakeupQueue()
        self.credential: Credential = given.address(self.database, balance=1000)
        self.rates: list[RateState] = []
        self.in_background: list[asyncio.Task[Any]] = []
        self._options: dict[str, Any] = {
            "transport": self.provider,
            "wakeup_queue": self.wakeup_queue if queue else None,
            "waiting": AsyncioWaiting(self._start),
            "clock": clock,
            "rate_limit": rate_limit,
            "subrequests": subrequests,
        }
        self.begin_invocation()

    def begin_invocation(self) -> None:
        """Reset the counts, and create the dispatcher of a new invocation."""
        self.services = given.services(self.database, **self._options)
        self.dispatcher = Dispatcher(self.services, self.rates.append)
        self.database.batches = 0
        self.database.statements.clear()
        self.wakeup_queue.calls.clear()
        self._mails_before = len(self.provider.mails)

    @property
    def subrequests(self) -> int:
        """The number of subrequests of the invocation so far, as the ports have counted them."""
        calls = len(self.provider.mails) - self._mails_before + len(self.wakeup_queue.calls)
        return len(self.database.statements) + calls

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        self.in_background.append(asyncio.ensure_future(work))

    async def submit(self, *messages: Message, **more: Any) -> list[SubmissionResult]:
        """Submit ``messages``; several messages are a batch."""
        fields: dict[str, Any] = {"reports": "acceptance" if len(messages) > 1 else "outcome"}
        submission = Submission(
            messages=messages, credential=self.credential, request_id="r1", **{**fields, **more}
        )
        results = await self.dispatcher.dispatch(submission)
        assert isinstance(results, list)
        assert len(results) == len(messages)
        return results

    async def send(self, message: Message | None = None, **more: Any) -> SubmissionResult:
        (result,) = await self.submit(message or given.message(), **more)
        return result

    async def send_batch(self, *messages: Message, **more: Any) -> list[str | ApiError]:
        """Submit a batch; return for each message its id, or its error if it was rejected."""
        results = await self.submit(*messages, reports="acceptance", **more)
        assert [result for result in results if result.replayed] == []
        assert [result for result in results if bool(result.id) == bool(result.error)] == []
        return [result.error or result.id for result in results]

    async def rejected(self, *messages: Message, **more: Any) -> ApiError:
        with pytest.raises(ApiError) as caught:
            await self.submit(*messages, **more)
        return caught.value

    async def settle(self) -> None:
        """Wait for the tasks in the background."""
        while self.in_background:
            await self.in_background.pop()

    def make_due(self) -> None:
        self.database.query(
            "UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL"
        )

    def rows(self, *columns: str) -> list[Any]:
        rows = self.database.query(f"SELECT {', '.join(columns)} FROM messages ORDER BY id")
        return [tuple(row.values()) if len(columns) > 1 else row[columns[0]] for row in rows]

    def history(self) -> list[str]:
        events = self.database.query("SELECT kind FROM events ORDER BY message_id, sequence")
        delivery = self.database.query(
            "SELECT kind FROM delivery_events ORDER BY message_id, kind DESC"
        )
        return [row["kind"] for row in (*events, *delivery)]

    @property
    def balance(self) -> int:
        return int(self.database.value("SELECT balance FROM send_balances"))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def without_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all delays."""
    monkeypatch.setattr(dispatcher, "_RECORD_LATER_SECONDS", (0, 0, 0))
    monkeypatch.setattr(sandbox, "RESPONSE_SECONDS", 0)
    monkeypatch.setattr(sandbox, "_LATE_SECONDS", 0)


KEY: dict[str, Any] = {"idempotency_key": "k", "request_digest": "d"}


def replayed(ids: list[str | ApiError]) -> list[SubmissionResult]:
    """The results of a repeated batch whose messages were all accepted."""
    return [SubmissionResult(id=str(id), replayed=True) for id in ids]


def mails(count: int, first: int = 0, **fields: Any) -> list[Message]:
    """``count`` messages with their numbers as subjects."""
    return [given.message(subject=str(number), **fields) for number in range(first, first + count)]


async def test_a_send_is_two_batches_and_one_call(world: World) -> None:
    result = await world.send(given.message(subject="s"))
    assert result == SubmissionResult(
        id=result.id, status="sent", reported_as="sent", provider_message_id="<s@provider>"
    )
    assert (world.database.batches, len(world.provider.mails)) == (2, 1)
    assert world.rows("id", "status", "request_id") == [(result.id, "sent", "r1")]
    await world.settle()
    assert world.wakeup_queue.calls == []


@pytest.mark.parametrize(
    ("outcome", "status", "reported_as", "code"),
    [
        (REJECTED, "failed", "failed", "E_DELIVERY_FAILED"),
        (BUSY, "queued", "queued", None),
        (Unknown(), "unknown", "unknown", "outcome_unknown"),
        (ValueError(), "unknown", "unknown", "outcome_unknown"),
    ],
    ids=["rejected", "busy", "unknown", "a bug"],
)
async def test_a_repeated_request_returns_the_known_status(
    world: World,
    outcome: Outcome | Exception,
    status: Status,
    reported_as: ReportedAs,
    code: str | None,
) -> None:
    world.provider.outcomes["Hello"] = outcome
    result = await world.send(**KEY)
    assert result == SubmissionResult(
        id=result.id, status=status, reported_as=reported_as, code=code
    )
    provider_code = outcome.provider_code if isinstance(outcome, Rejected) else None
    kept = world.rows("status", "reported_as", "provider_code")
    assert kept == [(status, reported_as, provider_code)]
    assert await world.send(**KEY) == replace(result, replayed=True)
    assert len(world.provider.mails) == 1
    await world.settle()
    assert world.wakeup_queue.ids == ([result.id] if outcome is BUSY else [])


# Batches


async def test_the_first_messages_of_a_batch_are_sent_at_once_and_the_rest_is_queued(
    world: World,
) -> None:
    world.provider.together = 25  # all 25 calls are concurrent
    results = await world.send_batch(*mails(30))
    assert (world.database.batches, len(world.provider.mails)) == (2, 25)
    assert results == world.rows("id")
    assert world.rows("status") == ["sent"] * 25 + ["queued"] * 5
    await world.settle()
    assert world.wakeup_queue.calls == [[(id, 0) for id in results[25:]]]
    for id in world.wakeup_queue.ids:
        await world.dispatcher.attempt_due([id])
    assert world.rows("status", "attempt") == [("sent", 1)] * 30
    assert Counter(mail.subject for mail in world.provider.mails).most_common(1)[0][1] == 1
    assert world.balance == 970


async def test_without_a_queue_a_longer_batch_is_rejected() -> None:
    world = World(queue=False)
    before = world.database.dump()
    error = await world.rejected(*mails(26))
    assert (type(error), error.code) == (BadRequest, "batch_too_long")
    assert (error.values, world.database.dump()) == ({"limit": 25}, before)
    # A scheduled message is not sent at once.
    await world.send_batch(*mails(25), *mails(5, 25, scheduled_at=now() + HOUR))
    assert world.rows("status") == ["sent"] * 25 + ["scheduled"] * 5


async def test_each_message_of_a_batch_has_its_own_outcome(world: World) -> None:
    outcomes: list[Outcome | Exception] = [REJECTED, BUSY, Unknown(), ValueError()]
    world.provider.outcomes = {str(n): outcome for n, outcome in enumerate(outcomes)}
    results = await world.send_batch(*mails(5))
    assert world.rows("status") == ["failed", "queued", "unknown", "unknown", "sent"]
    assert results == world.rows("id")
    assert (world.database.batches, world.balance) == (2, 996)
    await world.settle()
    assert world.wakeup_queue.ids == results[1:2]


async def test_a_strict_batch_returns_its_first_error(world: World) -> None:
    given.suppressed(world.database, "b@example.org")
    before = world.database.dump()
    batch = [given.message(to) for to in ("a@example.org", "b@example.org")]
    error = await world.rejected(*batch)
    assert (error.code, world.provider.mails) == ("recipient_suppressed", [])
    assert world.database.dump() == before


async def test_a_permissive_batch_sends_the_other_messages(world: World) -> None:
    given.suppressed(world.database, "b@example.org")
    batch = [given.message(to) for to in ("a@example.org", "b@example.org", "c@example.org")]
    first, second, third = await world.send_batch(*batch, permissive=True)
    assert isinstance(second, BadRequest)
    assert world.rows("id", "status") == [(first, "sent"), (third, "sent")]
    assert len(world.provider.mails) == 2


async def test_a_permissive_batch_with_an_invalid_credential_is_rejected_as_a_whole(
    world: World,
) -> None:
    world.database.query("UPDATE addresses SET credential_version = 1")
    error = await world.rejected(*mails(2), permissive=True)
    assert isinstance(error, Unauthorized)


async def test_a_batch_is_replayed(world: World) -> None:
    results = await world.send_batch(*mails(30), **KEY)
    again = await world.submit(*mails(30), **KEY)
    assert again == replayed(results)
    assert (len(world.provider.mails), world.balance) == (25, 970)


async def test_a_batch_of_one_reports_its_acceptance(world: World) -> None:
    assert await world.send_batch(given.message()) == world.rows("id")


# The subrequests of one invocation


async def test_the_largest_batch_fits_into_the_subrequests_of_one_request() -> None:
    world = World(rate_limit=RateLimit(quota=100, seconds=60), subrequests=50)
    # Bodies with as many parts as ten megabytes can have, and outcomes of every kind.
    bodies = {"text": "t" * 65_537, "html": "h"}
    batch = [*mails(50, html="h" * 65_537, text="t" * 65_537), *mails(50, 50, **bodies)]
    late: list[asyncio.Future[Outcome]] = [asyncio.Future() for _ in range(25)]
    for number, response in enumerate(late):
        outcome = (SUPPRESSED, BUSY, Unknown(late=response))[number % 3]
        world.provider.outcomes[str(number)] = outcome
    await world.send_batch(*batch, idempotency_key="k", request_digest="d")
    for response in late:
        response.set_result(SUPPRESSED)
    await world.settle()
    tried = len(world.provider.mails)
    assert tried > 10
    assert world.rows("status").count("queued") == 100 - tried + len(range(1, tried, 3))
    assert "unknown" not in world.rows("status")
    assert world.subrequests <= 50


@pytest.mark.parametrize("to", ["you@example.org", "complained@test.invalid"])
async def test_four_messages_of_a_queue_batch_fit_into_one_invocation(to: str) -> None:
    world = World(subrequests=50)
    later = now() + HOUR
    batch = [given.message(to, subject=str(n), scheduled_at=later) for n in range(4)]
    results = await world.send_batch(*batch)
    world.make_due()
    world.provider.outcomes = {"0": BUSY, "1": SUPPRESSED, "2": BUSY, "3": SUPPRESSED}
    world.begin_invocation()
    await world.dispatcher.attempt_due([str(id) for id in results])
    await world.settle()
    assert "scheduled" not in world.rows("status")
    assert world.subrequests <= 50


async def test_a_worker_holds_only_as_many_messages_as_fit_into_its_memory(world: World) -> None:
    later = now() + HOUR
    results = await world.send_batch(*mails(5, scheduled_at=later))
    world.make_due()
    # A Worker can hold two messages of this size at a time, but not three.
    world.database.query("UPDATE messages SET size = 750000")
    held: list[int] = []
    send = world.provider.send

    async def count(message: Message) -> Outcome:
        held.append(world.rows("status").count("sending"))
        return await send(message)

    world.provider.send = count  # type: ignore[method-assign]
    await world.dispatcher.attempt_due([str(id) for id in results])
    assert world.rows("status") == ["sent"] * 5
    assert held == [2, 2, 2, 2, 1]


# Schedules


async def test_a_scheduled_message_waits(world: World) -> None:
    result = await world.send(given.message(scheduled_at=now() + HOUR))
    assert result == SubmissionResult(id=result.id, status="scheduled", reported_as="queued")
    await world.settle()
    # A scheduled message is not enqueued: the cron will do that.
    assert (world.provider.mails, world.wakeup_queue.calls) == ([], [])
    await world.dispatcher.attempt_due([result.id])
    assert world.provider.mails == []
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    await world.dispatcher.attempt_due([result.id])
    assert world.rows("status", "attempt") == [("sent", 1)]
    assert len(world.provider.mails) == 1


@pytest.mark.parametrize(("seconds", "enqueued"), [(5, True), (119, True), (180, False)])
async def test_messages_due_before_the_next_runs_of_the_cron_are_enqueued_with_their_delays(
    world: World, seconds: int, enqueued: bool
) -> None:
    result = await world.send(given.message(scheduled_at=now() + seconds * 1000))
    await world.settle()
    assert world.wakeup_queue.ids == ([result.id] if enqueued else [])
    for _, delay in itertools.chain(*world.wakeup_queue.calls):
        assert seconds - 1 <= delay <= seconds


async def test_a_message_with_a_just_past_schedule_is_sent_at_once(world: World) -> None:
    result = await world.send(given.message(scheduled_at=now() - 1000))
    assert (result.status, result.reported_as) == ("sent", "sent")
    assert world.rows("status", "scheduled_at") == [("sent", None)]


async def test_attachments_of_a_scheduled_message_are_sent_with_it(world: World) -> None:
    file = given.file(b"\0\xff", content_id="logo")
    later = given.message(scheduled_at=now() + HOUR, attachments=(file,))
    result = await world.send(later)
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    (mail,) = world.provider.mails
    assert mail.attachments == (file,)


async def test_attachments_of_a_deferred_message_are_sent_with_it(world: World) -> None:
    file = given.file(b"\0\xff")
    world.provider.outcomes["Hello"] = BUSY
    result = await world.send(given.message(attachments=(file,)))
    for _ in range(2):
        world.make_due()
        await world.dispatcher.attempt_due([result.id])
    assert [mail.attachments for mail in world.provider.mails] == [(file,)] * 3


@pytest.mark.parametrize("outcome", [Sent("<id@provider>"), REJECTED, Unknown()])
async def test_attachments_of_a_message_that_is_not_attempted_again_are_not_stored(
    world: World, outcome: Outcome
) -> None:
    world.provider.outcomes["Hello"] = outcome
    await world.send(given.message(attachments=(given.file(),)))
    assert [one for one in world.database.statements if "INTO attachment_parts" in one.sql] == []


async def test_a_message_that_the_sweep_has_ended_is_not_enqueued(world: World) -> None:
    world.provider.outcomes["Hello"] = BUSY
    send = world.provider.send

    async def swept(message: Message) -> Outcome:
        world.database.query(
            "UPDATE messages SET status = 'unknown', lease_until = NULL, finished_at = 1"
        )
        return await send(message)

    world.provider.send = swept  # type: ignore[method-assign]
    assert (await world.send()).status == "failed"
    await world.settle()
    assert world.wakeup_queue.calls == []


async def test_late_responses_of_a_batch_are_recorded_together(world: World) -> None:

    async def late(number: int) -> Outcome:
        await asyncio.sleep(0.01)
        return REJECTED if number % 5 == 0 else Sent(f"<{number}@provider>")

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


async def test_a_late_response_that_raises_changes_nothing(world: World) -> None:

    async def late() -> Outcome:
        raise RuntimeError

    world.provider.outcomes["Hello"] = Unknown(late=late())
    await world.send()
    await world.settle()
    assert world.rows("status") == ["unknown"]


async def test_the_retry_period_of_a_scheduled_message_begins_at_its_schedule(world: World) -> None:
    result = await world.send(given.message(scheduled_at=now() + 5 * 24 * HOUR))
    world.provider.outcomes["Hello"] = BUSY
    # Let five days pass, until the message is due.
    world.database.query(
        "UPDATE messages SET accepted_at = accepted_at - 432000000,"
        " scheduled_at = scheduled_at - 432000000, next_attempt_at = 1"
    )
    await world.dispatcher.attempt_due([result.id])
    assert world.rows("status") == ["queued"]


# Without a queue


async def test_a_transiently_rejected_single_message_may_be_submitted_again() -> None:
    world = World(queue=False)
    world.provider.outcomes["Hello"] = BUSY
    error = await world.rejected(given.message(), **KEY)
    assert (type(error), error.code) == (Unavailable, "E_RATE_LIMIT_EXCEEDED")
    assert error.headers["Retry-After"] == "30"
    assert (world.rows("status"), world.balance) == (["failed"], 1000)
    del world.provider.outcomes["Hello"]
    assert (await world.send(**KEY)).reported_as == "sent"


async def test_a_transiently_rejected_message_of_a_batch_has_failed() -> None:
    world = World(queue=False)
    world.provider.outcomes["0"] = BUSY
    results = await world.send_batch(*mails(2), **KEY)
    assert world.rows("status") == ["failed", "sent"]
    assert await world.submit(*mails(2), **KEY) == replayed(results)


async def test_a_scheduled_message_is_attempted_again_by_the_cron() -> None:
    world = World(queue=False)
    world.provider.outcomes["Hello"] = BUSY
    result = await world.send(given.message(scheduled_at=now() + HOUR))
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    assert (world.rows("status"), world.balance) == (["queued"], 999)
    del world.provider.outcomes["Hello"]
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    assert world.history() == ["deferred", "sent"]


# Sandbox recipients


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
async def test_sandbox_recipients_show_each_outcome(
    world: World, word: str, status: str, history: list[str]
) -> None:
    result = await world.send(given.message(f"{word}@test.invalid"))
    assert result.status == status
    await world.settle()
    assert world.history() == history
    assert (world.provider.mails, world.balance) == ([], 1000)
    assert world.database.dump()["daily_recipients"] == []


async def test_a_rate_limited_sandbox_message_is_accepted_at_the_second_attempt(
    world: World,
) -> None:
    result = await world.send(given.message("ratelimited@test.invalid"))
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    await world.settle()
    assert world.history() == ["deferred", "sent", "delivered"]
    assert world.provider.mails == []


# The rate limit


async def test_the_rate_state_is_reported_even_when_the_limit_is_exceeded() -> None:
    world = World(rate_limit=RateLimit(quota=1, seconds=60))
    await world.send()
    assert isinstance(await world.rejected(given.message()), TooManyRequests)
    remaining = [rate.remaining for rate in world.rates]
    assert remaining == [0, 0]


# The database does not respond


Messages = Callable[[], list[Message]]
SUBMISSIONS: dict[str, Messages] = {
    "a message": lambda: mails(1),
    "a scheduled message": lambda: mails(1, scheduled_at=now() + HOUR),
    "a batch": lambda: [*mails(30), *mails(1, 30, scheduled_at=now() + HOUR)],
}


@pytest.mark.parametrize("messages", SUBMISSIONS.values(), ids=[*SUBMISSIONS])
async def test_a_submission_without_a_response_of_reserve_is_undone(
    world: World, messages: Messages
) -> None:
    world.database.lost = {1, 2}  # the response of the first undo is lost too
    with pytest.raises(DatabaseUnavailable):
        await world.submit(*messages(), **KEY)
    assert world.balance < 1000
    await world.settle()
    assert (world.provider.mails, world.balance, world.wakeup_queue.calls) == ([], 1000, [])
    assert set(world.rows("status")) <= {"failed", "cancelled"}
    # The same request may be repeated.
    count = len(world.rows("id"))
    again = await world.submit(*messages(), **KEY)
    assert [result for result in again if result.replayed] == []
    assert len(world.rows("id")) == 2 * count


@pytest.mark.parametrize("kind", ["a scheduled message", "a batch"])
async def test_a_submission_reported_to_a_repeated_request_is_not_undone(
    world: World, kind: str
) -> None:
    world.database.lost = {1}
    with pytest.raises(DatabaseUnavailable):
        await world.submit(*SUBMISSIONS[kind](), **KEY)
    again = await world.submit(*SUBMISSIONS[kind](), **KEY)
    assert all(result.replayed for result in again)
    before = world.database.dump()
    await world.settle()
    assert world.database.dump() == before
    assert "cancelled" not in world.rows("status")


async def test_a_submission_with_a_message_being_sent_is_not_undone(world: World) -> None:
    world.database.lost = {1}
    with pytest.raises(DatabaseUnavailable):
        await world.submit(*mails(30), **KEY)
    queued = world.rows("id")[-1]
    world.provider.together = 2  # the provider has not responded when the submission is undone
    attempt = asyncio.ensure_future(world.dispatcher.attempt_due([queued]))
    while not world.provider.mails:
        await asyncio.sleep(0)
    await world.in_background.pop(0)
    again = await world.submit(*mails(30), **KEY)
    assert all(result.replayed for result in again)  # so nothing is sent twice
    world.provider.together = 1
    await world.provider.send(given.message())
    await attempt
    assert world.rows("status").count("sent") == 1


async def test_outcomes_are_reported_and_recorded_later_when_the_database_fails(
    world: World,
) -> None:
    world.provider.outcomes = {"1": REJECTED, "2": BUSY}
    world.database.lost = {2}
    results = await world.send_batch(*mails(3))
    await world.settle()
    assert world.rows("status") == ["sent", "failed", "queued"]
    assert (world.wakeup_queue.ids, world.balance) == (results[2:], 998)


async def test_nothing_is_sent_if_the_database_does_not_respond_to_a_claim(world: World) -> None:
    result = await world.send(given.message(scheduled_at=now() + HOUR))
    world.make_due()
    world.begin_invocation()
    world.database.lost = {1}
    assert await world.dispatcher.attempt_due([result.id]) == []
    assert world.provider.mails == []


async def test_a_lost_delivery_event_does_not_change_the_message(world: World) -> None:
    world.database.lost = {3}
    assert (await world.send(given.message("delivered@test.invalid"))).status == "sent"
    await world.settle()
    assert world.rows("status") == ["sent"]
