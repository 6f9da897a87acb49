"""Enqueue messages and webhooks that are due soon. The cron enqueues those that are due later."""

import math
from collections.abc import Iterable

from log import log
from services import Services, WakeupQueue
from store.database import Database
from store.waiting import NEAR_MILLISECONDS, of_few_waiting


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
    near = _near(due, services.clock())
    if near and services.wakeup_queue:
        services.waiting.run_in_background(_enqueue(services.wakeup_queue, near))


async def enqueue_retries(
    database: Database, queue: WakeupQueue, due: list[tuple[str, int]], *, now: int
) -> None:
    """Enqueue those of ``due`` that are due within two minutes, for messages of several addresses.

    Messages of an address with many waiting messages are left to the cron. It raises nothing.

    :param due: as for ``enqueue_soon``.
    """
    near = _near(due, now)
    if not near:
        return
    try:
        few = await of_few_waiting(database, [id_ for id_, _ in near], now=now)
    except Exception as error:
        _log_failed(near, error)
        return
    await _enqueue(queue, [one for one in near if one[0] in few])


def wake_webhooks(services: Services, webhook_ids: Iterable[str], seconds: int = 0) -> None:
    """Enqueue, in the background, the ids of webhooks that have deliveries to send.

    Without a queue, do nothing: the cron finds these webhooks.

    :param seconds: the delay.
    """
    queue = services.webhook_queue
    if queue and services.subrequests.left > 0:
        due = [(id_, seconds) for id_ in webhook_ids]
        services.waiting.run_in_background(services.subrequests.keep(1, _enqueue(queue, due)))


def _near(due: list[tuple[str, int]], now: int) -> list[tuple[str, int]]:
    """Those of ``due`` that are due within two minutes, with their delays in seconds."""
    return [(id_, seconds_until(at, now)) for id_, at in due if at <= now + NEAR_MILLISECONDS]


async def _enqueue(queue: WakeupQueue, due: list[tuple[str, int]]) -> None:
    try:
        await queue.enqueue(due)
    except Exception as error:
        _log_failed(due, error)


def _log_failed(due: list[tuple[str, int]], error: Exception) -> None:
    # The cron will enqueue these messages, or webhooks, when they are due.
    log("enqueue_failed", message_ids=[id_ for id_, _ in due], kind=type(error).__name__)


def seconds_until(milliseconds: int, now: int) -> int:
    """The seconds from ``now`` until ``milliseconds``, rounded up; 0 if that time is past.

    Both times are in Unix milliseconds.
    """
    return max(0, math.ceil((milliseconds - now) / 1000))
