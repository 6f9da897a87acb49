"""The sweep: end expired leases and remove old data, in bounded steps.

Each step is a separate batch and leaves a consistent state, so a sweep can be interrupted anywhere
and continues in the next minute. Ids of messages sort by time, so old messages come first in the
primary key and need no further index.
"""

from dataclasses import dataclass

from clock import utc_day
from ids import first_id
from mail.lifecycle import FINAL
from store.database import Database, Statement, quoted
from store.logins import WINDOW_MILLISECONDS
from store.pauses import OWNER_IS_PAUSED
from store.record import StatusUpdate, record_statements
from store.usage import USAGE_DAYS

# The maximum number of rows per step.
STEP_ROWS = 1000

_DAY = 86_400_000
_MAX_DUE = 1000
_AHEAD_MILLISECONDS = 60_000  # until the next cron run

# Because of ORDER BY lease_until SQLite uses the index messages_leased.
_EXPIRED = "SELECT id, attempt FROM messages WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?2"

# The next old messages, after the position at which the last sweep stopped.
_OLD_KEYS = """
SELECT id FROM messages
WHERE id > coalesce((SELECT position FROM sweeps WHERE name = 'idempotency_keys'), '') AND id < ?1
ORDER BY id LIMIT ?2
"""

_FREE_KEYS = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE idempotency_key IS NOT NULL AND id IN ({_OLD_KEYS})
"""

_SAVE_POSITION = f"""
INSERT INTO sweeps (name, position)
SELECT 'idempotency_keys', position
FROM (SELECT max(id) AS position, count(*) AS passed FROM ({_OLD_KEYS})) WHERE passed > 0
ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""

# Uses the index messages_deleted. A day after the messages finished, their idempotency keys have
# expired and no late response of the provider can arrive.
_REMOVE_DELETED = """
DELETE FROM messages WHERE id IN (
  SELECT id FROM messages
  WHERE sendbox IS NULL AND id < ?1 AND finished_at <= ?3 ORDER BY id LIMIT ?2
)
RETURNING 1
"""

_COUNT_OLD_KEYS = f"SELECT 1 FROM ({_OLD_KEYS})"

_FINAL = quoted(FINAL)

_REMOVE_BODIES = f"""
DELETE FROM bodies WHERE message_id IN (
  SELECT DISTINCT message_id FROM bodies JOIN messages ON messages.id = message_id
  WHERE message_id < ?1 AND status IN ({_FINAL}) AND finished_at <= ?3 ORDER BY message_id LIMIT ?2
)
RETURNING 1
"""

# Also deletes deliveries, events and bodies (ON DELETE CASCADE).
_REMOVE_MESSAGES = f"""
DELETE FROM messages WHERE id IN (
  SELECT id FROM messages
  WHERE id < ?1 AND status IN ({_FINAL}) AND finished_at <= ?3 ORDER BY id LIMIT ?2
)
RETURNING 1
"""

_REMOVE_USAGE = """
DELETE FROM usage_days WHERE (day, address_id) IN (
  SELECT day, address_id FROM usage_days WHERE day < ?1 ORDER BY day, address_id LIMIT ?2
)
RETURNING 1
"""

# The ids of login failures increase with time, so the oldest rows come first.
_REMOVE_LOGIN_FAILURES = """
DELETE FROM login_failures WHERE id IN (
  SELECT id FROM (SELECT id, failed_at FROM login_failures WHERE id > 0 ORDER BY id LIMIT ?2)
  WHERE failed_at <= ?1
)
RETURNING 1
"""

_REMOVE_CLIENT_DAYS = """
DELETE FROM client_days WHERE (day, client) IN (
  SELECT day, client FROM client_days WHERE day < ?1 ORDER BY day, client LIMIT ?2
)
RETURNING 1
"""

# In the order of the index messages_due. Scheduled messages are enqueued up to a minute ahead, so
# they are sent on time. Queued messages are enqueued when they are due.
_DUE = f"""
SELECT id, next_attempt_at FROM messages AS m
WHERE next_attempt_at <= ?2 AND (status = 'scheduled' OR next_attempt_at <= ?1)
  AND NOT {OWNER_IS_PAUSED}
ORDER BY next_attempt_at LIMIT ?3
"""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: statements with common parameters.

    The count of the step is the number of rows of the statement that returns the most rows.
    """

    name: str
    sql: tuple[str, ...]
    parameters: tuple[int | str, ...]


async def sweep(
    database: Database, *, now: int, retention_days: int, retention_metadata_days: int
) -> dict[str, int]:
    """Run all steps once, and return the number of rows by the name of the step.

    Messages with an expired lease become ``unknown``: their worker died, or could not record the
    outcome. Idempotency keys expire after a day, usage counters after 90 days. Deleted messages are
    removed a day after they finished. Expired login failures and counters of clients are removed.

    :param retention_days: the days after which the bodies of a finished message are removed; 0 to
        keep them.
    :param retention_metadata_days: the days after which a finished message is removed; 0 to keep
        it.

    :raises DatabaseUnavailable: the next cron run continues.
    """
    steps = [
        _Step(
            "keys_passed",
            (_FREE_KEYS, _COUNT_OLD_KEYS, _SAVE_POSITION),
            (first_id(now - _DAY), STEP_ROWS),
        ),
        _Step("usage_removed", (_REMOVE_USAGE,), (utc_day(now - USAGE_DAYS * _DAY), STEP_ROWS)),
        _Step("deleted_removed", (_REMOVE_DELETED,), _before(now - _DAY)),
        _Step(
            "login_failures_removed",
            (_REMOVE_LOGIN_FAILURES,),
            (now - WINDOW_MILLISECONDS, STEP_ROWS),
        ),
        _Step("client_days_removed", (_REMOVE_CLIENT_DAYS,), (utc_day(now), STEP_ROWS)),
    ]
    if retention_days:
        past = _before(now - retention_days * _DAY)
        steps.append(_Step("bodies_removed", (_REMOVE_BODIES,), past))
    if retention_metadata_days:
        past = _before(now - retention_metadata_days * _DAY)
        steps.append(_Step("messages_removed", (_REMOVE_MESSAGES,), past))
    expired = await _end_expired_leases(database, now)
    return {
        "became_unknown": expired,
        **{step.name: await _work(database, step) for step in steps},
    }


async def due_messages(database: Database, *, now: int) -> list[tuple[str, int]]:
    """The ids of messages that are due or scheduled for the next minute, with their times.

    The earliest come first, at most a thousand. Messages of paused addresses are left out.
    """
    due = Statement(_DUE, (now, now + _AHEAD_MILLISECONDS, _MAX_DUE))
    (rows,) = await database.batch([due], repeatable=True)
    return [(row["id"], row["next_attempt_at"]) for row in rows]


async def _end_expired_leases(database: Database, now: int) -> int:
    expired = Statement(_EXPIRED, (now, STEP_ROWS))
    (rows,) = await database.batch([expired], repeatable=True)
    if rows:
        updates = [
            StatusUpdate(id=row["id"], event="timed_out", attempt=row["attempt"], now=now)
            for row in rows
        ]
        # record() would also read the statuses, and the statements of a cron run are limited.
        await database.batch(record_statements(updates), repeatable=True)
    return len(rows)


async def _work(database: Database, step: _Step) -> int:
    statements = [Statement(sql, step.parameters) for sql in step.sql]
    return max(len(rows) for rows in await database.batch(statements, repeatable=True))


def _before(milliseconds: int) -> tuple[str, int, int]:
    time = max(0, milliseconds)
    return first_id(time), STEP_ROWS, time
