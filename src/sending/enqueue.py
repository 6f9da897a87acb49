"""Enqueue messages that are due soon. The cron enqueues messages that are due later."""

import math

from log import log
from services import Services, WakeupQueue
from store.waiting import NEAR_MILLISECONDS


def enqueue_soon(
    services: Services, due: list[tuple[str, int]], *, has_many_waiting: bool = False
) -> None:
    """Enqueue, in the background, those messages of ``due`` that are due within two minutes.

    Without a queue, do nothing.

    :param due: the id of each message, and when it is due, in Unix milliseconds.
    :param has_many_waiting: whether the address has so many waiting messages that these are left to
        the cron (``store/waiting.py``).
    """
    if has_many_waiting:
        return
    now = services.clock()
    soon = now + NEAR_MILLISECONDS
    near = [(id_, seconds_until(at, now)) for id_, at in due if at <= soon]
    if near and services.wakeup_queue:
        services.run_in_background(_enqueue(services.wakeup_queue, near))


async def _enqueue(queue: WakeupQueue, due: list[tuple[str, int]]) -> None:
    try:
        await queue.enqueue(due)
    except Exception as error:  # the cron will enqueue these messages when they are due
        log("enqueue_failed", message_ids=[id_ for id_, _ in due], kind=type(error).__name__)


def seconds_until(milliseconds: int, now: int) -> int:
    """The seconds from ``now`` until ``milliseconds``, rounded up; 0 if that time is past.

    Both times are in Unix milliseconds.
    """
    return max(0, math.ceil((milliseconds - now) / 1000))
