"""The queue ``WEBHOOKS``: ids of webhooks that have deliveries to send.

One arrival serves all deliveries of a webhook that wait at that time. So an isolate enqueues each
webhook about once a second, however many mails it sends and however many deliveries fail.
"""

import time
from typing import Any

from runtime.wakeup_queue import CloudflareQueue

# The name in wrangler.toml.
QUEUE = "send-mail-api-webhooks"

_PAUSE_SECONDS = 1
_MOST_KNOWN = 1000

# When the last enqueued id of each webhook can arrive: without a delay for a retry, and with one.
_arrivals: dict[tuple[str, bool], float] = {}


class WebhookQueue(CloudflareQueue):
    """A ``WakeupQueue`` (``services.py``) that leaves out an id that is still to arrive."""

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        now = time.time()
        if len(_arrivals) > _MOST_KNOWN:
            _arrivals.clear()
        await super().enqueue([one for id_, seconds in due for one in _paced(id_, seconds, now)])


def _paced(id_: str, seconds: int, now: float) -> list[tuple[str, int]]:
    """The id with its delay; nothing if it arrives in time anyway, and finds what is due next."""
    key = (id_, seconds > 0)
    arrival = _arrivals.get(key, 0)
    if now < arrival <= now + max(seconds, _PAUSE_SECONDS):
        return []
    delay = seconds
    if not seconds and now < arrival + _PAUSE_SECONDS:
        delay = _PAUSE_SECONDS
    _arrivals[key] = now + delay
    return [(id_, delay)]


def is_of_webhooks(batch: Any) -> bool:
    """Whether this batch comes from the queue of webhooks."""
    return bool(batch.queue == QUEUE)
