"""An error before and after each call of a port, during a send and during a batch."""

import asyncio
import itertools
from collections.abc import Generator
from typing import Any

import pytest

from clock import now
from mail.message import Message
from sending import dispatcher
from store.database import DatabaseUnavailable
from tests.unit.test_dispatch import BUSY, REJECTED, World, mails
from transport.outcome import Outcome, Sent, Unknown

Broken = tuple[str, str, str | None]

# How the messages end without an error, by their subjects.
ENDS = {"0": "sent", "1": "failed", "2": "queued", "3": "sent", "4": "scheduled"}
SOON = 60_000  # so near that the message is enqueued at once


class Late:
    """A response that arrives after ``unknown`` was reported."""

    def __await__(self) -> Generator[Any, None, Outcome]:
        yield from asyncio.sleep(0).__await__()
        return Sent("<late@provider>")


class Faults:
    """Breaks off the call of a port of ``world`` at the point with the number ``at``.

    ``broken`` is then the name of the call, ``before`` or ``after``, and the subject of its mail.
    """

    def __init__(self, world: World, at: int) -> None:
        self.broken: Broken | None = None
        self._points = itertools.count()
        self._at = at
        self._break(world.database, "batch", DatabaseUnavailable())
        self._break(world.provider, "send", OSError())
        self._break(world.wakeup_queue, "enqueue", OSError())

    def _break(self, port: Any, name: str, error: Exception) -> None:
        call = getattr(port, name)

        def reach(when: str, first: Any) -> None:
            number = next(self._points)
            if number == self._at:
                call_name = "reserve" if number < 2 else name  # the first batch
                subject = first.subject if isinstance(first, Message) else None
                self.broken = (call_name, when, subject)
                raise error

        async def breaking(first: Any, **more: Any) -> Any:
            reach("before", first)
            result = await call(first, **more)
            reach("after", first)
            return result

        setattr(port, name, breaking)


def ends(subjects: list[str], broken: Broken | None) -> dict[str, str]:
    """The status of each message in the end, by its subject."""
    found = {subject: ENDS[subject] for subject in subjects}
    match broken:
        case ("reserve", "before", _):
            return {}
        case ("reserve", "after", _):  # the caller got an error, so the messages are undone
            return {one: "cancelled" if found[one] == "scheduled" else "failed" for one in found}
        case ("send", _, str(subject)):  # the provider may have taken the mail
            return {**found, subject: "unknown"}
    return found


@pytest.mark.parametrize("count", [1, 5], ids=["send", "batch"])
async def test_an_error_at_any_await_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(dispatcher, "_RECORD_LATER_SECONDS", (0,))
    messages = [*mails(4), *mails(1, 4, scheduled_at=now() + SOON)][:count]
    subjects = [message.subject for message in messages]
    calls = set()
    for at in itertools.count():
        world = World()
        world.provider.outcomes = {"1": REJECTED, "2": BUSY, "3": Unknown(late=Late())}
        faults = Faults(world, at)
        is_error = False
        try:
            await world.submit(*messages)
        except DatabaseUnavailable:
            is_error = True
        await world.settle()
        call = faults.broken[0] if faults.broken else None
        assert is_error is (call == "reserve"), faults.broken
        expected = ends(subjects, faults.broken)
        assert dict(world.rows("subject", "status")) == expected, faults.broken
        charged = [status for status in expected.values() if status not in ("failed", "cancelled")]
        assert not expected or world.balance == 1000 - len(charged), faults.broken
        called = [mail.subject for mail in world.provider.mails]
        assert len(called) == len(set(called)), faults.broken
        if call is None:
            break
        calls.add(call)
    assert calls == {"reserve", "send", "batch", *(["enqueue"] if count > 1 else [])}
