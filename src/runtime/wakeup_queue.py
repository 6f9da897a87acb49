"""The queue ``OUTBOX``: ids of messages to attempt. The database decides which are due."""

from typing import Any

import msgspec

from runtime.bridge import bridge
from runtime.queues import enqueue
from subrequests import Subrequests

_MAX_DELAY_SECONDS = 86_400


class CloudflareQueue:
    """A ``WakeupQueue`` (``services.py``) on a queue binding."""

    def __init__(self, subrequests: Subrequests, binding: str) -> None:
        self._subrequests, self._binding = subrequests, binding

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        # Delays longer than the queue allows are shortened. The consumer then finds the message
        # not yet due, and the cron job enqueues it again in time.
        messages = [
            {"body": {"id": id_}, "delaySeconds": min(seconds, _MAX_DELAY_SECONDS)}
            for id_, seconds in due
        ]
        await enqueue(self._subrequests, self._binding, messages)


def take_ids(batch: Any) -> list[str]:
    """Acknowledge a batch of the queue and return its ids, each once.

    Queue messages without an id are skipped. A lost batch delays its messages by at most a minute:
    the cron job enqueues the messages that are due.
    """
    bodies = msgspec.json.decode(bridge().takeBatch(batch))
    ids = [body["id"] for body in bodies if isinstance(body, dict) and "id" in body]
    return list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))
