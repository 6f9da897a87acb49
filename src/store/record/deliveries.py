"""Record delivery events: what happens to a sent mail, per recipient.

``record_delivery_events`` records a set of events in one batch. The counters and suppressions come
before the events: they apply only to events that have no row yet. So a repeated batch changes
nothing. The status of a message's delivery is computed from all of its rows.

An event whose message is not found may belong to a message with an unknown outcome, because this
service does not know the id that the provider gave it. ``settle`` records in a second batch that
this message was sent, or was not, together with its events.
"""

from collections.abc import Sequence

import msgspec

from accounts.sending_limits import PausePolicy
from mail.delivery import (
    CLOCK_ERROR_MILLISECONDS,
    KINDS,
    NOT_SENT,
    PROOFS,
    SETTLED_WITHIN_MILLISECONDS,
    DeliveryEvent,
)
from mail.suppressions import DURATIONS
from store.database import Database, Row, Statement, quoted
from store.listeners import DELIVERY_OUTCOMES, listeners
from store.pauses import pause_after_events
from store.record.statuses import StatusUpdate, record_statements
from store.sendbox_generation import ADMINISTRATION
from store.suppressions import LEARN
from store.usage import DAY_OF_ACCEPTANCE, SENDING_DOMAIN

_RANKS = ", ".join(f"('{kind}', {number})" for number, kind in enumerate(KINDS))

_IDS = "(value ->> '$.provider_ids[0]', value ->> '$.provider_ids[1]')"

# The events of ?1 with their messages and recipients. The CROSS JOINs keep SQLite from reading a
# whole table.
_MATCHED = f"""
WITH matched AS MATERIALIZED (
  SELECT
    value AS event, value ->> 'id' AS event_id, value ->> 'kind' AS kind,
    m.id AS message_id, m.address_id, m.accepted_at, m.is_sandbox,
    {SENDING_DOMAIN} AS domain,
    d.position, lower(d.address) AS recipient
  FROM json_each(?1)
  CROSS JOIN messages AS m ON m.provider_message_id IN {_IDS}
  CROSS JOIN deliveries AS d
    ON d.message_id = m.id AND lower(d.address) = value ->> 'recipient'
)
"""

_IS_NEW = """
NOT EXISTS (
  SELECT 1 FROM delivery_events AS e
  WHERE e.message_id = matched.message_id AND e.event_id = matched.event_id
)
"""

# Each recipient once per kind, unless an earlier event of this kind has been counted. Events that
# will not be inserted do not count.
_COUNTED = f"""
{_MATCHED},
counted AS (
  SELECT DISTINCT
    message_id, position, kind, address_id, domain,
    {DAY_OF_ACCEPTANCE} AS day
  FROM matched
  WHERE NOT is_sandbox AND {_IS_NEW} AND NOT EXISTS (
    SELECT 1 FROM delivery_events AS e
    WHERE e.message_id = matched.message_id AND e.position = matched.position
      AND e.kind = matched.kind
  )
)
"""


_COUNT_DOMAINS = f"""
{_COUNTED}
INSERT INTO delivery_days (
  day, domain, delayed, delivered, rejected, failed, bounced, complained
)
SELECT
  day, domain,
  sum(kind = 'delayed'), sum(kind = 'delivered'), sum(kind = 'rejected'),
  sum(kind = 'failed'), sum(kind = 'bounced'), sum(kind = 'complained')
FROM counted WHERE true GROUP BY day, domain
ON CONFLICT (day, domain) DO UPDATE SET
  delayed = delayed + excluded.delayed, delivered = delivered + excluded.delivered,
  rejected = rejected + excluded.rejected, failed = failed + excluded.failed,
  bounced = bounced + excluded.bounced, complained = complained + excluded.complained
"""

_COUNT_USAGE = f"""
{_COUNTED}
INSERT INTO usage_days (
  day, address_id, domain, sent, failed, unknown, cancelled, delivered, bounced, complained
)
SELECT
  day, address_id, domain, 0, 0, 0, 0,
  sum(kind = 'delivered'), sum(kind = 'bounced'), sum(kind = 'complained')
FROM counted WHERE kind IN ('delivered', 'bounced', 'complained') GROUP BY day, address_id, domain
ON CONFLICT (day, address_id, domain) DO UPDATE SET
  delivered = delivered + excluded.delivered, bounced = bounced + excluded.bounced,
  complained = complained + excluded.complained
"""

_LENGTHS = " ".join(f"WHEN '{reason}' THEN {length}" for reason, length in DURATIONS.items())

# The suppressions that follow from the new bounces and complaints.
_LEARNED = f"""
SELECT
  recipient, domain, reason, message_id, max(occurred_at),
  occurred_at + CASE reason {_LENGTHS} END
FROM (
  SELECT
    recipient, domain, message_id, event ->> 'occurred_at' AS occurred_at,
    CASE
      WHEN kind = 'complained' THEN 'complaint'
      WHEN event ->> 'is_permanent' THEN 'hard_bounce'
      ELSE 'soft_bounce'
    END AS reason
  FROM matched WHERE kind IN ('bounced', 'complained') AND NOT is_sandbox AND {_IS_NEW}
)
WHERE true GROUP BY recipient, domain, reason
"""
_SUPPRESS = _MATCHED + LEARN.format(learned=_LEARNED)

_ADDRESS_ID = "(SELECT address_id FROM messages WHERE id = message_id)"
_INSERT_EVENTS = f"""
{_MATCHED}
INSERT INTO delivery_events (
  message_id, event_id, position, kind, occurred_at, received_at,
  is_permanent, smtp_code, enhanced_code, response, reason, provider
)
SELECT
  message_id, event_id, position, kind, event ->> 'occurred_at', ?2,
  event ->> 'is_permanent', event ->> 'smtp_code', event ->> 'enhanced_code',
  event ->> 'response', event ->> 'reason', event ->> 'provider'
FROM matched WHERE true
ON CONFLICT DO NOTHING
RETURNING {listeners(_ADDRESS_ID, DELIVERY_OUTCOMES)} AS webhooks
"""

# `number` is the number of recipients whose highest rank is the highest rank of the message: the
# row of max(rank).
_UPDATE_MESSAGES = f"""
{_MATCHED},
ranked (kind, rank) AS (VALUES {_RANKS}),
recipients AS (
  SELECT e.message_id, max(rank) AS rank
  FROM (SELECT DISTINCT message_id FROM matched) AS touched
  CROSS JOIN delivery_events AS e ON e.message_id = touched.message_id
  JOIN ranked ON ranked.kind = e.kind
  GROUP BY e.message_id, e.position
),
sums AS (
  SELECT message_id, max(rank) AS rank, number
  FROM (SELECT message_id, rank, count(*) AS number FROM recipients GROUP BY message_id, rank)
  GROUP BY message_id
)
UPDATE messages SET delivery_status = ranked.kind, delivery_count = number
FROM sums JOIN ranked USING (rank)
WHERE messages.id = sums.message_id
  AND (delivery_status IS NOT ranked.kind OR delivery_count IS NOT number)
"""

_NOT_SENT, _PROOFS = quoted(NOT_SENT), quoted(PROOFS)

_IS_PROVED = f"""
EXISTS (SELECT 1 FROM delivery_events WHERE message_id = m.id AND kind IN ({_PROOFS}))
"""

# The messages that an event has settled, and whose outcome their later events correct.
_CORRECTED = f"""
{_MATCHED}
SELECT m.id, m.status, m.attempt, m.provider_message_id, matched.event_id
FROM matched CROSS JOIN messages AS m ON m.id = matched.message_id
WHERE (
    m.status = 'sent' AND matched.kind IN ({_NOT_SENT}) AND NOT {_IS_PROVED}
    AND m.recipients = (
      SELECT count(DISTINCT position) FROM delivery_events
      WHERE message_id = m.id AND kind IN ({_NOT_SENT})
    )
    OR m.status = 'failed' AND matched.kind IN ({_PROOFS}) AND {_IS_PROVED}
  )
  AND EXISTS (
    SELECT 1 FROM events WHERE message_id = m.id AND settled_by IS NOT NULL
  )
GROUP BY m.id
"""

# The messages that fit an event: of the same sender, to the same recipient, with an unknown
# outcome, being sent, or waiting until the provider is asked again. The sender is an address of
# this service, or an administrator has used it. The event occurred between the time when the first
# attempt was due and seven days after the end of the last attempt.
_FITS = f"""
lower(m.sender) = value ->> 'sender' AND NOT m.is_sandbox
AND max(m.accepted_at, coalesce(m.scheduled_at, 0))
  <= value ->> 'occurred_at' + {CLOCK_ERROR_MILLISECONDS}
AND {{end}} >= value ->> 'occurred_at' - {SETTLED_WITHIN_MILLISECONDS}
AND EXISTS (
  SELECT 1 FROM deliveries
  WHERE message_id = m.id AND lower(address) = value ->> 'recipient'
)
"""
_OWNERS = f"""
({ADMINISTRATION}, (SELECT id FROM addresses WHERE name = value ->> 'sender'))
"""
_UNMATCHED = f"""
WITH unmatched AS MATERIALIZED (
  SELECT key, value FROM json_each(?1)
  WHERE NOT EXISTS (SELECT 1 FROM messages WHERE provider_message_id IN {_IDS})
)
SELECT
  key AS place, sum(status = 'unknown') AS unknown, max(lease_until) AS lease_until,
  min(iif(status = 'unknown', id, NULL)) AS id, attempt, recipients
FROM (
  SELECT key, m.id, m.status, m.lease_until, m.attempt, m.recipients
  FROM unmatched CROSS JOIN messages AS m
    ON m.status = 'unknown' AND m.address_id IN {_OWNERS} AND {_FITS.format(end="m.finished_at")}
  UNION ALL
  SELECT key, m.id, m.status, m.lease_until, m.attempt, m.recipients
  FROM unmatched CROSS JOIN messages AS m INDEXED BY messages_leased
    ON m.lease_until > 0 AND m.address_id IN {_OWNERS} AND {_FITS.format(end="m.lease_until")}
  UNION ALL
  SELECT key, m.id, m.status, m.next_attempt_at, m.attempt, m.recipients
  FROM unmatched CROSS JOIN messages AS m INDEXED BY messages_waiting
    ON m.next_attempt_at IS NOT NULL AND m.ask_until IS NOT NULL AND m.address_id IN {_OWNERS}
    AND {_FITS.format(end="m.next_attempt_at")}
)
GROUP BY key
"""


async def record_delivery_events(
    database: Database,
    events: Sequence[DeliveryEvent],
    *,
    now: int,
    pause_policy: PausePolicy | None = None,
) -> tuple[int, list[Row], list[Row], set[str]]:
    """Record events of sent messages. Events of other messages are left out.

    :param events: as many as fit into a value of the database. Each has another id.
    :param pause_policy: the policy for pausing the addresses of messages that bounced.
    :returns: the number of new events; the rows of unmatched events and of messages to correct,
        both for ``settle``; the ids of the webhooks that listen.
    """
    encoded = msgspec.json.encode(events).decode()
    statements = _event_statements(events, encoded, now, pause_policy)
    if not _are_sandbox(events):
        statements += [Statement(_UNMATCHED, (encoded,)), Statement(_CORRECTED, (encoded,))]
    results = await database.batch(statements, repeatable=True)
    by_sql = {sql: rows for (sql, _), rows in zip(statements, results, strict=True)}
    new = by_sql[_INSERT_EVENTS]
    return len(new), by_sql.get(_UNMATCHED, []), by_sql.get(_CORRECTED, []), _webhooks(new)


async def settle(
    database: Database,
    events: Sequence[DeliveryEvent],
    updates: Sequence[StatusUpdate],
    *,
    now: int,
    pause_policy: PausePolicy | None = None,
) -> tuple[list[Row], set[str]]:
    """Record ``updates`` of messages, and then ``events``, some of which belong to them.

    :returns: the rows of messages to correct, because another worker has settled them; the ids of
        the webhooks that listen.
    """
    encoded = msgspec.json.encode(events).decode()
    statements = [
        *record_statements(updates, pause_policy=pause_policy),
        *_event_statements(events, encoded, now, pause_policy),
        Statement(_CORRECTED, (encoded,)),
    ]
    results = await database.batch(statements, repeatable=True)
    by_sql = {sql: rows for (sql, _), rows in zip(statements, results, strict=True)}
    return by_sql[_CORRECTED], _webhooks(by_sql[_INSERT_EVENTS])


def _webhooks(new_events: list[Row]) -> set[str]:
    return {id_ for row in new_events for id_ in msgspec.json.decode(row["webhooks"])}


def _event_statements(
    events: Sequence[DeliveryEvent], encoded: str, now: int, pause_policy: PausePolicy | None
) -> list[Statement]:
    insert = Statement(_INSERT_EVENTS, (encoded, now))
    update = Statement(_UPDATE_MESSAGES, (encoded,))
    if _are_sandbox(events):
        return [insert, update]
    suppress = any(event.kind in ("bounced", "complained") for event in events)
    harm = any(event.kind == "complained" or event.is_permanent for event in events)
    return [
        Statement(_COUNT_DOMAINS, (encoded,)),
        Statement(_COUNT_USAGE, (encoded,)),
        *([Statement(_SUPPRESS, (encoded,))] if suppress else []),
        insert,
        update,
        *([pause_after_events(encoded, pause_policy, now=now)] if harm and pause_policy else []),
    ]


def _are_sandbox(events: Sequence[DeliveryEvent]) -> bool:
    return all(event.is_sandbox for event in events)
