"""Reserve: one batch that refuses a message, or keeps it and charges for it.

The batch has no control flow, so the first statement reports every condition and the INSERT
of the message repeats them in its WHERE; both read the same expressions (``_VERDICT``), so the
reason that is reported is the reason that decided. Every further statement runs only where
the message is new: its row is there and its first event, which the last statement writes, is
not. So the whole batch may be repeated when D1's answer is lost: the second run finds the
message's id taken and changes nothing.

All statements but those of the bodies read one JSON parameter, ``?1``.
"""

from http import HTTPStatus

import msgspec

from accounts.credentials import Credential
from mail.message import Message
from refusals import BadRequest, Conflict, Refusal, Unauthorized
from store.addresses import holds_statement
from store.database import Database, Row, Statement

# The first part of a body is what a list shows of it; the others have half of a D1 value at most.
FIRST_PART_BYTES = 65_536
MAX_PART_BYTES = 1_000_000

# A send in flight is over within the provider's 30 s, mostly within one.
IN_FLIGHT_RETRY_SECONDS = 2


class Reservation(msgspec.Struct, frozen=True):
    """What the reserve batch needs to know beside the message.

    ``now`` and ``lease_until`` are Unix milliseconds; ``day`` is the UTC day of ``now``,
    YYYY-MM-DD. ``request_digest`` goes with ``idempotency_key``. ``retry_of`` is the id of the
    message that the caller orders to be repeated.
    """

    id: str
    credential: Credential
    default_balance: int
    size: int
    now: int
    lease_until: int
    day: str
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None
    retry_of: str | None = None


class Sending(msgspec.Struct, frozen=True):
    """What came of an order: the answer that its caller was given first, and how things stand now.

    ``answer_status`` is 200, 202 or 502; ``replayed`` says that this was ordered before, with the
    same idempotency key.
    """

    id: str
    status: str
    provider_message_id: str | None
    answer_status: int
    answer_code: str | None
    replayed: bool = False


# The facts that decide, one row. list_entries, suppressions and daily_recipients are read by
# their primary keys, a month being a range of at most 31 days.
_VERDICT = """
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
    (
      SELECT id FROM messages
      WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
    ) AS earlier,
    EXISTS (SELECT 1 FROM messages WHERE retry_of = ?1 ->> 'retry_of') AS retried,
    EXISTS (
      SELECT 1 FROM addresses
      WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
        AND credential_version = ?1 ->> 'credential_version'
    ) AS credential_holds,
    (SELECT count(*) FROM recipients) AS recipients,
    CASE
      WHEN EXISTS (
        SELECT 1 FROM list_entries WHERE list = 'unlimited' AND value = ?1 ->> 'address'
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
),
verdict AS (
  SELECT
    *,
    CASE
      WHEN reserved THEN NULL
      WHEN NOT credential_holds THEN 'invalid_credential'
      WHEN earlier IS NOT NULL THEN 'earlier'
      WHEN retried THEN 'already_retried'
      WHEN charge > balance THEN 'no_balance'
      WHEN blocked THEN 'address_blocked'
      WHEN suppressed IS NOT NULL THEN 'recipient_suppressed'
      WHEN sent_today + recipients > daily_limit THEN 'daily_quota_reached'
      WHEN sent_this_month + recipients > monthly_limit THEN 'monthly_quota_reached'
    END AS refusal
  FROM facts
)
"""

_REPORT = f"""
{_VERDICT}
SELECT
  refusal, suppressed, m.id, m.status, m.request_digest, m.provider_message_id,
  m.answer_status, m.answer_code
FROM verdict LEFT JOIN messages AS m ON m.id = earlier
"""

# A key is its caller's again after a day, whether the sweep has come by or not.
_KEY_MILLISECONDS = 86_400_000
_FREE_OLD_KEY = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
  AND accepted_at <= ?1 ->> 'now' - {_KEY_MILLISECONDS}
"""

_EARLIER = """
SELECT id, status, request_digest, provider_message_id, answer_status, answer_code
FROM messages WHERE address_id = ?1 AND idempotency_key = ?2 AND accepted_at > ?3
"""

_INSERT_MESSAGE = f"""
{_VERDICT}
INSERT INTO messages (
  id, address_id, sender, sender_name, subject, size, recipients, charge,
  status, attempt, lease_until, accepted_at,
  request_id, idempotency_key, request_digest, retry_of
)
SELECT
  ?1 ->> 'id', ?1 ->> 'address_id', ?1 ->> 'sender', ?1 ->> 'sender_name', ?1 ->> 'subject',
  ?1 ->> 'size', recipients, charge, 'sending', 1, ?1 ->> 'lease_until', ?1 ->> 'now',
  ?1 ->> 'request_id', ?1 ->> 'idempotency_key', ?1 ->> 'request_digest', ?1 ->> 'retry_of'
FROM verdict
WHERE NOT reserved AND refusal IS NULL
"""


def _is_new(id_expression: str) -> str:
    return f"""
      EXISTS (SELECT 1 FROM messages WHERE id = {id_expression})
      AND NOT EXISTS (SELECT 1 FROM events WHERE message_id = {id_expression})
    """


_IS_NEW = _is_new("?1 ->> 'id'")

_INSERT_DELIVERIES = f"""
INSERT INTO deliveries (message_id, position, kind, address, name)
SELECT ?1 ->> 'id', key, value ->> 'kind', value ->> 'address', value ->> 'name'
FROM json_each(?1, '$.recipients')
WHERE {_IS_NEW}
"""

_INSERT_BODY_PART = f"""
INSERT INTO bodies (message_id, kind, part, content)
SELECT ?1, ?2, ?3, ?4 WHERE {_is_new("?1")}
"""

_CHARGE_BALANCE = f"""
UPDATE send_balances
SET balance = balance - (SELECT charge FROM messages WHERE id = ?1 ->> 'id')
WHERE address_id = (SELECT address_id FROM messages WHERE id = ?1 ->> 'id' AND charge > 0)
  AND {_IS_NEW}
"""

# An address without a row is granted the default balance, and charged, in one row written.
_GRANT_BALANCE = f"""
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT address_id, ?1 ->> 'default_balance' - charge, 1, accepted_at
FROM messages AS m WHERE id = ?1 ->> 'id' AND charge > 0 AND {_IS_NEW}
  AND NOT EXISTS (SELECT 1 FROM send_balances WHERE address_id = m.address_id)
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


async def reserve(database: Database, message: Message, reservation: Reservation) -> Sending | None:
    """Keep and charge ``message`` as being sent, or refuse it and leave nothing behind.

    A request that was made before, with the same idempotency key, is not carried out again:
    what came of it then is returned.

    :raises Unauthorized: the credential no longer holds.
    :raises BadRequest: ``no_balance``, ``address_blocked``, ``recipient_suppressed``,
        ``daily_quota_reached`` or ``monthly_quota_reached``.
    :raises Conflict: ``idempotency_key_reused``, ``idempotency_in_flight`` or
        ``already_retried``.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    request = (msgspec.json.encode(_request(message, reservation)).decode(),)
    statements = [
        Statement(_REPORT, request),
        Statement(_INSERT_MESSAGE, request),
        Statement(_INSERT_DELIVERIES, request),
        *_body_statements(message, reservation.id),
        Statement(_CHARGE_BALANCE, request),
        Statement(_GRANT_BALANCE, request),
        Statement(_COUNT_RECIPIENTS, request),
        Statement(_INSERT_EVENT, request),
    ]
    if reservation.idempotency_key:
        statements.insert(0, Statement(_FREE_OLD_KEY, request))
    results = await database.batch(statements, repeatable=True)
    (report,) = results[1 if reservation.idempotency_key else 0]
    if report["refusal"] == "earlier":
        return _earlier(report, reservation.request_digest)
    if report["refusal"]:
        raise _refusal(report)
    return None


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
        "request_id": reservation.request_id,
        "idempotency_key": reservation.idempotency_key,
        "request_digest": reservation.request_digest,
        "retry_of": reservation.retry_of,
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
    data = body.encode()
    parts = []
    start = 0
    while start < len(data):
        size = MAX_PART_BYTES if start else FIRST_PART_BYTES
        end = min(start + size, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # a part does not end inside of a character
        parts.append(data[start:end].decode())
        start = end
    return parts


async def find_earlier(
    database: Database, credential: Credential, *, key: str, digest: str | None, now: int
) -> Sending | None:
    """What came of an earlier request with this key, for a request that is not carried out.

    :param now: Unix milliseconds.
    :raises Unauthorized, Conflict: as ``reserve`` does.
    """
    parameters = (credential.address_id, key, now - _KEY_MILLISECONDS)
    found, rows = await database.batch(
        [holds_statement(credential), Statement(_EARLIER, parameters)], repeatable=True
    )
    if not found:
        raise Unauthorized("invalid_credential")
    return _earlier(rows[0], digest) if rows else None


def _earlier(report: Row, digest: str | None) -> Sending:
    if report["request_digest"] != digest:
        raise Conflict("idempotency_key_reused")
    if report["status"] == "sending" and report["answer_status"] is None:
        raise Conflict("idempotency_in_flight", retry_after=IN_FLIGHT_RETRY_SECONDS)
    return Sending(
        id=report["id"],
        status=report["status"],
        provider_message_id=report["provider_message_id"],
        # Without an answer its worker died, and the sweep has made it unknown.
        answer_status=report["answer_status"] or HTTPStatus.BAD_GATEWAY,
        answer_code=report["answer_code"] if report["answer_status"] else "outcome_unknown",
        replayed=True,
    )


def _refusal(report: Row) -> Refusal:
    if report["refusal"] == "already_retried":
        return Conflict("already_retried")
    if report["refusal"] == "invalid_credential":
        return Unauthorized("invalid_credential")
    return BadRequest(report["refusal"], recipient=report["suppressed"])
