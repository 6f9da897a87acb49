"""The queue of delivery events. The binding ``EVENTS``, which puts events into it, is optional."""

from typing import Any

import msgspec

from runtime.bridge import bridge
from runtime.queues import enqueue
from services import QueuedEvent
from subrequests import Subrequests

# The name in wrangler.toml. The Worker consumes several queues.
QUEUE = "send-mail-api-events"

_decode = msgspec.json.Decoder(list[QueuedEvent]).decode


class CloudflareEventQueue:
    """A ``DeliveryEventQueue`` (``services.py``) on a queue binding."""

    def __init__(self, subrequests: Subrequests) -> None:
        self._subrequests = subrequests

    async def enqueue(self, events: list[dict[str, Any]]) -> None:
        await enqueue(self._subrequests, "EVENTS", [{"body": event} for event in events])


def is_of_events(batch: Any) -> bool:
    """Whether this batch comes from the queue of delivery events."""
    return bool(batch.queue == QUEUE)


def read_events(batch: Any) -> list[QueuedEvent]:
    """The messages of a batch of the queue."""
    return _decode(bridge().readEvents(batch))


def finish_events(batch: Any, delays: dict[int, int]) -> None:
    """Acknowledge the messages of a batch, except some, which are retried.

    :param delays: the positions of the messages to retry, and their delays in seconds.
    """
    bridge().finishEvents(batch, msgspec.json.encode(delays).decode())
