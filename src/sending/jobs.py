"""The jobs that run without a request: queue batches, and the cron every minute."""

from collections import Counter
from collections.abc import Awaitable

from log import log
from sending.dispatcher import Dispatcher
from sending.enqueue import enqueue_soon, seconds_until
from services import Services
from store.database import Database
from store.step import Step

# The maximum number of due messages that a cron run enqueues, and the maximum number of times that
# it runs each step. The `_OF_MANY` values apply if more than _MANY_SUBREQUESTS subrequests are
# left. The other values are small, because a plan with few subrequests also limits the CPU time.
_DUE_A_MINUTE, _ROUNDS = 1000, 3
_DUE_A_MINUTE_OF_MANY, _ROUNDS_OF_MANY = 5000, 1000
_MANY_SUBREQUESTS = 1000

# On a plan with few subrequests, the steps of webhooks replace those of the sweep once in these
# minutes, if there are webhooks.
_MINUTES_BETWEEN_WEBHOOKS = 5

# How many ids of a cron run arrive in the queue per second. The queue is first in, first out. If
# all arrived at once, the messages of the next requests would wait behind them.
_ARRIVALS_A_SECOND = 90

# The times from the start of a cron run. After them, the run begins no further round that ends
# leases, no further attempt, and no further round of the other steps. So cron runs rarely overlap.
_LEASES_BEGIN_MILLISECONDS = 10_000
_ATTEMPTS_BEGIN_MILLISECONDS = 40_000
_STEPS_BEGIN_MILLISECONDS = 50_000


async def process_queue(message_ids: list[str], services: Services) -> None:
    """Attempt the messages named in a queue batch, if they are due and not claimed.

    Messages that do not fit into this invocation are enqueued again. A message that can't be
    attempted stays due, and the cron enqueues it again.

    :raises ServerFault: ``invalid_setting``.
    """
    if _may_send(services):
        left = await Dispatcher(services).attempt_due(message_ids)
        enqueue_soon(services, [(id_, 0) for id_ in left])


async def run_cron(services: Services) -> None:
    """End expired leases, enqueue due messages and webhooks, sweep, purge sendboxes, index.

    It also notes that it runs, for the administrators' overview. It raises nothing: a job that
    fails runs again in the next minute. Due messages come before the work that cleans up and
    indexes. This work consists of steps, and each step needs a limited number of subrequests.
    """
    database = services.database
    if database is None:
        log("sweep", problem="the DB binding is missing")
        return
    # Imported here, because no request needs them.
    from store.overview import cron_step
    from store.sweep import lease_step

    started = services.clock()
    counts: Counter[str] = Counter()
    leases = _run_steps(
        [cron_step(now=started), lease_step(now=started)],
        database,
        services,
        counts,
        until=started + _LEASES_BEGIN_MILLISECONDS,
    )
    await _succeeds(leases)
    await _succeeds(_enqueue_due(database, services, until=started + _ATTEMPTS_BEGIN_MILLISECONDS))
    await _succeeds(_serve_webhooks(services, database))
    await _succeeds(
        _clean_up_and_index(database, services, counts, until=started + _STEPS_BEGIN_MILLISECONDS)
    )


async def _succeeds(job: Awaitable[None]) -> bool:
    """Run ``job``; return whether it succeeded. Log an error instead of raising it."""
    try:
        await job
    except Exception as error:  # a job that fails must not stop the others
        log("cron_failed", kind=type(error).__name__, code=getattr(error, "code", None))
        return False
    return True


async def _enqueue_due(database: Database, services: Services, *, until: int) -> None:
    """Enqueue the due messages, or attempt them if there is no queue or the queue fails.

    :param until: the time after which no attempt begins, in Unix milliseconds.
    """
    if not _may_send(services):
        return
    from store.due import due_messages  # imported here, because no request needs it

    started = services.clock()
    limit = _DUE_A_MINUTE_OF_MANY if _has_many(services) else _DUE_A_MINUTE
    due = await due_messages(database, now=started, limit=limit)
    log("due", count=len(due))
    if not due:
        return
    queue = services.wakeup_queue
    if queue and await _succeeds(queue.enqueue(_paced(due, started))):
        return
    due_now = [id_ for id_, at in due if at <= started]
    await Dispatcher(services).attempt_due(due_now, until=until)


async def _serve_webhooks(services: Services, database: Database) -> None:
    # Imported here, because no request needs it.
    from sending.webhooks import enqueue_due_webhooks

    await enqueue_due_webhooks(services, database)


def _paced(due: list[tuple[str, int]], now: int) -> list[tuple[str, int]]:
    """The ids with their delays in seconds, so that few of them arrive in the same second.

    The first ids arrive in the seconds in which they are due.
    """
    arrivals: Counter[int] = Counter()
    paced = []
    for id_, at in due:
        second = seconds_until(at, now)
        while arrivals[second] >= _ARRIVALS_A_SECOND:
            second += 1
        arrivals[second] += 1
        paced.append((id_, second))
    return paced


async def _clean_up_and_index(
    database: Database, services: Services, counts: Counter[str], *, until: int
) -> None:
    """Sweep, purge cleared sendboxes, and update the search index.

    :param counts: the number of rows by the name of the step, so far in this cron run. The numbers
        of these steps are added.
    :param until: as for ``_run_steps``.
    """
    # Imported here, because no request needs them.
    from store.removal import purge_steps
    from store.search_index import index_step
    from store.sweep import sweep_steps
    from store.webhook_removal import webhook_steps
    from store.webhooks import has_webhooks

    now, settings = services.clock(), services.settings
    sweep = sweep_steps(
        now=now,
        retention_days=settings.retention_days,
        retention_metadata_days=settings.retention_metadata_days,
    )
    is_their_minute = now // 60_000 % _MINUTES_BETWEEN_WEBHOOKS == _MINUTES_BETWEEN_WEBHOOKS // 2
    if (_has_many(services) or is_their_minute) and await has_webhooks(database):
        # Both together may need too many subrequests.
        sweep = [*(sweep if _has_many(services) else ()), *webhook_steps(now=now)]
    steps = [*purge_steps(now=now), *sweep, index_step(now=now)]
    # If a cron run can't run all steps, the last ones are left out. So each run starts with another
    # step.
    first = now // 60_000 % len(steps)
    await _run_steps(steps[first:] + steps[:first], database, services, counts, until=until)
    names = ["became_unknown", *(step.name for step in sweep)]
    log("sweep", **{name: counts[name] for name in names})
    log("sendbox_purges", cancelled=counts["cancelled"], messages=counts["removed"])
    log("search_index", messages=counts["indexed"], d1_rows_written=counts["indexed rows"])


async def _run_steps(
    steps: list[Step],
    database: Database,
    services: Services,
    counts: Counter[str],
    *,
    until: int,
) -> None:
    """Run each step once, then repeat the steps that have more work.

    Steps for which too few subrequests are left are left out. The number of rows of each step is
    added to ``counts``.

    :param until: the time after which no step is repeated, in Unix milliseconds.
    """
    for number in range(_ROUNDS_OF_MANY if _has_many(services) else _ROUNDS):
        if not steps or (number > 0 and services.clock() >= until):
            break
        again = []
        for step in steps:
            if services.subrequests.left < step.statements:
                continue  # a later cron run runs this step
            before = counts[step.name]
            await _succeeds(_run_step(step, database, counts))
            if counts[step.name] - before >= step.full:
                again.append(step)
        steps = again


async def _run_step(step: Step, database: Database, counts: Counter[str]) -> None:
    before = database.rows_written
    counts[step.name] += await step.run(database)
    counts[f"{step.name} rows"] += database.rows_written - before


def _has_many(services: Services) -> bool:
    return services.subrequests.left > _MANY_SUBREQUESTS


def _may_send(services: Services) -> bool:
    paused = services.settings.sending_paused
    possible = services.database is not None and services.can_send
    if paused or not possible:
        log("not_sending", paused=paused, bindings_missing=not possible)
    return possible and not paused
