"""The sweep: end expired leases and remove old data, in bounded steps.

Each step leaves a consistent state, so a sweep can be interrupted anywhere and continues in the
next minute. Ids of messages sort by time, so old messages come first in the primary key and need no
further index.
"""

from msgspec.structs import replace

from clock import utc_day
from ids import first_id
from mail.lifecycle import FINAL
from store.database import Database, Row, Statement, quoted
from store.logins import WINDOW_MILLISECONDS
from store.record import StatusUpdate, record_statements
from store.removal import DELETED_STAY_MILLISECONDS
from store.step import Step
from store.usage import USAGE_DAYS

# The maximum number of rows per step.
STEP_ROWS = 1000

# The number of statements that record timeouts.
_TIMEOUT_STATEMENTS = 4

_HOUR, _DAY = 3_600_000, 86_400_000

# A lease that ends after ?2 is longer than any lease: the clock of its worker was wrong. It counts
# as expired. Because of ORDER BY lease_until SQLite uses the index messages_leased. This index has
# only the few messages that are being sent.
_EXPIRED = """
SELECT id, attempt, ask_until FROM messages
WHERE lease_until >= 0 AND lease_until NOT BETWEEN ?1 + 1 AND ?2 ORDER BY lease_until LIMIT ?3
"""

# The next old messages, after the position at which the last sweep stopped. A position later than
# ?3, which is now, is that of a wrong clock. Then the sweep begins again.
_OLD = """
SELECT id FROM messages
WHERE {condition} AND id < ?1
  AND id > coalesce((SELECT position FROM sweeps WHERE name = '{name}' AND position < ?3), '')
ORDER BY id LIMIT ?2
"""
_SAVE_POSITION = """
INSERT INTO sweeps (name, position)
SELECT '{name}', position FROM (SELECT max(id) AS position FROM ({old})) WHERE position IS NOT NULL
ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""

_KEYS = "idempotency_keys"
_OLD_KEYS = _OLD.format(name=_KEYS, condition="true")
_FREE_KEYS = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE idempotency_key IS NOT NULL AND id IN ({_OLD_KEYS})
"""
_COUNT_OLD_KEYS = f"SELECT 1 FROM ({_OLD_KEYS})"
_SAVE_KEYS_POSITION = _SAVE_POSITION.format(name=_KEYS, old=_OLD_KEYS)

# Messages to sandbox recipients, found by the index messages_sandbox. Messages of any status lose
# their texts: one that waits needs no text, because it never leaves the Worker.
_SANDBOX = "sandbox_texts"
_OLD_SANDBOX = _OLD.format(name=_SANDBOX, condition="is_sandbox")
_REMOVE_SANDBOX_TEXTS = f"""
DELETE FROM bodies WHERE message_id IN ({_OLD_SANDBOX}) RETURNING 1
"""
_SAVE_SANDBOX_POSITION = _SAVE_POSITION.format(name=_SANDBOX, old=_OLD_SANDBOX)

# Uses the index messages_deleted.
_REMOVE_DELETED = """
DELETE FROM messages WHERE id IN (
  SELECT id FROM messages
  WHERE sendbox IS NULL AND id < ?1 AND finished_at <= ?3 ORDER BY id LIMIT ?2
)
RETURNING 1
"""

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
DELETE FROM usage_days WHERE (day, address_id, domain) IN (
  SELECT day, address_id, domain FROM usage_days
  WHERE day < ?1 ORDER BY day, address_id, domain LIMIT ?2
)
RETURNING 1
"""

_REMOVE_DELIVERY_DAYS = """
DELETE FROM delivery_days WHERE (day, domain) IN (
  SELECT day, domain FROM delivery_days WHERE day < ?1 ORDER BY day, domain LIMIT ?2
)
RETURNING 1
"""

# Uses the index suppressions_by_end.
_REMOVE_SUPPRESSIONS = """
DELETE FROM suppressions WHERE (address, scope) IN (
  SELECT address, scope FROM suppressions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2
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

_REMOVE_DAILY_COUNTS = """
DELETE FROM daily_counts WHERE (day, subject, act) IN (
  SELECT day, subject, act FROM daily_counts WHERE day < ?1 ORDER BY day, subject, act LIMIT ?2
)
RETURNING 1
"""


def sweep_steps(*, now: int, retention_days: int, retention_metadata_days: int) -> list[Step]:
    """The steps that remove old data.

    Idempotency keys expire after a day, usage counters after 90 days. Deleted messages are removed
    a week after they finished. The bodies of messages to sandbox recipients, which cost no balance,
    are removed a day after the messages were accepted. Expired login failures, suppressions and
    daily counts are removed.

    :param retention_days: the days after which the bodies of a finished message are removed; 0 to
        keep them.
    :param retention_metadata_days: the days after which a finished message is removed; 0 to keep
        it.
    """
    steps = [
        _step(
            "keys_passed",
            (_FREE_KEYS, _COUNT_OLD_KEYS, _SAVE_KEYS_POSITION),
            (first_id(now - _DAY), STEP_ROWS, first_id(now)),
        ),
        _step(
            "usage_removed",
            (_REMOVE_USAGE, _REMOVE_DELIVERY_DAYS),
            (utc_day(now - USAGE_DAYS * _DAY), STEP_ROWS),
        ),
        _step(
            "sandbox_texts_removed",
            (_REMOVE_SANDBOX_TEXTS, _SAVE_SANDBOX_POSITION),
            (first_id(now - _DAY), STEP_ROWS, first_id(now)),
        ),
        _step("deleted_removed", (_REMOVE_DELETED,), _before(now - DELETED_STAY_MILLISECONDS)),
        _step(
            "login_failures_removed",
            (_REMOVE_LOGIN_FAILURES,),
            (now - WINDOW_MILLISECONDS, STEP_ROWS),
        ),
        _step("suppressions_removed", (_REMOVE_SUPPRESSIONS,), (now, STEP_ROWS)),
        # The counts of yesterday are kept, because they are those of today if this clock is fast.
        _step("daily_counts_removed", (_REMOVE_DAILY_COUNTS,), (utc_day(now - _DAY), STEP_ROWS)),
    ]
    if retention_days:
        past = _before(now - retention_days * _DAY)
        steps.append(_step("bodies_removed", (_REMOVE_BODIES,), past))
    if retention_metadata_days:
        past = _before(now - retention_metadata_days * _DAY)
        steps.append(_step("messages_removed", (_REMOVE_MESSAGES,), past))
    return steps


def lease_step(*, now: int) -> Step:
    """The step that records messages with an expired lease as ``unknown``, or as ``queued``.

    The worker that held such a message stopped, or could not record the outcome. If it has not
    stopped, because the clocks of workers differ, it still records the outcome.
    """

    async def run(database: Database) -> int:
        expired = Statement(_EXPIRED, (now, now + _HOUR, STEP_ROWS))
        (rows,) = await database.batch([expired], repeatable=True)
        if rows:
            updates = [_expired(row, now) for row in rows]
            # record() would also read the statuses, and the statements of a cron run are limited.
            await database.batch(record_statements(updates), repeatable=True)
        return len(rows)

    return Step("became_unknown", 1 + _TIMEOUT_STATEMENTS, STEP_ROWS, run)


def _expired(row: Row, now: int) -> StatusUpdate:
    """The update of a message whose lease has expired.

    If the provider may be asked again with the same key, the message waits for the next attempt.
    """
    update = StatusUpdate(id=row["id"], event="timed_out", attempt=row["attempt"], now=now)
    ask_until = row["ask_until"]
    if ask_until is None or ask_until <= now:
        return update
    return replace(
        update,
        event="deferred",
        next_attempt_at=now,
        ask_until=ask_until,
        provider_code="asked_again",
        reported_as="queued",
    )


def _step(name: str, texts: tuple[str, ...], parameters: tuple[int | str, ...]) -> Step:
    """A step of one batch.

    The count of the step is the number of rows of the statement that returns the most rows.
    """
    statements = [Statement(sql, parameters) for sql in texts]

    async def run(database: Database) -> int:
        return max(len(rows) for rows in await database.batch(statements, repeatable=True))

    return Step(name, len(statements), STEP_ROWS, run)


def _before(milliseconds: int) -> tuple[str, int, int]:
    time = max(0, milliseconds)
    return first_id(time), STEP_ROWS, time
