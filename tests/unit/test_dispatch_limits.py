"""The limits of an invocation: leases, messages held together, subrequests, retries to record."""

import json
from dataclasses import replace
from typing import Any

import pytest

from accounts.sending_limits import RateLimit
from errors import Unavailable
from mail.message import Message
from sending import dispatcher
from sending.dispatcher import Dispatcher
from sending.enqueue import seconds_until
from store.database import Statement
from tests.client.ports import UnlimitedMemory
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.test_dispatch import HOUR, World, mails
from transport.outcome import Outcome

MIB = 1024 * 1024


def on_call(world: World, *columns: str) -> list[list[object]]:
    """A list that gets, at each call of the provider, these columns of all messages."""
    found: list[list[object]] = []
    send = world.provider.send

    async def note(message: Message) -> Outcome:
        found.append(world.rows(*columns))
        return await send(message)

    world.provider.send = note  # type: ignore[method-assign]
    return found


async def due_messages(world: World, count: int) -> list[str]:
    """The ids of ``count`` scheduled messages that are due."""
    ids = [
        str(id)
        for first in range(0, count, 50)
        for id in await world.send_batch(
            *mails(min(50, count - first), first, scheduled_at=NOW + HOUR)
        )
    ]
    world.make_due()
    world.begin_invocation()
    return ids


@pytest.mark.parametrize("scheduled_at", [None, NOW + HOUR], ids=["at once", "later"])
async def test_a_lease_ends_two_minutes_after_the_reservation_or_the_claim(
    scheduled_at: int | None,
) -> None:
    world = World(clock=lambda: NOW)
    leases = on_call(world, "lease_until")
    result = await world.send(given.message(scheduled_at=scheduled_at))
    world.make_due()
    await world.dispatcher.attempt_due([result.id])
    assert leases == [[NOW + 120_000]]


async def test_a_message_scheduled_for_now_is_sent_at_once() -> None:
    world = World(clock=lambda: NOW)
    assert (await world.send(given.message(scheduled_at=NOW))).status == "sent"


@pytest.mark.parametrize(
    ("sizes", "together"),
    [
        ((MIB // 4, MIB // 4), [2, 2]),
        ((MIB // 4, MIB // 4 + 1), [1, 1]),
        ((MIB, MIB), [2, 2]),
        ((MIB, MIB + 1), [1, 1]),
        ((5 * MIB, 1), [1, 1]),
        ((1, 5 * MIB), [1, 1]),
    ],
)
async def test_messages_of_limited_size_are_attempted_together(
    sizes: tuple[int, int], together: list[int]
) -> None:
    world = World(clock=lambda: NOW)
    ids = await due_messages(world, 2)
    for id, size in zip(ids, sizes, strict=True):
        world.database.query("UPDATE messages SET size = ? WHERE id = ?", size, id)
    statuses = on_call(world, "status")
    await world.dispatcher.attempt_due(ids)
    assert [found.count("sending") for found in statuses] == together


class ScarceMemory(UnlimitedMemory):
    """Memory for ``times`` works on large messages. It notes what it is used for."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.notes: list[str] = []

    async def take(self, size: int, client: str) -> None:
        if not self._times:
            raise Unavailable("too_many_large_bodies", retry_after=5)
        self._times -= 1
        self.notes.append("take")

    def keep(self, size: int) -> None:
        self.notes.append(f"keep {size}")

    def release(self) -> None:
        self.notes.append("release")


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_large_due_messages_wait_for_memory(times: int) -> None:
    world = World(clock=lambda: NOW)
    ids = await due_messages(world, 3)
    for id, size in zip(ids, (1, 4 * MIB, 5 * MIB), strict=True):
        world.database.query("UPDATE messages SET size = ? WHERE id = ?", size, id)
    memory = ScarceMemory(times)
    left = await Dispatcher(replace(world.services, memory=memory)).attempt_due(ids)
    assert left == ids[1 + times :]
    used = [note for note in memory.notes if note not in ("keep 0", "release")]
    assert used == ["keep 1", "take", f"keep {4 * MIB}", "take", f"keep {5 * MIB}"][: 1 + 2 * times]
    assert memory.notes[-1] == "release"


async def test_25_messages_are_attempted_together() -> None:
    world = World(clock=lambda: NOW)
    ids = await due_messages(world, 27)
    statuses = on_call(world, "status")
    assert await world.dispatcher.attempt_due(ids) == []
    assert [found.count("sending") for found in statuses] == [25] * 25 + [2, 2]


async def test_a_claim_looks_up_100_messages() -> None:
    world = World(clock=lambda: NOW)
    ids = await due_messages(world, 130)
    assert await world.dispatcher.attempt_due(ids) == []
    claims = [one for one in world.database.statements if "claimed_by = ?4" in one.sql]
    numbers = [len(json.loads(str(one.parameters[0]))) for one in claims]
    assert numbers == [100, 100, 80, 55, 30, 5]
    assert set(world.rows("status")) == {"sent"}


# Delays


@pytest.mark.parametrize(("milliseconds", "delays"), [(120_000, [120]), (120_001, [])])
async def test_a_message_due_within_two_minutes_is_enqueued(
    milliseconds: int, delays: list[int]
) -> None:
    world = World(clock=lambda: NOW)
    await world.send(given.message(scheduled_at=NOW + milliseconds))
    await world.settle()
    assert [delay for call in world.wakeup_queue.calls for _, delay in call] == delays


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [(-5000, 0), (-1, 0), (0, 0), (1, 1), (1000, 1), (1001, 2), (120_000, 120)],
)
def test_a_delay_is_rounded_up_to_seconds(milliseconds: int, seconds: int) -> None:
    assert seconds_until(NOW + milliseconds, NOW) == seconds


# Subrequests


@pytest.mark.parametrize(("used", "together"), [(0, 20), (14, 6), (19, 1)])
async def test_the_subrequests_limit_the_due_messages_attempted_together(
    used: int, together: int
) -> None:
    world = World(subrequests=50, clock=lambda: NOW)
    ids = await due_messages(world, 22)
    world.services.subrequests.count(used)
    statuses = on_call(world, "status")
    await world.dispatcher.attempt_due(ids)
    assert statuses[0].count("sending") == together


async def test_with_too_few_subrequests_no_due_message_is_attempted() -> None:
    world = World(subrequests=50, clock=lambda: NOW)
    ids = await due_messages(world, 2)
    world.services.subrequests.count(20)
    assert await world.dispatcher.attempt_due(ids) == ids
    assert world.provider.mails == []


@pytest.mark.parametrize(
    ("to", "files", "at_once"),
    [("you@example.org", 0, 19), ("complained@test.invalid", 0, 15), ("you@example.org", 1, 17)],
)
async def test_the_subrequests_limit_the_messages_that_a_batch_sends_at_once(
    to: str, files: int, at_once: int
) -> None:
    world = World(subrequests=50, clock=lambda: NOW)
    attachments = (given.file(),) * files
    await world.send_batch(*[given.message(to, attachments=attachments) for _ in range(30)])
    assert world.rows("status") == ["sent"] * at_once + ["queued"] * (30 - at_once)


@pytest.mark.parametrize(("count", "status"), [(1, "sent"), (2, "queued")])
async def test_only_a_single_message_is_sent_at_once_with_few_subrequests(
    count: int, status: str
) -> None:
    world = World(subrequests=50, clock=lambda: NOW)
    world.services.subrequests.count(35)
    await world.send_batch(*mails(count))
    assert world.rows("status") == [status] * count


async def test_a_strict_batch_must_not_exceed_the_rate_limit() -> None:
    world = World(rate_limit=RateLimit(quota=2, seconds=60), clock=lambda: NOW)
    error = await world.rejected(*mails(3))
    assert (error.code, error.values) == ("batch_over_rate_limit", {"limit": 2})
    assert len(await world.send_batch(*mails(2))) == 2


@pytest.mark.parametrize(
    ("subrequests", "to", "lost", "kept"),
    # During the reservation, the call, the record, the delivery event, and the retries to record.
    [
        (1000, "you@example.org", {2, 3, 4, 5, 6}, [21, 20, 11 + 36, 27, 18, 9, 0]),
        # Three retries fit next to the record itself.
        (50, "you@example.org", {2, 3, 4, 5, 6}, [21, 20, 11 + 27, 27, 18, 9, 0]),
        (1000, "delivered@test.invalid", {2, 4, 5, 6, 7}, [25, 15 + 36, 2, 27, 18, 9, 0]),
    ],
)
async def test_each_step_keeps_back_the_subrequests_of_the_following_ones(
    monkeypatch: pytest.MonkeyPatch, subrequests: int, to: str, lost: set[int], kept: list[int]
) -> None:
    monkeypatch.setattr(dispatcher, "_RECORD_LATER_SECONDS", (0, 0, 0, 0))
    world = World(subrequests=subrequests, clock=lambda: NOW)
    found: list[int] = []
    send, batch = world.provider.send, world.database.batch

    async def noted_send(message: Message) -> Outcome:
        found.append(subrequests - world.services.subrequests.left)
        return await send(message)

    async def noted_batch(statements: list[Statement], *, repeatable: bool = False) -> Any:
        found.append(subrequests - world.services.subrequests.left)
        return await batch(statements, repeatable=repeatable)

    world.provider.send = noted_send  # type: ignore[method-assign]
    world.database.batch = noted_batch  # type: ignore[method-assign]
    world.database.lost = lost
    await world.send(given.message(to))
    await world.settle()
    assert found == kept


# Retries to record

DELAYS = (1, 3, 9, 15)


@pytest.mark.parametrize(
    ("left", "delays"),
    [
        (1000, DELAYS),
        (40, DELAYS),
        (39, (4, 9, 15)),
        (29, (13, 15)),
        (19, (28,)),
        (9, (28,)),
        (0, (28,)),
        (-10, (28,)),
    ],
)
def test_the_last_retries_to_record_are_made_if_not_all_fit(
    left: int, delays: tuple[int, ...]
) -> None:
    assert dispatcher._later_delays(left, 10) == delays


async def test_the_log_has_the_milliseconds_of_an_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([7.0, 8.23456])
    monkeypatch.setattr("sending.dispatcher.time.perf_counter", lambda: next(times))
    world = World()
    await world.send()
    assert [attempt["milliseconds"] for attempt in world.services.attempts] == [1234.6]
