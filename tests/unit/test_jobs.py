"""The jobs of the cron: how many messages, steps and rounds one run has, and for how long."""

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from mail.message import Message
from sending import jobs
from services import Services
from store.database import Database
from store.step import Step
from subrequests import Subrequests
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase
from tests.unit.test_due import put
from transport.outcome import Outcome, Sent

MINUTE = 60_000


class Time:
    """A clock that stands still until ``now`` is changed."""

    now = NOW

    def __call__(self) -> int:
        return self.now


class Provider:
    """Accepts every mail. If ``responds_at`` is set, it is the time after the first call."""

    def __init__(self, clock: Time) -> None:
        self.subjects: list[str] = []
        self.responds_at: int | None = None
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        self.subjects.append(message.subject)
        self._clock.now = self.responds_at or self._clock.now
        return Sent("<id@provider>")


class Queue:
    """Stores what is enqueued."""

    def __init__(self) -> None:
        self.due: list[tuple[str, int]] = []

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        self.due += due


def not_in_background(work: Coroutine[Any, Any, Any]) -> Any:
    raise AssertionError("these jobs run nothing in the background")


class Site:
    """A deployment with one address, and a clock that stands still."""

    def __init__(self, *, queue: bool = True, subrequests: int = 10_000) -> None:
        self.database, self.clock, self.queue = SqliteDatabase(), Time(), Queue()
        self.me = given.address(self.database, balance=100)
        self.provider = Provider(self.clock)
        self.services: Services = given.services(
            self.database,
            transport=self.provider,
            wakeup_queue=self.queue if queue else None,
            waiting=AsyncioWaiting(not_in_background),
            clock=self.clock,
            subrequests=subrequests,
        )

    def put(self, **fields: Any) -> list[str]:
        """Insert waiting messages; ``fields`` are those of ``put`` in ``test_due``."""
        ids = put(self.database, self.me, **fields)
        self.database.query(
            "INSERT INTO deliveries (message_id, position, kind, address)"
            " SELECT id, 0, 'to', 'you@example.org' FROM messages WHERE true"
            " ON CONFLICT DO NOTHING"
        )
        return ids

    async def run(self, *steps: Step) -> Counter[str]:
        """Run the steps of a job, and return the counts of their rows."""
        counts: Counter[str] = Counter()
        until = self.clock() + 50_000
        await jobs._run_steps(list(steps), self.database, self.services, counts, until=until)
        return counts

    async def statements_of_cron(self) -> list[str]:
        """The SQL of one run of the cron."""
        self.database.statements.clear()
        await jobs.run_cron(self.services)
        return [one.sql for one in self.database.statements]


def step(
    name: str = "a", *, rows: int = 1, statements: int = 1, then: Callable[[], object] = int
) -> Step:
    """A step that always has more work, unless it handles no ``rows``. It ends with ``then()``."""

    async def run(database: Database) -> int:
        database.rows_written += 2 * rows
        then()
        return rows

    return Step(name, statements, 1, run)


# Due messages


@pytest.mark.parametrize(("subrequests", "limit"), [(1000, 1000), (1001, 5000)])
async def test_a_run_enqueues_as_many_due_messages_as_its_subrequests_allow(
    subrequests: int, limit: int
) -> None:
    site = Site(subrequests=subrequests)
    ids = site.put(count=limit + 1, at=NOW - 10_000)
    await jobs._enqueue_due(site.database, site.services, until=NOW + 40_000)
    assert site.queue.due == [(id, position // 90) for position, id in enumerate(ids[:limit])]
    assert site.provider.subjects == []


async def test_scheduled_messages_are_enqueued_with_their_delays() -> None:
    site = Site()
    for seconds in (0, 7, 60):
        site.put(status="scheduled", at=NOW + seconds * 1000)
    await jobs._enqueue_due(site.database, site.services, until=NOW + 40_000)
    assert [delay for _, delay in site.queue.due] == [0, 7, 60]


async def test_few_ids_arrive_in_the_queue_in_the_same_second() -> None:
    site = Site()
    site.put(status="scheduled", count=200, at=NOW + 7000)
    other = given.address(site.database, "b@example.com", balance=100)
    (id,) = put(site.database, other, status="scheduled", at=NOW + 7500)
    await jobs._enqueue_due(site.database, site.services, until=NOW + 40_000)
    delays = Counter(delay for _, delay in site.queue.due)
    assert delays == {7: 1, 8: 90, 9: 90, 10: 20}
    assert (id, 8) in site.queue.due


async def test_without_a_queue_the_messages_that_are_due_now_are_attempted() -> None:
    site = Site(queue=False)
    for at in (NOW - 1, NOW, NOW + 1):
        site.put(status="scheduled", at=at)
    await jobs._enqueue_due(site.database, site.services, until=NOW + 40_000)
    rows = site.database.query("SELECT status FROM messages ORDER BY next_attempt_at")
    assert [row["status"] for row in rows] == ["sent", "sent", "scheduled"]


@pytest.mark.parametrize(("milliseconds", "sent"), [(39_999, 26), (40_000, 25)])
async def test_no_attempt_begins_after_forty_seconds(milliseconds: int, sent: int) -> None:
    site = Site(queue=False)
    site.put(count=26, at=NOW - 26)
    site.provider.responds_at = NOW + milliseconds
    await jobs.run_cron(site.services)
    assert len(site.provider.subjects) == sent


# Steps


@pytest.mark.parametrize(("subrequests", "rounds"), [(1000, 3), (1001, 1000)])
async def test_a_step_with_more_work_is_repeated_as_often_as_the_subrequests_allow(
    subrequests: int, rounds: int
) -> None:
    assert (await Site(subrequests=subrequests).run(step()))["a"] == rounds


async def test_a_step_without_more_work_is_not_repeated() -> None:
    counts = await Site().run(step("full", rows=1), step("empty", rows=0))
    assert (counts["full"], counts["empty"]) == (1000, 0)
    batches = iter([5, 4, 5])

    async def run(database: Database) -> int:
        return next(batches)

    assert (await Site().run(Step("done", 1, 5, run)))["done"] == 9


async def test_the_rows_that_a_step_writes_are_counted() -> None:
    site = Site(subrequests=50)
    site.database.rows_written = 100
    assert (await site.run(step()))["a rows"] == 6


@pytest.mark.parametrize(
    ("name", "milliseconds", "rounds"),
    [
        *(("search_index.index_step", 49_999, 2), ("search_index.index_step", 50_000, 1)),
        *(("sweep.lease_step", 9_999, 2), ("sweep.lease_step", 10_000, 1)),
    ],
)
async def test_no_round_of_a_step_begins_after_its_time(
    monkeypatch: pytest.MonkeyPatch, name: str, milliseconds: int, rounds: int
) -> None:
    """A cron run may end leases for ten seconds, and clean up and index for fifty."""
    site = Site()
    ran: list[int] = []

    def pass_time() -> None:
        site.clock.now += milliseconds
        ran.append(1)

    monkeypatch.setattr(f"store.{name}", lambda now: step(then=pass_time))
    await jobs.run_cron(site.services)
    assert len(ran) == rounds


async def test_the_jobs_of_a_run_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(queue=False)
    site.put(count=26, at=NOW - 26)
    site.provider.responds_at = NOW + 39_000  # then one more attempt begins, and takes no time

    def pass_time() -> None:
        site.clock.now += 4000

    monkeypatch.setattr("store.search_index.index_step", lambda now: step(then=pass_time))
    await jobs.run_cron(site.services)
    assert len(site.provider.subjects) == 26
    assert site.clock.now == NOW + 51_000


async def test_a_late_run_still_runs_each_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(queue=False)
    site.put()
    site.provider.responds_at = NOW + 60_000
    ran: list[int] = []
    indexing = step(then=lambda: ran.append(1))
    monkeypatch.setattr("store.search_index.index_step", lambda now: indexing)
    await jobs.run_cron(site.services)
    assert len(ran) == 1


async def test_a_step_that_needs_too_many_subrequests_is_left_out() -> None:
    site = Site(subrequests=50)
    counts = await site.run(step("too large", statements=51), step("fits", statements=50))
    assert counts["too large"] == 0
    assert counts["fits"] == 3


async def test_a_step_that_fails_does_not_stop_the_others() -> None:

    def fail() -> None:
        raise OSError

    counts = await Site(subrequests=50).run(step("fails", then=fail), step("works"))
    assert (counts["fails"], counts["works"]) == (0, 3)


async def test_the_first_step_changes_with_each_minute() -> None:
    site = Site()
    minute = await site.statements_of_cron()
    site.clock.now = NOW + MINUTE - 1
    assert await site.statements_of_cron() == minute
    site.clock.now = NOW + MINUTE
    following = await site.statements_of_cron()
    assert following != minute
    assert sorted(following) == sorted(minute)


# Pauses and missing bindings


@pytest.mark.parametrize("missing", ["database", "transport"])
async def test_nothing_is_attempted_without_a_binding(missing: str) -> None:
    site = Site()
    ids = site.put()
    without: dict[str, Any] = {missing: None}
    await jobs.process_queue(ids, replace(site.services, **without))
    assert site.provider.subjects == []
    await jobs._enqueue_due(site.database, replace(site.services, transport=None), until=NOW)
    assert site.queue.due == []


@pytest.mark.parametrize(
    ("paused", "binding", "logged"),
    [(False, True, []), (True, True, [(True, False)]), (False, False, [(False, True)])],
)
async def test_the_log_says_why_nothing_is_sent(
    capsys: pytest.CaptureFixture[str],
    paused: bool,
    binding: bool,
    logged: list[tuple[bool, bool]],
) -> None:
    site = Site()
    (id,) = site.put()
    await jobs.process_queue(
        [id],
        replace(
            site.services,
            variables=json.dumps({"SENDING_PAUSED": paused}),
            transport=site.provider if binding else None,
        ),
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [(one["paused"], one["bindings_missing"]) for one in lines if "paused" in one]
    assert found == logged
    assert len(site.provider.subjects) == (0 if logged else 1)


@pytest.mark.parametrize("used", [0, 9_999])
async def test_messages_of_a_queue_batch_that_do_not_fit_are_enqueued_again(used: int) -> None:
    site = Site()
    (id,) = site.put()
    enqueued: list[Any] = []

    services = replace(
        site.services,
        waiting=AsyncioWaiting(enqueued.append),
        subrequests=Subrequests(lambda: 10_000 - used),
    )
    await jobs.process_queue([id], services)
    for work in enqueued:
        await work
    assert site.queue.due == ([(id, 0)] if used else [])
    assert site.provider.subjects == ([] if used else ["Hello"])
