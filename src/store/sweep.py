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
_AHEAD_MILLISECONDS = 60_000  # until the next sweep

# ORDER BY the indexed column makes SQLite use the index messages_leased.
_EXPIRED = "SELECT id, attempt FROM messages WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?2"

# The next old messages, from the position of the last sweep.
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

# Finished messages to sandbox recipients, from the position of the last sweep. Messages that
# finished in the same millisecond are passed together, even if they exceed the limit.
_OLD_SANDBOX = """
SELECT id, finished_at FROM messages
WHERE is_sandbox AND finished_at > coalesce(
  (SELECT CAST(position AS INTEGER) FROM sweeps WHERE name = 'sandbox_texts'), 0
)
"""
_LAST_SANDBOX = f"""
SELECT max(finished_at) AS position
FROM ({_OLD_SANDBOX} AND finished_at <= ?1 ORDER BY finished_at LIMIT ?2)
"""
_REMOVE_SANDBOX_TEXTS = f"""
DELETE FROM bodies WHERE message_id IN (
  SELECT id FROM ({_OLD_SANDBOX} AND finished_at <= ({_LAST_SANDBOX}))
)
RETURNING 1
"""
_SAVE_SANDBOX_POSITION = f"""
INSERT INTO sweeps (name, position)
SELECT 'sandbox_texts', CAST(position AS TEXT) FROM ({_LAST_SANDBOX}) WHERE position > 0
ON CONFLICT (name) DO UPDATE SET position = excluded.position
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

# Ids increase with time, so the oldest rows come first.
_REMOVE_LOGIN_FAILURES = """
DELETE FROM login_failures WHERE id IN (
  SELECT id FROM (SELECT id, failed_at FROM login_failures WHERE id > 0 ORDER BY id LIMIT ?2)
  WHERE failed_at <= ?1
)
RETURNING 1
"""

_REMOVE_DAILY_COUNTS = """
DELETE FROM daily_counts WHERE (day, subject, act) IN (
  SELECT day, subject, act FROM daily_counts WHERE day < ?1 ORDER BY day, subject, act LIMIT ?2
)
RETURNING 1
"""

# In the order of the index messages_due. Queued messages were enqueued when they were deferred.
_DUE = f"""
SELECT id, next_attempt_at FROM messages AS m
WHERE next_attempt_at <= ?2 AND (status = 'scheduled' OR next_attempt_at <= ?1)
  AND NOT {OWNER_IS_PAUSED}
ORDER BY next_attempt_at LIMIT ?3
"""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: its statements and their parameters. The longest result is its count."""

    name: str
    sql: tuple[str, ...]
    parameters: tuple[int | str, ...]


async def sweep(
    database: Database, *, now: int, retention_days: int, retention_metadata_days: int
) -> dict[str, int]:
    """Run all steps once, and return the number of rows for each.

    Messages with an expired lease become ``unknown``: their worker died, or could not record the
    outcome. Idempotency keys expire after a day, usage counters after 90 days.
    Bodies and messages are removed after the given days since they finished; 0 keeps them forever.
    The bodies of messages to sandbox recipients, which cost nothing, are removed after a day.
    Deleted messages are removed after a day. Expired login failures and daily counts are removed.

    :raises DatabaseUnavailable: the next cron run continues.
    """
    steps = [
        _Step(
            "keys_passed",
            (_FREE_KEYS, _COUNT_OLD_KEYS, _SAVE_POSITION),
            (first_id(now - _DAY), STEP_ROWS),
        ),
        _Step("usage_removed", (_REMOVE_USAGE,), (utc_day(now - USAGE_DAYS * _DAY), STEP_ROWS)),
        _Step(
            "sandbox_texts_removed",
            (_REMOVE_SANDBOX_TEXTS, _SAVE_SANDBOX_POSITION),
            (now - _DAY, STEP_ROWS),
        ),
        _Step("deleted_removed", (_REMOVE_DELETED,), _before(now - _DAY)),
        _Step(
            "login_failures_removed",
            (_REMOVE_LOGIN_FAILURES,),
            (now - WINDOW_MILLISECONDS, STEP_ROWS),
        ),
        _Step("daily_counts_removed", (_REMOVE_DAILY_COUNTS,), (utc_day(now), STEP_ROWS)),
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
    """Messages that are due or scheduled for the next minute, with their times, earliest first.

    At most a thousand.
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
        # Not by record(), which also reads statuses: a cron run has few statements to spare.
        await database.batch(record_statements(updates), repeatable=True)
    return len(rows)


async def _work(database: Database, step: _Step) -> int:
    statements = [Statement(sql, step.parameters) for sql in step.sql]
    return max(len(rows) for rows in await database.batch(statements, repeatable=True))


def _before(milliseconds: int) -> tuple[str, int, int]:
    time = max(0, milliseconds)
    return first_id(time), STEP_ROWS, time
