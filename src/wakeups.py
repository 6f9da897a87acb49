"""What the worker does when nobody calls it: attempts that are due, and the sweep each minute."""

import asyncio

from clock import now
from delivery import Dispatcher, Outlive, dispatcher_for
from runtime.bindings import Bindings
from runtime.log import log
from store.database import Database
from store.sweep import due_messages, sweep

# Without a queue the sweep itself sends what is due, few at a time: a minute comes every minute.
_ATTEMPTS_WITHOUT_QUEUE = 2


async def on_wake(message_ids: list[str], bindings: Bindings, outlive: Outlive) -> None:
    """Try these messages again, those of them that are due and that nobody else tries.

    What fails here stays due, and the sweep wakes it again.

    :raises ServerFault: ``invalid_setting``.
    """
    if not _may_send(bindings):
        return
    dispatcher = _dispatcher(bindings, outlive)
    attempts = [dispatcher.attempt_due(message_id) for message_id in message_ids]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    for message_id, result in zip(message_ids, results, strict=True):
        if isinstance(result, BaseException):
            log("attempt_failed", message_id=message_id, kind=type(result).__name__)


async def each_minute(bindings: Bindings, outlive: Outlive) -> None:
    """Wake what is due, end what a dead worker left behind, remove what is past its time.

    Nothing is raised: what fails here is done in the next minute.
    """
    database = bindings.database
    if database is None:
        log("sweep", problem="the DB binding is missing")
        return
    for work in (_wake_due(database, bindings, outlive), _sweep(database, bindings)):
        try:
            await work
        except Exception as error:  # one kind of work must not keep the other from being done
            log("minute_failed", kind=type(error).__name__, code=getattr(error, "code", None))


async def _wake_due(database: Database, bindings: Bindings, outlive: Outlive) -> None:
    if not _may_send(bindings):
        return
    due = await due_messages(database, now=now())
    log("due", count=len(due))
    if due and bindings.alarm:
        await bindings.alarm.wake(due)
    elif due:
        await on_wake(due[:_ATTEMPTS_WITHOUT_QUEUE], bindings, outlive)


async def _sweep(database: Database, bindings: Bindings) -> None:
    settings = bindings.settings
    swept = await sweep(
        database,
        now=now(),
        retention_days=settings.retention_days,
        retention_metadata_days=settings.retention_metadata_days,
    )
    log("sweep", **swept)


def _may_send(bindings: Bindings) -> bool:
    paused = bindings.settings.sending_paused
    possible = bindings.database is not None and bindings.transport is not None
    if paused or not possible:
        log("not_sending", paused=paused, bindings_missing=not possible)
    return possible and not paused


def _dispatcher(bindings: Bindings, outlive: Outlive) -> Dispatcher:
    assert bindings.database is not None  # _may_send has seen to it
    assert bindings.transport is not None
    return dispatcher_for(
        bindings.settings, bindings.database, bindings.transport, bindings.alarm, outlive
    )
