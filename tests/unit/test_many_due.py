"""One invocation does the same work, whether a thousand messages are due or ten thousand.

Workers limits the CPU time of an invocation. These tests count what an invocation spends it on.
"""

import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import FrameType
from typing import Any, NamedTuple

import pytest

from mail.message import Message
from sending import jobs
from services import Services
from store.database import Database, Row, Statement
from subrequests import Subrequests
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.test_due import put
from tests.unit.test_jobs import Site
from transport.outcome import Outcome

FEW, MANY = 1_000, 10_000
ADDRESSES = 4
FREE, PAID = 50, 10_000  # subrequests of an invocation
QUEUE_BATCH = 4  # max_batch_size in wrangler.toml

Job = Callable[[Services, list[str]], Coroutine[Any, Any, None]]


class Work(NamedTuple):
    """What one invocation has done.

    ``statements`` is their SQL, ``rows`` the number of rows that they returned, and ``calls`` the
    number of calls of Python functions.
    """

    statements: list[str]
    rows: int
    sent: int
    enqueued: int
    calls: int


class Invocation(Database):
    """The database and the provider of one invocation, which counts the use of both."""

    def __init__(self, site: Site, subrequests: int) -> None:
        self._site = site
        self._subrequests = Subrequests(lambda: subrequests)
        self.round_trips = self.rows_written = 0
        self._rows = 0

    @property
    def size(self) -> int | None:
        return self._site.database.size

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        self._subrequests.count(len(statements))
        results = await self._site.database.batch(statements)
        self._rows += sum(map(len, results))
        return results

    async def send(self, message: Message) -> Outcome:
        self._subrequests.count()
        return await self._site.provider.send(message)

    async def run(self, job: Job, message_ids: list[str]) -> Work:
        """Run ``job``, and return its work."""
        site, events = self._site, Counter[str]()
        services = replace(
            site.services, database=self, transport=self, subrequests=self._subrequests
        )
        site.database.statements.clear()

        def note(_: FrameType, event: str, __: object) -> None:
            events[event] += 1

        sys.setprofile(note)
        try:
            await job(services, message_ids)
        finally:
            sys.setprofile(None)
        statements = [one.sql for one in site.database.statements]
        sent, enqueued = len(site.provider.subjects), len(site.queue.due)
        return Work(statements, self._rows, sent, enqueued, events["call"])


async def work_of(job: Job, waiting: int, *, queue: bool = True, subrequests: int = FREE) -> Work:
    """The work of one invocation while messages of several addresses are due."""
    site = Site(queue=queue, subrequests=subrequests)
    ids = []
    for number in range(ADDRESSES):
        owner = given.address(site.database, f"a{number}@example.com")
        ids += put(site.database, owner, count=waiting // ADDRESSES, at=NOW - MANY)
    site.put(count=0)  # stores the recipients
    return await Invocation(site, subrequests).run(job, ids)


async def few_and_many(job: Job, **options: Any) -> tuple[Work, Work]:
    await work_of(job, ADDRESSES * QUEUE_BATCH, **options)  # fills the caches
    return await work_of(job, FEW, **options), await work_of(job, MANY, **options)


def check_equal(few: Work, many: Work) -> None:
    """Check that both did the same work. A few calls, of asyncio for example, may differ."""
    assert many._replace(calls=few.calls) == few
    assert many.calls == pytest.approx(few.calls, rel=0.05)


async def cron(services: Services, _: list[str]) -> None:
    await jobs.run_cron(services)


async def queue_batch(services: Services, message_ids: list[str]) -> None:
    await jobs.process_queue(message_ids[:QUEUE_BATCH], services)


@pytest.mark.parametrize("subrequests", [FREE, 1000])
async def test_a_run_of_the_cron_enqueues_a_thousand(subrequests: int) -> None:
    few, many = await few_and_many(cron, subrequests=subrequests)
    check_equal(few, many)
    assert (many.rows, many.sent, many.enqueued) == (1000, 0, 1000)
    assert many.calls < 3000


async def test_with_many_subrequests_a_run_of_the_cron_enqueues_five_thousand() -> None:
    few, many = await few_and_many(cron, subrequests=PAID)
    assert many.statements == few.statements
    assert (few.rows, few.enqueued, many.rows, many.enqueued) == (1000, 1000, 5000, 5000)
    assert many.calls < 5 * few.calls


async def test_without_a_queue_a_run_of_the_cron_sends_what_its_subrequests_allow() -> None:
    few, many = await few_and_many(cron, queue=False)
    check_equal(few, many)
    assert len(many.statements) + many.sent <= FREE
    assert many.sent >= 8


async def test_a_queue_batch_sends_only_its_messages() -> None:
    few, many = await few_and_many(queue_batch)
    check_equal(few, many)
    assert (many.sent, many.enqueued) == (QUEUE_BATCH, 0)
    assert len(many.statements) + many.sent <= FREE
    assert many.rows <= 5 * QUEUE_BATCH
