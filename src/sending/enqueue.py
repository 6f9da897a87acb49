"""Enqueue messages that are due soon. The cron enqueues later messages in time."""

import math

from log import log
from services import Services, WakeupQueue

# Until the run after the next one of the cron, which runs every minute.
_AHEAD_SECONDS = 120


def enqueue_soon(services: Services, due: list[tuple[str, int]]) -> None:
    """Enqueue the messages that are due soon: ids and their times. Does nothing without a queue."""
    now = services.clock()
    soon = now + _AHEAD_SECONDS * 1000
    near = [(id_, seconds_until(at, now)) for id_, at in due if at <= soon]
    if near and services.wakeup_queue:
        services.run_in_background(_enqueue(services.wakeup_queue, near))


async def _enqueue(queue: WakeupQueue, due: list[tuple[str, int]]) -> None:
    try:
        await queue.enqueue(due)
    except Exception as error:  # the cron will find the due rows
        log("enqueue_failed", message_ids=[id_ for id_, _ in due], kind=type(error).__name__)


def seconds_until(milliseconds: int, now: int) -> int:
    """The seconds until that time, rounded up; 0 if it is past. Both are in Unix milliseconds."""
    return max(0, math.ceil((milliseconds - now) / 1000))
