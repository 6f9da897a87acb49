"""Whether many messages of an address wait, so that more of them must not be enqueued.

The queue is first in, first out. If it contained all waiting messages of an address, the messages
of other addresses would wait behind them. So an address with many waiting messages leaves further
ones to the cron, which lets the addresses take turns (``store/due.py``).
"""

import msgspec

from store.database import Database, Statement

# Requests enqueue messages that are due within this time. The cron runs every minute, so this
# covers the time until the run after the next one.
NEAR_MILLISECONDS = 120_000

# The consumer sends as many messages in a few seconds, even on one machine.
MANY = 500


def has_many_waiting(*, address_id: str, now: str) -> str:
    """The SQL expression for: at least ``MANY`` messages of an address may be in the queue.

    It reads at most ``MANY`` entries of ``messages_waiting``. The messages of cleared sendboxes
    count until they are cancelled, because their ids remain in the queue.

    :param address_id: the SQL of the id of the address.
    :param now: the SQL of the time, in Unix milliseconds.
    """
    return f"""(
  SELECT count(*) = {MANY} FROM (
    SELECT 1 FROM messages INDEXED BY messages_waiting
    WHERE next_attempt_at IS NOT NULL AND address_id = {address_id}
      AND (sendbox, next_attempt_at) <= (
        coalesce((SELECT sendbox FROM addresses WHERE id = {address_id}), 0),
        {now} + {NEAR_MILLISECONDS}
      )
    LIMIT {MANY}
  )
)"""


# Counts the waiting messages of each address once.
_OF_FEW_WAITING = f"""
WITH these AS MATERIALIZED (
  SELECT m.id, address_id FROM json_each(?1) JOIN messages AS m ON m.id = value
)
SELECT id FROM these WHERE address_id IN (
  SELECT address_id FROM (SELECT DISTINCT address_id FROM these) AS owners
  WHERE NOT {has_many_waiting(address_id="owners.address_id", now="?2")}
)
"""


async def of_few_waiting(database: Database, message_ids: list[str], *, now: int) -> set[str]:
    """Those of ``message_ids`` whose addresses do not have many waiting messages."""
    these = Statement(_OF_FEW_WAITING, (msgspec.json.encode(message_ids).decode(), now))
    (rows,) = await database.batch([these], repeatable=True)
    return {row["id"] for row in rows}
