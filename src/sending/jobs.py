"""The jobs that run without a request: queue batches, and the cron every minute."""

from log import log
from sending.dispatcher import Dispatcher
from sending.enqueue import seconds_until
from services import Services
from store.database import Database
from store.search_index import index_messages
from store.sweep import due_messages, sweep

# Without a queue the cron attempts due messages itself, at most this many per minute.
_ATTEMPTS_WITHOUT_QUEUE = 2


async def process_queue(message_ids: list[str], services: Services) -> None:
    """Attempt the messages named in a queue batch, if they are due and not claimed.

    A message that can't be attempted stays due, and the cron enqueues it again.

    :raises ServerFault: ``invalid_setting``.
    """
    if _may_send(services):
        await Dispatcher(services).attempt_due(message_ids)


async def run_cron(services: Services) -> None:
    """Enqueue due messages, sweep, purge cleared sendboxes, and update the search index.

    It raises nothing: a job that fails runs again in the next minute.
    """
    database = services.database
    if database is None:
        log("sweep", problem="the DB binding is missing")
        return
    jobs = (
        _enqueue_due(database, services),
        _sweep(database, services),
        _purge_sendboxes(database, services),
        _index(database, services),
    )
    for job in jobs:
        try:
            await job
        except Exception as error:  # a job that fails must not stop the others
            log("cron_failed", kind=type(error).__name__, code=getattr(error, "code", None))


async def _enqueue_due(database: Database, services: Services) -> None:
    if not _may_send(services):
        return
    now = services.clock()
    due = await due_messages(database, now=now)
    log("due", count=len(due))
    if due and services.wakeup_queue:
        await services.wakeup_queue.enqueue([(id_, seconds_until(at, now)) for id_, at in due])
    elif due:
        due_now = [id_ for id_, at in due if at <= now]
        await process_queue(due_now[:_ATTEMPTS_WITHOUT_QUEUE], services)


async def _sweep(database: Database, services: Services) -> None:
    settings = services.settings
    swept = await sweep(
        database,
        now=services.clock(),
        retention_days=settings.retention_days,
        retention_metadata_days=settings.retention_metadata_days,
    )
    log("sweep", **swept)


async def _purge_sendboxes(database: Database, services: Services) -> None:
    # Imported here, because no other job needs it.
    from store.removal import purge_sendboxes

    messages = await purge_sendboxes(database, now=services.clock())
    log("sendbox_purges", messages=messages)


async def _index(database: Database, services: Services) -> None:
    before = database.rows_written
    messages = await index_messages(database, now=services.clock())
    log("search_index", messages=messages, d1_rows_written=database.rows_written - before)


def _may_send(services: Services) -> bool:
    paused = services.settings.sending_paused
    possible = services.database is not None and services.transport is not None
    if paused or not possible:
        log("not_sending", paused=paused, bindings_missing=not possible)
    return possible and not paused
