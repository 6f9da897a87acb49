"""The sweep: what is past its time is ended or removed, in bounded steps.

Each step is a batch of its own that leaves everything as it should be, so a sweep may be
interrupted anywhere and goes on in the next minute. Ids of messages sort by time, so what is
old lies at the beginning of the primary key, and no further index is needed.
"""

from dataclasses import dataclass

from clock import utc_day
from lifecycle import FINAL, steps_on
from store.database import Database, Statement
from store.ids import first_id
from store.logins import WINDOW_MILLISECONDS
from store.pauses import OWNER_IS_PAUSED
from store.usage import ADD, COUNTED, USAGE_DAYS

# Rows of messages that one step deals with.
STEP_ROWS = 1000

_DAY = 86_400_000
_MAX_DUE = 1000
_AHEAD_MILLISECONDS = 60_000  # until the next sweep

# The order by the indexed column makes messages_leased the way to the rows.
_EXPIRED = "SELECT id FROM messages WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?2"
_LOST = steps_on("lost")["sending"].target

_INSERT_EVENTS = f"""
INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)
SELECT
  id, (SELECT coalesce(1 + max(sequence), 0) FROM events WHERE message_id = id),
  '{_LOST}', attempt, ?1
FROM messages WHERE id IN ({_EXPIRED})
"""

_COUNT = ADD.format(
    counted=f"""
    SELECT {COUNTED} FROM (SELECT *, '{_LOST}' AS target FROM messages WHERE id IN ({_EXPIRED}))
    WHERE NOT is_test GROUP BY day, address_id
    """
)

_REMOVE_ATTACHMENTS = f"DELETE FROM attachment_parts WHERE message_id IN ({_EXPIRED})"

# Last: the statements before it find the same rows as long as these still have their leases.
_END_MESSAGES = f"""
UPDATE messages SET status = '{_LOST}', lease_until = NULL, finished_at = ?1
WHERE id IN ({_EXPIRED})
RETURNING id
"""

# A walk over all messages of the past, from where the last one stopped.
_OLD_KEYS = """
SELECT id FROM messages
WHERE id > coalesce((SELECT position FROM sweeps WHERE name = 'idempotency_keys'), '') AND id < ?1
ORDER BY id LIMIT ?2
"""

_FREE_KEYS = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE idempotency_key IS NOT NULL AND id IN ({_OLD_KEYS})
"""

_MOVE_ON = f"""
INSERT INTO sweeps (name, position)
SELECT 'idempotency_keys', position
FROM (SELECT max(id) AS position, count(*) AS passed FROM ({_OLD_KEYS})) WHERE passed > 0
ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""

# messages_deleted has these alone: their keys are not asked for any more, and no answer of the
# provider comes any more.
_REMOVE_DELETED = """
DELETE FROM messages WHERE id IN (
  SELECT id FROM messages
  WHERE sendbox IS NULL AND id < ?1 AND finished_at <= ?3 ORDER BY id LIMIT ?2
)
RETURNING 1
"""

_COUNT_OLD_KEYS = f"SELECT 1 FROM ({_OLD_KEYS})"

_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))

_REMOVE_BODIES = f"""
DELETE FROM bodies WHERE message_id IN (
  SELECT DISTINCT message_id FROM bodies JOIN messages ON messages.id = message_id
  WHERE message_id < ?1 AND status IN ({_FINAL}) AND finished_at <= ?3 ORDER BY message_id LIMIT ?2
)
RETURNING 1
"""

# Deliveries, events and bodies go with their message (ON DELETE CASCADE).
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

# Ids grow with time, so the oldest come first.
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

# messages_due gives these in their order. What is queued has had its alarm set when it was queued.
_DUE = f"""
SELECT id, next_attempt_at FROM messages AS m
WHERE next_attempt_at <= ?2 AND (status = 'scheduled' OR next_attempt_at <= ?1)
  AND NOT {OWNER_IS_PAUSED}
ORDER BY next_attempt_at LIMIT ?3
"""


@dataclass(frozen=True, slots=True)
class _Step:
    """One kind of work: its statements and their parameters; its longest result is its count."""

    name: str
    sql: tuple[str, ...]
    parameters: tuple[int | str, ...]


async def sweep(
    database: Database, *, now: int, retention_days: int, retention_metadata_days: int
) -> dict[str, int]:
    """Do a minute's work, and return how many rows each kind of it was about.

    Messages whose lease is over become ``unknown``: the worker that held it died between its call
    of the provider and its last batch. Idempotency keys are freed after a day, counters of usage
    removed after 90. Bodies and whole messages are removed so many days after their end, 0 keeping
    them for ever; a message that was deleted, a day after its end; what was counted of logins and
    clients, when it counts no more.

    :param now: Unix milliseconds.
    :raises DatabaseUnavailable: the sweep goes on in the next minute.
    """
    steps = [
        _Step(
            "became_unknown",
            (_INSERT_EVENTS, _COUNT, _REMOVE_ATTACHMENTS, _END_MESSAGES),
            (now, STEP_ROWS),
        ),
        _Step(
            "keys_passed",
            (_FREE_KEYS, _COUNT_OLD_KEYS, _MOVE_ON),
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
    return {step.name: await _work(database, step) for step in steps}


async def due_messages(database: Database, *, now: int) -> list[tuple[str, int]]:
    """Messages that are due, or scheduled for the coming minute, and when: the first due first.

    At most a thousand; times in Unix milliseconds.
    """
    due = Statement(_DUE, (now, now + _AHEAD_MILLISECONDS, _MAX_DUE))
    (rows,) = await database.batch([due], repeatable=True)
    return [(row["id"], row["next_attempt_at"]) for row in rows]


async def _work(database: Database, step: _Step) -> int:
    statements = [Statement(sql, step.parameters) for sql in step.sql]
    return max(len(rows) for rows in await database.batch(statements, repeatable=True))


def _before(milliseconds: int) -> tuple[str, int, int]:
    time = max(0, milliseconds)
    return first_id(time), STEP_ROWS, time
