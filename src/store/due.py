"""Due messages, in fair shares per address.

One address can have any number of due messages. They do not delay the messages of other addresses:
the first message of each address comes before the second message of any address.
"""

from store.database import Database, Statement
from store.pauses import OWNER_IS_PAUSED
from store.sendbox_generation import ADMINISTRATION, IN_ANY_CURRENT_SENDBOX

_AHEAD_MILLISECONDS = 60_000  # until the next cron run

# If fewer than ?3 messages have a time until ?2, `earliest` has all of them, and they are the
# candidates. Otherwise each address with such messages gets the same share of ?3. To find these
# addresses, each step of `owners` reads one entry of messages_waiting. The share is cast, because
# D1 binds numbers as REAL, and a LIMIT that is no whole number is an error. Scheduled messages are
# enqueued up to a minute ahead, so they are sent on time. Queued messages are enqueued when they
# are due.
_DUE = f"""
WITH RECURSIVE earliest AS MATERIALIZED (
  SELECT id, address_id, sendbox, status, next_attempt_at FROM messages
  WHERE next_attempt_at <= ?2 ORDER BY next_attempt_at LIMIT ?3
),
owners AS (
  SELECT min(address_id) AS address_id FROM messages INDEXED BY messages_waiting
  WHERE next_attempt_at IS NOT NULL AND (SELECT count(*) FROM earliest) = ?3
  UNION ALL
  SELECT (
    SELECT min(address_id) FROM messages INDEXED BY messages_waiting
    WHERE next_attempt_at IS NOT NULL AND address_id > owners.address_id
  )
  FROM owners WHERE address_id IS NOT NULL
),
sendboxes AS (
  SELECT o.address_id, a.sendbox FROM owners AS o CROSS JOIN addresses AS a ON a.id = o.address_id
  UNION ALL
  SELECT address_id, 0 FROM owners WHERE address_id = {ADMINISTRATION}
),
ready AS MATERIALIZED (
  SELECT address_id, sendbox FROM sendboxes AS m
  WHERE NOT {OWNER_IS_PAUSED} AND EXISTS (
    SELECT 1 FROM messages INDEXED BY messages_waiting
    WHERE address_id = m.address_id AND sendbox = m.sendbox AND next_attempt_at <= ?2
  )
),
candidates AS (
  SELECT * FROM earliest WHERE (SELECT count(*) FROM earliest) < ?3
  UNION ALL
  SELECT d.id, d.address_id, d.sendbox, d.status, d.next_attempt_at
  FROM ready AS r CROSS JOIN messages AS d ON d.id IN (
    SELECT id FROM messages INDEXED BY messages_waiting
    WHERE address_id = r.address_id AND sendbox = r.sendbox AND next_attempt_at <= ?2
    ORDER BY next_attempt_at LIMIT (SELECT max(1, CAST(?3 / count(*) AS INTEGER)) FROM ready)
  )
)
SELECT id, next_attempt_at FROM (
  SELECT
    id, next_attempt_at,
    row_number() OVER (PARTITION BY address_id ORDER BY next_attempt_at, id) AS turn
  FROM candidates AS m
  WHERE (status = 'scheduled' OR next_attempt_at <= ?1)
    AND {IN_ANY_CURRENT_SENDBOX} AND NOT {OWNER_IS_PAUSED}
)
ORDER BY turn, next_attempt_at LIMIT ?3
"""


async def due_messages(database: Database, *, now: int, limit: int = 1000) -> list[tuple[str, int]]:
    """The ids of messages that are due or scheduled for the next minute, with their times.

    The addresses take turns; the messages of each address are in the order of their times. Messages
    of paused addresses and of cleared sendboxes are left out, because they can't be claimed.
    """
    due = Statement(_DUE, (now, now + _AHEAD_MILLISECONDS, limit))
    (rows,) = await database.batch([due], repeatable=True)
    return [(row["id"], row["next_attempt_at"]) for row in rows]
