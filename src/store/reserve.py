"""Reserve: one batch that refuses a message, or keeps it and charges for it.

The batch has no control flow, so the first statement reports every condition and the INSERT
of the message repeats them in its WHERE; both read the same expression (``_REFUSAL``), so the
reason that is reported is the reason that decided. Every further statement runs only where
the message is new: its row is there and its first event, which the last statement writes, is
not. So the whole batch may be repeated when D1's answer is lost: the second run finds the
message's id taken and changes nothing.

All statements but those of the bodies read one JSON parameter, ``?1``.
"""

from itertools import pairwise

import msgspec

from accounts.credentials import Credential
from mail.message import Message
from refusals import BadRequest, Refusal, Unauthorized
from store.database import Database, Row, Statement

# The first part of a body is what a list shows of it; the others have at most 1,000,000 bytes.
FIRST_PART_CHARACTERS = 16_384
MAX_PART_CHARACTERS = 250_000


class Reservation(msgspec.Struct, frozen=True):
    """What the reserve batch needs to know beside the message.

    ``now`` and ``lease_until`` are Unix milliseconds; ``day`` is the UTC day of ``now``,
    YYYY-MM-DD.
    """

    id: str
    credential: Credential
    default_balance: int
    size: int
    now: int
    lease_until: int
    day: str


# The facts that decide, one row. list_entries, suppressions and daily_recipients are read by
# their primary keys, a month being a range of at most 31 days.
_FACTS = """
WITH
recipients AS (
  SELECT value ->> 'key' AS address, value ->> 'domain' AS domain
  FROM json_each(?1, '$.recipients')
),
limits AS (
  SELECT
    CASE WHEN value -> 'dailyEnabled' = 'true' AND value ->> 'dailyLimit' >= 0
      THEN value ->> 'dailyLimit' END AS daily,
    CASE WHEN value -> 'monthlyEnabled' = 'true' AND value ->> 'monthlyLimit' >= 0
      THEN value ->> 'monthlyLimit' END AS monthly
  FROM settings WHERE key = 'send_limits'
),
facts AS (
  SELECT
    EXISTS (SELECT 1 FROM messages WHERE id = ?1 ->> 'id') AS reserved,
    EXISTS (
      SELECT 1 FROM addresses
      WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
        AND credential_version = ?1 ->> 'credential_version'
    ) AS credential_holds,
    (SELECT count(*) FROM recipients) AS recipients,
    CASE
      WHEN EXISTS (
        SELECT 1 FROM list_entries WHERE list = 'unlimited' AND value = lower(?1 ->> 'address')
      ) THEN 0
      ELSE (
        SELECT count(*) FROM recipients WHERE NOT EXISTS (
          SELECT 1 FROM list_entries WHERE list = 'verified' AND value = recipients.address
        )
      )
    END AS charge,
    coalesce(
      (
        SELECT CASE WHEN enabled THEN balance ELSE 0 END
        FROM send_balances WHERE address_id = ?1 ->> 'address_id'
      ),
      ?1 ->> 'default_balance'
    ) AS balance,
    EXISTS (
      SELECT 1 FROM recipients JOIN list_entries
        ON list = 'send_block'
        AND value IN (recipients.address, recipients.domain, '@' || recipients.domain)
    ) AS blocked,
    (SELECT address FROM recipients JOIN suppressions USING (address)) AS suppressed,
    coalesce((SELECT recipients FROM daily_recipients WHERE day = ?1 ->> 'day'), 0)
      AS sent_today,
    coalesce(
      (
        SELECT sum(recipients) FROM daily_recipients
        WHERE day BETWEEN substr(?1 ->> 'day', 1, 8) || '01' AND ?1 ->> 'day'
      ),
      0
    ) AS sent_this_month,
    (SELECT daily FROM limits) AS daily_limit,
    (SELECT monthly FROM limits) AS monthly_limit
)
"""

_REFUSAL = """
CASE
  WHEN reserved THEN NULL
  WHEN NOT credential_holds THEN 'invalid_credential'
  WHEN charge > balance THEN 'no_balance'
  WHEN blocked THEN 'address_blocked'
  WHEN suppressed IS NOT NULL THEN 'recipient_suppressed'
  WHEN sent_today + recipients > daily_limit THEN 'daily_quota_reached'
  WHEN sent_this_month + recipients > monthly_limit THEN 'monthly_quota_reached'
END
"""

_REPORT = f"{_FACTS} SELECT {_REFUSAL} AS refusal, suppressed FROM facts"

_INSERT_MESSAGE = f"""
{_FACTS}
INSERT INTO messages (
  id, address_id, sender, sender_name, subject, size, recipients, charge,
  status, attempt, lease_until, accepted_at
)
SELECT
  ?1 ->> 'id', ?1 ->> 'address_id', ?1 ->> 'sender', ?1 ->> 'sender_name', ?1 ->> 'subject',
  ?1 ->> 'size', recipients, charge, 'sending', 1, ?1 ->> 'lease_until', ?1 ->> 'now'
FROM facts
WHERE NOT reserved AND {_REFUSAL} IS NULL
"""


def _is_new(id_expression: str) -> str:
    return f"""
      EXISTS (SELECT 1 FROM messages WHERE id = {id_expression})
      AND NOT EXISTS (SELECT 1 FROM events WHERE message_id = {id_expression})
    """


_IS_NEW = _is_new("?1 ->> 'id'")

_INSERT_DELIVERIES = f"""
INSERT INTO deliveries (message_id, position, kind, address, name, status)
SELECT
  ?1 ->> 'id', key, value ->> 'kind', value ->> 'address', value ->> 'name', 'pending'
FROM json_each(?1, '$.recipients')
WHERE {_IS_NEW}
"""

_INSERT_BODY_PART = f"""
INSERT INTO bodies (message_id, kind, part, content)
SELECT ?1, ?2, ?3, ?4 WHERE {_is_new("?1")}
"""

_GRANT_BALANCE = f"""
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT address_id, ?1 ->> 'default_balance', 1, accepted_at
FROM messages WHERE id = ?1 ->> 'id' AND charge > 0 AND {_IS_NEW}
ON CONFLICT (address_id) DO NOTHING
"""

_CHARGE_BALANCE = f"""
UPDATE send_balances
SET balance = balance - (SELECT charge FROM messages WHERE id = ?1 ->> 'id')
WHERE address_id = (SELECT address_id FROM messages WHERE id = ?1 ->> 'id' AND charge > 0)
  AND {_IS_NEW}
"""

_COUNT_RECIPIENTS = f"""
INSERT INTO daily_recipients (day, recipients)
SELECT ?1 ->> 'day', recipients FROM messages WHERE id = ?1 ->> 'id' AND {_IS_NEW}
ON CONFLICT (day) DO UPDATE SET recipients = recipients + excluded.recipients
"""

_INSERT_EVENT = f"""
INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)
SELECT ?1 ->> 'id', 0, 'accepted', 0, ?1 ->> 'now' WHERE {_IS_NEW}
"""


async def reserve(database: Database, message: Message, reservation: Reservation) -> None:
    """Keep and charge ``message`` as being sent, or refuse it and leave nothing behind.

    :raises Unauthorized: the credential no longer holds.
    :raises BadRequest: ``no_balance``, ``address_blocked``, ``recipient_suppressed``,
        ``daily_quota_reached`` or ``monthly_quota_reached``.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    request = (msgspec.json.encode(_request(message, reservation)).decode(),)
    statements = [
        Statement(_REPORT, request),
        Statement(_INSERT_MESSAGE, request),
        Statement(_INSERT_DELIVERIES, request),
        *_body_statements(message, reservation.id),
        Statement(_GRANT_BALANCE, request),
        Statement(_CHARGE_BALANCE, request),
        Statement(_COUNT_RECIPIENTS, request),
        Statement(_INSERT_EVENT, request),
    ]
    report, *_ = await database.batch(statements, repeatable=True)
    if report[0]["refusal"]:
        raise _refusal(report[0])


def _request(message: Message, reservation: Reservation) -> dict[str, object]:
    credential = reservation.credential
    return {
        "id": reservation.id,
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "default_balance": reservation.default_balance,
        "sender": str(message.sender),
        "sender_name": message.sender_name,
        "subject": message.subject,
        "size": reservation.size,
        "now": reservation.now,
        "lease_until": reservation.lease_until,
        "day": reservation.day,
        "recipients": [
            {
                "kind": recipient.kind,
                "address": str(recipient.address),
                "key": recipient.address.key,
                "domain": recipient.address.domain,
                "name": recipient.name,
            }
            for recipient in message.recipients
        ],
    }


def _body_statements(message: Message, message_id: str) -> list[Statement]:
    return [
        Statement(_INSERT_BODY_PART, (message_id, kind, part, content))
        for kind, body in (("text", message.text), ("html", message.html))
        for part, content in enumerate(_parts(body or ""))
    ]


def _parts(body: str) -> list[str]:
    starts = [
        0,
        *range(FIRST_PART_CHARACTERS, len(body), MAX_PART_CHARACTERS),
        len(body),
    ]
    return [body[start:end] for start, end in pairwise(starts) if start < end]


def _refusal(report: Row) -> Refusal:
    if report["refusal"] == "invalid_credential":
        return Unauthorized("invalid_credential")
    return BadRequest(report["refusal"], recipient=report["suppressed"])
