"""``sending.webhooks``: rounds of deliveries, within the time and the subrequests of one Worker."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.webhook_secrets import signing_key
from sending.enqueue import wake_webhooks
from sending.webhooks import enqueue_due_webhooks, process_webhooks
from services import HttpResponse, Services
from store.database import DatabaseUnavailable, Row, Statement
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase
from transport.webhooks import delivery_headers

SECONDS = 1000
SECRET = "a secret of more than thirty-two characters"


class Queue:
    """Stores what is enqueued."""

    def __init__(self) -> None:
        self.due: list[tuple[str, int]] = []

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        self.due += due


class CountingDatabase(SqliteDatabase):
    """Counts its statements as subrequests. ``fails`` says which statements fail."""

    count: Callable[[int], object] = staticmethod(lambda number: None)
    fails: Callable[[Statement], bool] = staticmethod(lambda statement: False)

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        self.count(len(statements))
        if any(map(self.fails, statements)):
            raise DatabaseUnavailable
        return await super().batch(statements, repeatable=repeatable)


class Site:
    """A deployment with a receiver that responds with ``status``."""

    def __init__(self, *, subrequests: int = 10_000, queue: bool = True, **variables: Any) -> None:
        self.database, self.queue, self.now = CountingDatabase(), Queue(), NOW
        self.received: list[str] = []
        self.bodies: list[str] = []
        self.headers: dict[str, str] = {}
        self.status = 200
        self.retry_after: str | None = None
        self.after_post: Callable[[], object] = lambda: None
        self.background: list[asyncio.Future[Any]] = []
        services = given.services(
            self.database,
            transport=None,
            wakeup_queue=None,
            waiting=AsyncioWaiting(
                lambda work: self.background.append(asyncio.ensure_future(work))
            ),
            clock=lambda: self.now,
            subrequests=subrequests,
        )
        variables = {"JWT_SECRET": SECRET, **variables}
        self.services: Services = replace(
            services,
            variables=json.dumps(variables),
            webhook_queue=self.queue if queue else None,
            fetch=self._post,
        )
        self.database.count = self.services.subrequests.count

    async def _post(
        self, url: str, headers: dict[str, str], body: bytes | None, **limits: Any
    ) -> HttpResponse:
        self.services.subrequests.count()
        self.received.append(headers["webhook-id"])
        self.bodies.append((body or b"").decode())
        self.headers = headers
        self.after_post()
        return HttpResponse(self.status, "", self.retry_after)

    def listen(self, *ids: str) -> None:
        for id_ in ids:
            self.database.insert(
                "webhooks",
                **{"id": id_, "address_id": 1, "endpoint": "https://hooks.example.net/"},
                **{"events": "[]", "created_at": 0},
            )

    def wait(self, count: int = 1, *, at: int = NOW, webhook: str = "w1", **columns: Any) -> None:
        """Insert ``count`` deliveries that are due at the time ``at``."""
        for _ in range(count):
            number = self.database.value("SELECT count(*) FROM webhook_deliveries")
            delivery = {"id": f"d{number:03}", "type": "email.sent", "body": "{}"}
            self.database.insert(
                "webhook_deliveries",
                **{"webhook_id": webhook, "next_attempt_at": at, "created_at": at},
                **{**delivery, **columns},
            )

    async def process(self, *ids: str) -> list[tuple[str, int]]:
        """Process a queue batch; return what it has enqueued."""
        self.queue.due.clear()
        await process_webhooks([*ids], self.services)
        await asyncio.gather(*self.background)
        return [*self.queue.due]

    def left(self) -> int:
        """The number of deliveries that wait."""
        sql = "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'"
        return int(self.database.value(sql))


async def test_all_deliveries_that_are_due_are_sent_in_rounds() -> None:
    site = Site()
    site.listen("w1", "w2")
    site.wait(9)
    site.wait(2, webhook="w2")
    assert await site.process("w1") == []
    assert site.received == [f"d{number:03}" for number in range(9)]
    assert site.left() == 2


async def test_no_round_begins_after_thirty_seconds() -> None:
    for seconds, rounds in ((29.999, 2), (30, 1)):
        site = Site()
        site.listen("w1")
        site.wait(5)

        def let_time_pass(site: Site = site, seconds: float = seconds) -> None:
            site.now = NOW + round(seconds * SECONDS)

        site.after_post = let_time_pass
        enqueued = await site.process("w1")
        assert len(site.received) == (5 if rounds == 2 else 4)
        # Without a further round, another Worker continues at once.
        assert enqueued == ([] if rounds == 2 else [("w1", 0)])


@pytest.mark.parametrize(("subrequests", "sent"), [(12, 0), (13, 4), (22, 4), (23, 5)])
async def test_each_round_fits_into_the_subrequests(subrequests: int, sent: int) -> None:
    site = Site(subrequests=subrequests)
    site.listen("w1")
    site.wait(5)
    enqueued = await site.process("w1")
    assert len(site.received) == sent
    assert site.services.subrequests.used <= subrequests
    is_room_to_enqueue = site.services.subrequests.used < subrequests
    assert enqueued == ([("w1", 0)] if sent < 5 and is_room_to_enqueue else [])


@pytest.mark.parametrize(
    ("milliseconds", "enqueued"),
    [(1, [("w1", 1)]), (5000, [("w1", 5)]), (120_000, [("w1", 120)]), (120_001, [])],
)
async def test_the_next_delivery_is_enqueued_if_it_is_due_soon(
    milliseconds: int, enqueued: list[tuple[str, int]]
) -> None:
    site = Site()
    site.listen("w1")
    site.wait()
    site.wait(at=NOW + milliseconds)
    assert await site.process("w1") == enqueued
    assert len(site.received) == 1


async def test_what_waits_for_other_workers_is_left_to_them() -> None:
    """A webhook with as many deliveries as may be sent at once is not enqueued over and over."""
    site = Site()
    site.listen("w1")
    held: dict[str, Any] = {
        "status": "attempting",
        "claimed_by": "another",
        "attempt": 1,
        "tries": 1,
    }
    site.wait(4, at=NOW + 10 * SECONDS, **held)
    site.wait(1)
    assert await site.process("w1") == []
    assert site.received == []
    site.database.query(
        "UPDATE webhook_deliveries SET next_attempt_at = ? WHERE id = 'd004'", NOW + 1
    )
    assert await site.process("w1") == [("w1", 1)]


async def test_a_webhook_that_fails_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = Site()
    site.listen("w1", "w2", "w3")
    for id_ in ("w1", "w2", "w3"):
        site.wait(webhook=id_)
    site.database.fails = lambda statement: "w1" in statement.parameters
    assert await site.process("w1", "w2", "w3") == []
    assert site.received == ["d001", "d002"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed = {(one["event"], one.get("webhook_id"), one.get("kind")) for one in lines}
    assert ("webhook_failed", "w1", "DatabaseUnavailable") in failed


async def test_without_a_secret_nothing_is_sent() -> None:
    site = Site(JWT_SECRET="")
    site.listen("w1")
    site.wait()
    assert await site.process("w1") == []
    assert (site.received, site.left()) == ([], 1)


async def test_without_a_database_nothing_happens() -> None:
    site = Site()
    await process_webhooks(["w1"], replace(site.services, database=None))
    assert site.received == []


@pytest.mark.parametrize(
    ("statuses", "disabled_by", "failing_since"),
    [
        ((200, 200), None, None),
        ((200, 500), None, None),
        ((500, 200), None, None),
        ((500, 500), None, NOW),
        ((410, 200), "gone", NOW),
        ((500, 410), "gone", NOW),
    ],
)
async def test_the_deliveries_of_a_round_have_one_result(
    statuses: tuple[int, int], disabled_by: str | None, failing_since: int | None
) -> None:
    site = Site()
    site.listen("w1")
    site.wait(2)
    first, second = statuses
    site.status = first
    site.after_post = lambda: setattr(site, "status", second if site.received[1:] else first)
    await site.process("w1")
    (row,) = site.database.query("SELECT * FROM webhooks")
    assert row["disabled_by"] == disabled_by
    assert (row["failing_since"] is None) == (failing_since is None)


# What is recorded


async def sent(site: Site, **columns: Any) -> Row:
    """Send one delivery of w1. Return its row."""
    site.listen("w1")
    site.wait(**columns)
    await site.process("w1")
    (row,) = site.database.query("SELECT * FROM webhook_deliveries")
    return row


def attempts(site: Site) -> list[Row]:
    return site.database.query("SELECT * FROM webhook_attempts ORDER BY number")


async def test_a_success_is_recorded() -> None:
    site = Site()
    site.status = 204
    row = await sent(site, attempt=3, tries=2)
    state = (
        row["status"],
        row["attempt"],
        row["tries"],
        row["next_attempt_at"],
        row["finished_at"],
    )
    assert state == ("success", 4, 3, None, NOW)
    (attempt,) = attempts(site)
    milliseconds = attempt.pop("milliseconds")
    assert milliseconds >= 0
    assert attempt == {
        **{"webhook_id": "w1", "delivery_id": "d000", "number": 4, "started_at": NOW},
        **{"code": 204, "error": None, "response": ""},
    }


@pytest.mark.parametrize(
    ("status", "tries", "expected"),
    [
        (500, 0, "pending"),
        (299, 0, "success"),
        (300, 0, "pending"),
        (199, 0, "pending"),
        (410, 0, "failed"),
        (500, 6, "pending"),
        (500, 7, "failed"),  # the eighth is the last
    ],
)
async def test_a_failure_is_repeated_seven_times(status: int, tries: int, expected: str) -> None:
    site = Site()
    site.status = status
    row = await sent(site, attempt=9, tries=tries)
    assert row["status"] == expected
    assert (row["next_attempt_at"] is None) == (expected != "pending")
    assert (row["finished_at"] is None) == (expected == "pending")
    assert [one["code"] for one in attempts(site)] == [status]


async def test_a_receiver_may_ask_for_a_later_attempt() -> None:
    site = Site()
    site.status, site.retry_after = 503, "1000"
    row = await sent(site)
    assert NOW + 1_000_000 <= row["next_attempt_at"] <= NOW + 1_200_000


async def test_the_body_of_the_first_attempt_is_kept() -> None:
    site = Site()
    site.status = 500
    facts = {"occurred_at": NOW, "address": "a@example.com"}
    columns = {"type": "address.paused", "body": None, "facts": json.dumps(facts)}
    row = await sent(site, **columns)
    assert row["facts"] is None
    assert json.loads(row["body"])["data"] == {"address": "a@example.com"}
    site.now = row["next_attempt_at"]
    await site.process("w1")
    first, second = site.bodies
    assert first == second == row["body"]


async def test_what_cannot_be_sent_has_an_error() -> None:
    site = Site()
    row = await sent(site, type="address.paused", body=None, facts="{}")
    assert (row["status"], row["finished_at"]) == ("failed", NOW)
    (attempt,) = attempts(site)
    assert (attempt["code"], attempt["milliseconds"]) == (None, 0)
    assert attempt["error"] == "the body could not be made"
    assert site.received == []


@pytest.mark.parametrize("is_allowed", [False, True])
async def test_an_endpoint_is_checked_before_each_attempt(*, is_allowed: bool) -> None:
    site = Site(ENABLE_LOCAL_WEBHOOKS=is_allowed)
    site.listen("w1")
    site.database.query("UPDATE webhooks SET endpoint = 'http://localhost:8080/'")
    site.wait()
    await site.process("w1")
    (attempt,) = attempts(site)
    assert attempt["error"] == (None if is_allowed else "invalid_endpoint")
    assert (attempt["code"], attempt["milliseconds"] >= 0) == (200 if is_allowed else None, True)
    assert len(site.received) == is_allowed


@pytest.mark.parametrize(
    ("variables", "rotated_at", "count"),
    [
        ({}, None, 1),
        ({}, NOW - 86_400_000 + 1, 2),
        ({}, NOW - 86_400_000, 1),
        ({"JWT_SECRET_PREVIOUS": "another secret of more than thirty-two"}, None, 2),
        ({"JWT_SECRET_PREVIOUS": "another secret of more than thirty-two"}, NOW, 4),
    ],
)
async def test_each_secret_signs_with_each_version(
    variables: dict[str, Any], rotated_at: int | None, count: int
) -> None:
    site = Site(**variables)
    site.listen("w1")
    if rotated_at:
        site.database.query(
            "UPDATE webhooks SET secret_version = 7, previous_version = 3, rotated_at = ?",
            rotated_at,
        )
    site.wait()
    await site.process("w1")
    signatures = site.headers["webhook-signature"].split(" ")
    assert len({*signatures}) == len(signatures) == count
    secrets = [SECRET, *variables.values()]
    versions = [1] if rotated_at is None else [7, 3]
    expected = [
        delivery_headers("d000", "{}", [signing_key(secret, "w1", version)], now=NOW, version="")
        for secret in secrets
        for version in versions
    ]
    assert signatures == [one["webhook-signature"] for one in expected][:count]


# The cron


async def test_the_cron_enqueues_a_hundred_webhooks() -> None:
    site = Site()
    ids = [f"w{number:03}" for number in range(101)]
    site.listen(*ids)
    for id_ in ids:
        site.wait(webhook=id_)
    await enqueue_due_webhooks(site.services, site.database)
    assert site.queue.due == [(id_, 0) for id_ in ids[:100]]
    assert site.received == []


async def test_without_a_queue_the_cron_serves_ten_webhooks() -> None:
    site = Site(queue=False)
    ids = [f"w{number:03}" for number in range(11)]
    site.listen(*ids)
    for id_ in ids:
        site.wait(webhook=id_)
    await enqueue_due_webhooks(site.services, site.database)
    assert sorted(site.received) == [f"d{number:03}" for number in range(10)]


async def test_if_nothing_is_due_nothing_is_enqueued() -> None:
    site = Site()
    site.listen("w1")
    site.wait(at=NOW + 1)
    site.queue.enqueue = None  # type: ignore[assignment,method-assign]
    await enqueue_due_webhooks(site.services, site.database)


# Enqueue


async def test_a_webhook_is_enqueued_in_the_background_at_once() -> None:
    site = Site(subrequests=1)
    wake_webhooks(site.services, ["w1", "w2"])
    assert site.services.subrequests.left == 0  # kept back for the queue
    assert site.queue.due == []
    await asyncio.gather(*site.background)
    assert site.queue.due == [("w1", 0), ("w2", 0)]
    assert site.services.subrequests.left == 1
    wake_webhooks(site.services, ["w1"], 7)
    await asyncio.gather(*site.background)
    assert site.queue.due[2:] == [("w1", 7)]


async def test_without_a_subrequest_or_a_queue_nothing_is_enqueued() -> None:
    for site in (Site(subrequests=0), Site(queue=False)):
        wake_webhooks(site.services, ["w1"])
        assert site.background == []
