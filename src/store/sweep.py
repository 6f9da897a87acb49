"""The sweep: what nobody holds any more is brought to its end, in bounded steps."""

from store.database import Database, Statement

MAX_ROWS = 100

# The order by the indexed column makes messages_leased the way to the rows.
_EXPIRED = """
SELECT id FROM messages WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?2
"""

_UPDATE_DELIVERIES = f"""
UPDATE deliveries SET status = 'unknown' WHERE message_id IN ({_EXPIRED})
"""

_INSERT_EVENTS = f"""
INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)
SELECT id, (SELECT 1 + max(sequence) FROM events WHERE message_id = id), 'unknown', attempt, ?1
FROM messages WHERE id IN ({_EXPIRED})
"""

# Last: the statements before it find the same rows as long as these still have their leases.
_UPDATE_MESSAGES = f"""
UPDATE messages SET status = 'unknown', lease_until = NULL, finished_at = ?1
WHERE id IN ({_EXPIRED})
RETURNING id
"""


async def end_expired_leases(database: Database, *, now: int) -> int:
    """Make ``unknown`` what is still being sent after its lease, and return how many these were.

    The worker that held the lease died between its call of the provider and its last batch,
    so whether the mail went out is not known. At most ``MAX_ROWS`` are ended at a time.

    :param now: Unix milliseconds.
    """
    parameters = (now, MAX_ROWS)
    *_, ended = await database.batch(
        [
            Statement(_UPDATE_DELIVERIES, parameters),
            Statement(_INSERT_EVENTS, parameters),
            Statement(_UPDATE_MESSAGES, parameters),
        ],
        repeatable=True,
    )
    return len(ended)
