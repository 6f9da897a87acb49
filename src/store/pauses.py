"""Pauses: an address can't send after too many of its last messages failed or bounced.

All senders share one reputation with the provider. A sender that writes to addresses that do not
exist harms every sender.
"""

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.sending_limits import PausePolicy
from errors import NotFound
from store.audit import audit_row, with_audit
from store.database import Database, Row, Statement, page, quoted
from store.withdrawals import IS_USED_UP, limit_of_today, restoring_statements

# The reasons that mean a bad recipient. Other reasons concern the deployment, the provider's limits
# or the message. A failure without a reason never reached the provider.
_BAD_RECIPIENT = quoted(("recipient_rejected", "recipient_suppressed"))

_LAST = f"""
SELECT id, status, delivery_status FROM messages
WHERE address_id = changed.address_id AND sendbox {{sendbox}} AND NOT is_sandbox
  AND (status = 'sent' OR status = 'failed' AND reason IN ({_BAD_RECIPIENT}))
ORDER BY {{order}} LIMIT ?3
"""

# Runs after the update of the messages. Permanent bounces and complaints count as failures. Counts
# messages since the last pause was lifted. Deleted messages (without a sendbox) count too, so
# deleting messages does not hide failures. The index messages_by_address finds the last deleted
# messages and the last other messages separately.
_PAUSE = f"""
INSERT INTO send_pauses (address_id, paused, since)
SELECT changed.address_id, 1, changed.now
FROM (
  SELECT a.id AS address_id, max({{now}}) AS now
  FROM json_each(?1) CROSS JOIN messages AS m ON {{found}}
  JOIN addresses AS a ON a.id = m.address_id
  GROUP BY a.id
) AS changed
WHERE (
  SELECT count(*) >= ?3 AND sum(bad) * 100 >= ?2 * count(*)
  FROM (
    SELECT
      status = 'failed' OR delivery_status IN ('bounced', 'complained') AND EXISTS (
        SELECT 1 FROM delivery_events
        WHERE message_id = last.id
          AND (kind = 'complained' OR kind = 'bounced' AND is_permanent)
      ) AS bad
    FROM (
      SELECT * FROM ({_LAST.format(sendbox="IS NULL", order="id DESC")})
      UNION ALL
      SELECT * FROM ({_LAST.format(sendbox="> -1", order="sendbox DESC, id DESC")})
    ) AS last
    WHERE id > coalesce(
      (
        SELECT printf('%08x-%04x-', since >> 16, since & 65535)
        FROM send_pauses WHERE address_id = changed.address_id
      ),
      ''
    )
    ORDER BY id DESC LIMIT ?3
  )
)
ON CONFLICT (address_id) DO UPDATE SET paused = 1, since = excluded.since WHERE NOT paused
"""

_PAUSE_AFTER_UPDATES = _PAUSE.format(now="value ->> 'now'", found="m.id = value ->> 'id'")
_PAUSE_AFTER_EVENTS = _PAUSE.format(
    now="?4",
    found="m.provider_message_id IN (value ->> '$.provider_ids[0]', value ->> '$.provider_ids[1]')",
)

_PAUSED = """
SELECT address_id AS id, name AS address, since
FROM send_pauses CROSS JOIN addresses ON id = address_id
WHERE paused ORDER BY since DESC, address_id DESC LIMIT ?1 OFFSET ?2
"""
_COUNT = "SELECT count(*) AS count FROM send_pauses WHERE paused"

# The address of the message m is paused.
OWNER_IS_PAUSED = """
EXISTS (SELECT 1 FROM send_pauses AS p WHERE p.address_id = m.address_id AND p.paused)
"""

_IS_PAUSED = "EXISTS (SELECT 1 FROM send_pauses WHERE address_id = ?1 AND paused)"
_LIFT = "UPDATE send_pauses SET paused = 0, since = ?2 WHERE address_id = ?1 AND paused"


def pause_statement(updates: str, pause_policy: PausePolicy) -> Statement:
    """The statement that pauses the addresses of messages if ``pause_policy`` requires it.

    :param updates: a JSON list of objects with the ``id`` of a message and ``now``.
    """
    return Statement(_PAUSE_AFTER_UPDATES, (updates, pause_policy.percent, pause_policy.last))


def pause_after_events(events: str, pause_policy: PausePolicy, *, now: int) -> Statement:
    """The statement that pauses the addresses of messages with delivery events, if required.

    :param events: a JSON list of ``DeliveryEvent``s.
    """
    return Statement(_PAUSE_AFTER_EVENTS, (events, pause_policy.percent, pause_policy.last, now))


async def pause_page(database: Database, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """The paused addresses (``id``, ``address``, ``since``), the latest pause first.

    :returns: these rows, and the number of all paused addresses.
    """
    return await page(database, Statement(_PAUSED, (limit, offset)), Statement(_COUNT))


async def lift_pause(
    database: Database, owner: Credential, *, by: Actor, now: int, most_withdrawals: int
) -> None:
    """Lift the pause of the address of ``owner``, and restore its limits of withdrawals.

    :param most_withdrawals: the limit of withdrawals per day; 0 for no limit.
    :raises NotFound: ``not_paused``: there is no pause, and no limit is used up.
    """
    limit = limit_of_today(owner.address_id, most_withdrawals, now)
    row = audit_row(
        *(by, "pause.lifted", owner.address, now),
        condition=f"({_IS_PAUSED} OR {IS_USED_UP})",
        parameters=limit,
    )
    lift = Statement(_LIFT, (owner.address_id, now))
    if not await with_audit(database, row, lift, *restoring_statements(limit)):
        raise NotFound("not_paused")
