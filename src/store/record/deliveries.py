"""Record delivery events: what happens to a sent mail, per recipient."""

from collections.abc import Iterable
from itertools import zip_longest

import msgspec

from store.database import Database, Statement

# Only a sent message gets events. An event that repeats the status of a recipient is not inserted,
# so a repeated batch inserts nothing.
_INSERT_EVENTS = """
INSERT INTO events (message_id, sequence, kind, attempt, occurred_at, recipient)
SELECT
  m.id,
  (SELECT coalesce(1 + max(sequence), 0) FROM events WHERE message_id = m.id)
    + row_number() OVER (PARTITION BY m.id ORDER BY d.position) - 1,
  value ->> 1, m.attempt, ?2, d.address
FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 0
JOIN deliveries AS d ON d.message_id = m.id
WHERE m.status = 'sent' AND d.status IS NOT value ->> 1
"""

_UPDATE_DELIVERIES = """
UPDATE deliveries SET status = value ->> 1
FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 0
WHERE message_id = m.id AND m.status = 'sent' AND deliveries.status IS NOT value ->> 1
"""


# The number of statements that record one delivery event of each message.
EVENT_STATEMENTS = 2


async def record_delivery_events(
    database: Database, events: Iterable[tuple[str, tuple[str, ...]]], *, now: int
) -> None:
    """Record delivery events, in order, for all recipients of each message.

    :param events: pairs of a message id and its events: ``delivered``, ``bounced``, ``complained``.
    """
    rows = [[(message_id, kind) for kind in kinds] for message_id, kinds in events]
    for events_at_once in zip_longest(*rows):
        encoded = msgspec.json.encode([row for row in events_at_once if row]).decode()
        statements = [
            Statement(_INSERT_EVENTS, (encoded, now)),
            Statement(_UPDATE_DELIVERIES, (encoded,)),
        ]
        await database.batch(statements, repeatable=True)
