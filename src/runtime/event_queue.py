"""The queue of delivery events. The binding ``EVENTS``, which puts events into it, is optional."""

from typing import Any

import msgspec
from pyodide.ffi import to_js

from runtime.bridge import bridge
from runtime.coroutines import result_of
from services import QueuedEvent
from subrequests import Subrequests

# The name in wrangler.toml. The Worker consumes two queues.
QUEUE = "send-mail-api-events"

_MAX_BATCH = 100  # queue messages per sendBatch
_TIMEOUT_MILLISECONDS = 10_000

_decode = msgspec.json.Decoder(list[QueuedEvent]).decode


class CloudflareEventQueue:
    """A ``DeliveryEventQueue`` (``services.py``) on a queue binding."""

    def __init__(self, subrequests: Subrequests) -> None:
        self._subrequests = subrequests

    async def enqueue(self, events: list[dict[str, Any]]) -> None:
        for start in range(0, len(events), _MAX_BATCH):
            encoded = to_js(msgspec.json.encode(events[start : start + _MAX_BATCH]))
            self._subrequests.count()
            await result_of("enqueueEvents", encoded, _TIMEOUT_MILLISECONDS)


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
