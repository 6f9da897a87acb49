"""``runtime.webhook_queue``: one arrival serves many sends."""

from types import SimpleNamespace
from typing import Any

import pytest

from subrequests import Subrequests
from tests.unit.stand_ins import stand_in


async def test_a_webhook_is_enqueued_about_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    enqueued: list[tuple[str, int]] = []

    async def enqueue(used: Subrequests, binding: str, messages: list[dict[str, Any]]) -> None:
        assert binding == "WEBHOOKS"
        enqueued.extend((one["body"]["id"], one["delaySeconds"]) for one in messages)

    modules: dict[str, dict[str, object]] = {
        "runtime.queues": {"enqueue": enqueue},
        "runtime.bridge": {"bridge": None},
    }
    stand_in(monkeypatch, modules, anew=["runtime.wakeup_queue", "runtime.webhook_queue"])
    from runtime import webhook_queue

    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(webhook_queue, "time", SimpleNamespace(time=lambda: clock.now))
    queue = webhook_queue.WebhookQueue(Subrequests(lambda: 50), "WEBHOOKS")

    async def after(seconds: float, *due: tuple[str, int]) -> list[tuple[str, int]]:
        clock.now += seconds
        enqueued.clear()
        await queue.enqueue([*due])
        return [*enqueued]

    assert await after(0, ("w1", 0)) == [("w1", 0)]
    assert await after(0.1, ("w1", 0), ("w2", 0)) == [("w1", 1), ("w2", 0)]
    assert await after(0.9, ("w1", 0)) == []
    assert await after(0.1, ("w1", 0)) == [("w1", 1)]
    assert await after(0.5, ("w1", 5)) == [("w1", 5)]
    # An id that arrives later than it should is enqueued again; one that arrives before is not.
    assert await after(2, ("w1", 0), ("w1", 60), ("w1", 2)) == [("w1", 0), ("w1", 2)]
    assert await after(1, ("w1", 60)) == []
    assert await after(1, ("w1", 60)) == [("w1", 60)]
    # The ids that are known are limited.
    many = [(str(number), 0) for number in range(2000)]
    assert await after(0, *many) == many
    assert await after(0, ("1", 0)) == [("1", 0)]
