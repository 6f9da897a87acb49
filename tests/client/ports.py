"""The ports of the application for ``TestClient``."""

import asyncio
import hashlib
import json
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import requests

from services import HttpResponse, Memory, QueuedEvent
from store.database import Database, DatabaseUnavailable, Row, Statement
from subrequests import Subrequests
from tests.unit.sqlite_database import SqliteDatabase

# (before or after, statements of a batch) -> whether the response of the batch is lost.
LoseResponses = Callable[[Literal["before", "after"], list[Statement]], bool]

# The duration of a round trip to D1. It makes concurrent requests interleave.
ROUND_TRIP_SECONDS = 0.005
_QUEUE_BATCH_SECONDS = 1  # max_batch_timeout in wrangler.toml
_QUEUE_BATCH = 4  # max_batch_size in wrangler.toml
_EVENT_BATCH_SECONDS, _EVENT_BATCH, _EVENT_ATTEMPTS = 2, 100, 101  # of the queue of events
_QUEUE_SEND = 100  # the most messages that one sendBatch takes


class InvocationEnded(RuntimeError):
    """Ends an invocation with too many subrequests, even while it records outcomes."""


class LimitedSubrequests(Subrequests):
    """Counts the subrequests of an invocation, and ends it after ``limit`` of them."""

    def __init__(self, limit: int) -> None:
        super().__init__(lambda: limit)
        self._allowed = limit

    def count(self, number: int = 1) -> None:
        super().count(number)
        if self.used > self._allowed:
            raise InvocationEnded(f"{self.used} of {self._allowed} subrequests")


class InvocationDatabase(Database):
    """The database of one invocation. It has its own counters, and the limits of production.

    :param lose_responses: see ``TestClient``.
    """

    def __init__(
        self, database: SqliteDatabase, lose_responses: LoseResponses, subrequests: Subrequests
    ) -> None:
        self._database = database
        self._lose_responses = lose_responses
        self._subrequests = subrequests
        self.round_trips = 0
        self.rows_written = 0

    @property
    def size(self) -> int | None:
        return self._database.size if self.round_trips else None

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        for seconds in (0.1, 0.4) if repeatable else ():
            try:
                return await self._once(statements)
            except DatabaseUnavailable:
                if self._subrequests.left < len(statements):
                    raise
                await asyncio.sleep(seconds)
        return await self._once(statements)

    async def _once(self, statements: list[Statement]) -> list[list[Row]]:
        self.round_trips += 1
        self._subrequests.count(len(statements))
        await asyncio.sleep(ROUND_TRIP_SECONDS / 2)
        if self._lose_responses("before", statements):
            raise DatabaseUnavailable
        before = self._database.rows_written
        results = await self._database.batch(statements)
        self.rows_written += self._database.rows_written - before
        await asyncio.sleep(ROUND_TRIP_SECONDS / 2)
        if self._lose_responses("after", statements):
            raise DatabaseUnavailable
        return results


class LocalQueue:
    """Delivers ids to ``consume`` after their delays, at most ``batch`` at a time."""

    def __init__(
        self,
        consume: Callable[[list[str]], Awaitable[None]],
        start: Callable[[Any], Any],
        subrequests: Subrequests,
        *,
        is_broken: bool = False,
        batch: int = _QUEUE_BATCH,
        timeout: float = _QUEUE_BATCH_SECONDS,
    ) -> None:
        self._is_broken = is_broken
        self._batch, self._timeout = batch, timeout
        self._consume = consume
        self._start = start
        self._subrequests = subrequests

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        """Implements ``services.WakeupQueue.enqueue``."""
        self._subrequests.count(-(-len(due) // _QUEUE_SEND))
        if self._is_broken:
            raise OSError
        by_delay: dict[int, list[str]] = {}
        for message_id, seconds in due:
            by_delay.setdefault(seconds, []).append(message_id)
        for seconds, ids in by_delay.items():
            self._start(self._deliver(ids, seconds))

    async def _deliver(self, ids: list[str], seconds: int) -> None:
        await asyncio.sleep(seconds + self._timeout)
        for start in range(0, len(ids), self._batch):
            await self._consume(ids[start : start + self._batch])


class LocalEventQueue:
    """Delivers events to ``consume``, at most ``_EVENT_BATCH`` at a time, until they are done.

    ``consume`` returns the delays of the events to deliver again, by their positions.
    """

    def __init__(
        self,
        consume: Callable[[list[QueuedEvent]], Awaitable[dict[int, int]]],
        start: Callable[[Any], Any],
        subrequests: Subrequests | None = None,
    ) -> None:
        self._consume = consume
        self._start = start
        self._subrequests = subrequests

    async def enqueue(self, events: list[dict[str, Any]]) -> None:
        """Implements ``services.DeliveryEventQueue.enqueue``."""
        if self._subrequests:
            self._subrequests.count(-(-len(events) // _QUEUE_SEND))
        self._start(self._deliver([QueuedEvent(json.dumps(event), 1) for event in events]))

    async def deliver(self, contents: list[str | None]) -> None:
        """Deliver these contents at once, and start later deliveries of those that failed."""
        await self._deliver_now([QueuedEvent(content, 1) for content in contents])

    async def _deliver(
        self, queued: list[QueuedEvent], seconds: float = _EVENT_BATCH_SECONDS
    ) -> None:
        await asyncio.sleep(seconds)
        await self._deliver_now(queued)

    async def _deliver_now(self, queued: list[QueuedEvent]) -> None:
        for start in range(0, len(queued), _EVENT_BATCH):
            batch = queued[start : start + _EVENT_BATCH]
            for place, seconds in (await self._consume(batch)).items():
                again = batch[place]._replace(attempts=batch[place].attempts + 1)
                if again.attempts <= _EVENT_ATTEMPTS:
                    self._start(self._deliver([again], seconds))


class UnlimitedMemory(Memory):
    """Memory that is always free."""

    async def take(self, size: int, client: str) -> None:
        return

    def keep(self, size: int) -> None:
        return

    def release(self) -> None:
        return


class ScriptedResolver:
    """Responds to DNS over HTTPS from ``records``: the data of records by name and type.

    A name that is not in ``records`` does not exist. A type that is an exception is raised.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str] | Exception] = {}
        self.urls: list[str] = []

    def get(self, url: str) -> HttpResponse:
        """The response to a lookup."""
        self.urls.append(url)
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        name, kind = asked["name"][0], asked["type"][0]
        found = self.records.get((name, kind))
        if isinstance(found, Exception):
            raise found
        number = {"MX": 15, "TXT": 16}[kind]
        data = [{"name": name, "type": 5, "TTL": 60, "data": "an.alias."}] if found else []
        data += [{"name": name, "type": number, "TTL": 60, "data": one} for one in found or ()]
        status = 0 if found else 3
        return HttpResponse(200, json.dumps({"Status": status, "Answer": data}))


class WindowRateLimiter:
    """Admits ``limit`` requests per key and minute of ``clock`` (Unix milliseconds)."""

    def __init__(self, limit: int, clock: Callable[[], int]) -> None:
        self._limit = limit
        self._clock = clock
        self._counts: Counter[tuple[str, int]] = Counter()

    async def admits(self, key: str) -> bool:
        """Implements ``services.RateLimiter.admits``."""
        window = (key, self._clock() // 60_000)
        self._counts[window] += 1
        return self._counts[window] <= self._limit


async def derive_key(password: bytes, salt: bytes, iterations: int) -> bytes:
    """The key of 32 bytes that PBKDF2-SHA-256 derives."""
    return hashlib.pbkdf2_hmac("sha256", password, salt, iterations)


def post(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
    """Post ``body`` to a stand-in on this machine."""
    response = requests.post(url, data=body, headers=headers, timeout=5)
    return HttpResponse(response.status_code, response.text)
