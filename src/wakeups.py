"""What the worker does when nobody calls it: attempts that are due, and the sweep each minute."""

import asyncio

from clock import now
from delivery import Dispatcher, Outlive
from runtime.bindings import Bindings
from runtime.log import log
from store.database import Database
from store.sweep import due_messages, sweep

# Without a queue the sweep itself sends what is due, few at a time: a minute comes every minute.
_ATTEMPTS_WITHOUT_QUEUE = 2


async def on_wake(message_ids: list[str], bindings: Bindings, outlive: Outlive) -> None:
    """Try these messages again, those of them that are due and that nobody else tries.

    Nothing is raised: what fails here stays due, and the sweep wakes it again.
    """
    dispatcher = _dispatcher(bindings, outlive)
    if dispatcher is None:
        return
    attempts = [dispatcher.attempt_due(message_id) for message_id in message_ids]
    for error in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(error, BaseException):
            log("attempt_failed", kind=type(error).__name__)


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
    due = await due_messages(database, now=now())
    if due and bindings.alarm is None:
        await on_wake(due[:_ATTEMPTS_WITHOUT_QUEUE], bindings, outlive)
    elif due and bindings.alarm is not None:
        await bindings.alarm.wake(due)
    log("due", count=len(due))


async def _sweep(database: Database, bindings: Bindings) -> None:
    settings = bindings.settings
    swept = await sweep(
        database,
        now=now(),
        retention_days=settings.retention_days,
        retention_metadata_days=settings.retention_metadata_days,
    )
    log("sweep", **swept)


def _dispatcher(bindings: Bindings, outlive: Outlive) -> Dispatcher | None:
    database, transport, settings = bindings.database, bindings.transport, bindings.settings
    if database is None or transport is None or settings.sending_paused:
        log("not_sending", paused=settings.sending_paused)
        return None
    return Dispatcher(
        database=database,
        transport=transport,
        alarm=bindings.alarm,
        outlive=outlive,
        retry_hours=settings.retry_hours,
        default_balance=settings.default_send_balance,
    )
