"""Pauses: addresses that may not send, because too many of their last messages failed.

All senders share one reputation with the provider, so one that writes to dead addresses harms all.
"""

from accounts.credentials import Credential
from brake import Brake
from refusals import NotFound
from store.audit import Actor, audited
from store.database import Database, Row, Statement

# By these the provider says that a recipient is bad. Its other codes tell of the deployment, of its
# own limits or of the message, and a failure without a code was never put to it.
_BAD_RECIPIENT = "'E_DELIVERY_FAILED', 'E_RECIPIENT_SUPPRESSED'"

_LAST = f"""
SELECT id, status FROM messages
WHERE address_id = news.address_id AND sendbox {{sendbox}} AND NOT is_test
  AND (status = 'sent' OR status = 'failed' AND provider_code IN ({_BAD_RECIPIENT}))
ORDER BY {{order}} LIMIT ?3
"""

# After the messages themselves have changed. Those count that are younger than the last pause that
# was lifted, also those that lie in no sendbox any more: so nobody deletes his failures away.
# messages_by_address gives the last ones of both kinds.
_PAUSE = f"""
INSERT INTO send_pauses (address_id, paused, since)
SELECT news.address_id, 1, news.now
FROM (
  SELECT a.id AS address_id, max(value ->> 'now') AS now
  FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 'id'
  JOIN addresses AS a ON a.id = m.address_id
  GROUP BY a.id
) AS news
WHERE (
  SELECT count(*) >= ?3 AND sum(bad) * 100 >= ?2 * count(*)
  FROM (
    SELECT
      status = 'failed' OR EXISTS (
        SELECT 1 FROM deliveries WHERE message_id = last.id AND status = 'bounced'
      ) AS bad
    FROM (
      SELECT * FROM ({_LAST.format(sendbox="IS NULL", order="id DESC")})
      UNION ALL
      SELECT * FROM ({_LAST.format(sendbox="> -1", order="sendbox DESC, id DESC")})
    ) AS last
    WHERE id > coalesce(
      (
        SELECT printf('%08x-%04x-', since >> 16, since & 65535)
        FROM send_pauses WHERE address_id = news.address_id
      ),
      ''
    )
    ORDER BY id DESC LIMIT ?3
  )
)
ON CONFLICT (address_id) DO UPDATE SET paused = 1, since = excluded.since WHERE NOT paused
"""

_PAUSED = """
SELECT address_id AS id, name AS address, since
FROM send_pauses CROSS JOIN addresses ON id = address_id
WHERE paused ORDER BY since DESC, address_id DESC LIMIT ?1 OFFSET ?2
"""
_COUNT = "SELECT count(*) AS count FROM send_pauses WHERE paused"

# Of the message m.
OWNER_IS_PAUSED = """
EXISTS (SELECT 1 FROM send_pauses AS p WHERE p.address_id = m.address_id AND p.paused)
"""

_IS_PAUSED = "EXISTS (SELECT 1 FROM send_pauses WHERE address_id = ?1 AND paused)"
_LIFT = "UPDATE send_pauses SET paused = 0, since = ?2 WHERE address_id = ?1 AND paused"


def pause_statement(news: str, brake: Brake) -> Statement:
    """Pauses the addresses of these messages where ``brake`` says so.

    :param news: JSON, a list of objects with the ``id`` of messages and ``now``.
    """
    return Statement(_PAUSE, (news, brake.percent, brake.last))


async def pause_page(database: Database, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The addresses that are paused (``id``, ``address``, ``since``), the last one first.

    :returns: these, and how many there are in all.
    """
    rows, counts = await database.batch(
        [Statement(_PAUSED, (limit, offset)), Statement(_COUNT)], repeatable=True
    )
    return rows, counts[0]["count"]


async def lift_pause(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Let the address of ``owner`` send again; ``now`` is Unix milliseconds.

    :raises NotFound: ``not_paused``.
    """
    was_paused = await audited(
        database,
        by,
        "pause.lifted",
        owner.address,
        now=now,
        condition=_IS_PAUSED,
        parameters=(owner.address_id,),
        change=[Statement(_LIFT, (owner.address_id, now))],
    )
    if not was_paused:
        raise NotFound("not_paused")
