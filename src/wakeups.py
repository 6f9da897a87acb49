"""What the worker does when nobody calls it: attempts that are due, and the sweep each minute."""

from clock import now
from delivery import Outlive, dispatcher_for, seconds_until
from runtime.bindings import Bindings
from runtime.d1 import D1Database
from runtime.log import log
from store.database import Database
from store.search_index import index_messages
from store.sweep import due_messages, sweep

# Without a queue the sweep itself sends what is due, few at a time: a minute comes every minute.
_ATTEMPTS_WITHOUT_QUEUE = 2


async def on_wake(message_ids: list[str], bindings: Bindings, outlive: Outlive) -> None:
    """Make the attempts that are due of these messages, and that nobody else makes.

    What fails here stays due, and the sweep wakes it again.

    :raises ServerFault: ``invalid_setting``.
    """
    if not _may_send(bindings):
        return
    assert bindings.database is not None  # _may_send has seen to it
    assert bindings.transport is not None
    dispatcher = dispatcher_for(
        bindings.settings, bindings.database, bindings.transport, bindings.alarm, outlive
    )
    await dispatcher.attempt_due(message_ids)


async def each_minute(bindings: Bindings, outlive: Outlive) -> None:
    """Wake what is due, end what a dead worker left behind, remove what is past its time or
    was cleared away, and bring into the search index what is not in it yet.

    Nothing is raised: what fails here is done in the next minute.
    """
    database = bindings.database
    if database is None:
        log("sweep", problem="the DB binding is missing")
        return
    jobs = (
        _wake_due(database, bindings, outlive),
        _sweep(database, bindings),
        _empty_leftovers(database),
        _index(database),
    )
    for job in jobs:
        try:
            await job
        except Exception as error:  # one job must not keep the others from being done
            log("minute_failed", kind=type(error).__name__, code=getattr(error, "code", None))


async def _wake_due(database: Database, bindings: Bindings, outlive: Outlive) -> None:
    if not _may_send(bindings):
        return
    at = now()
    due = await due_messages(database, now=at)
    log("due", count=len(due))
    if due and bindings.alarm:
        await bindings.alarm.wake([(id_, seconds_until(due_at)) for id_, due_at in due])
    elif due:
        now_due = [id_ for id_, due_at in due if due_at <= at]
        await on_wake(now_due[:_ATTEMPTS_WITHOUT_QUEUE], bindings, outlive)


async def _sweep(database: Database, bindings: Bindings) -> None:
    settings = bindings.settings
    swept = await sweep(
        database,
        now=now(),
        retention_days=settings.retention_days,
        retention_metadata_days=settings.retention_metadata_days,
    )
    log("sweep", **swept)


async def _index(database: D1Database) -> None:
    before = database.rows_written
    messages = await index_messages(database, now=now())
    log("search_index", messages=messages, d1_rows_written=database.rows_written - before)


async def _empty_leftovers(database: Database) -> None:
    from store.removal import empty_leftovers  # of no use to the requests that this worker serves

    log("leftovers", messages=await empty_leftovers(database, now=now()))


def _may_send(bindings: Bindings) -> bool:
    paused = bindings.settings.sending_paused
    possible = bindings.database is not None and bindings.transport is not None
    if paused or not possible:
        log("not_sending", paused=paused, bindings_missing=not possible)
    return possible and not paused
