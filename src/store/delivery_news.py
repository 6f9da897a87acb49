"""News of deliveries, which come by recipient after a message was sent."""

from collections.abc import Iterable
from itertools import zip_longest

import msgspec

from store.database import Database, Statement

# Also of a message that is no longer there: then they are no news.
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


async def record_delivery_news(
    database: Database, news: Iterable[tuple[str, tuple[str, ...]]], *, now: int
) -> None:
    """Write that all recipients of each message had these, one thing after the other.

    :param news: ids of messages, each with ``delivered``, ``bounced`` or ``complained``.
    :param now: Unix milliseconds.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    rows = [[(message_id, kind) for kind in kinds] for message_id, kinds in news]
    for step in zip_longest(*rows):
        about = msgspec.json.encode([row for row in step if row]).decode()
        statements = [
            Statement(_INSERT_EVENTS, (about, now)),
            Statement(_UPDATE_DELIVERIES, (about,)),
        ]
        await database.batch(statements, repeatable=True)
