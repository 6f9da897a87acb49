"""Reserve: one batch that refuses messages, or keeps them and charges for them.

One message or a hundred are the same statements, over one JSON parameter, ``?1``. The batch has
no control flow, so the first statement reports every condition and the INSERT of the messages
repeats them in its WHERE; both read the same expressions (``_VERDICT``), so the reason that is
reported is the reason that decided. Every further statement is about those messages that are
new: a row is there and its deliveries, which the last statement writes, are not. So the whole
batch may be repeated when D1's answer is lost: the second run finds the ids taken and changes
nothing.
"""

from http import HTTPStatus
from typing import Literal

import msgspec

from accounts.credentials import Credential
from lifecycle import Status
from mail.message import Message
from rates import RateLimit, RateState
from refusals import (
    BadRequest,
    Conflict,
    FieldError,
    PayloadTooLarge,
    Refusal,
    TooManyRequests,
    Unauthorized,
)
from store.addresses import holds_statement
from store.audit import Actor
from store.database import Database, Row, Statement
from store.parts import attachment_statements, body_statements

# Below what one D1 value takes; contents have parameters of their own.
MAX_REQUEST_BYTES = 1_800_000

# A send in flight is over within the provider's 30 s, mostly within one.
IN_FLIGHT_RETRY_SECONDS = 2


class Entry(msgspec.Struct, frozen=True):
    """One message to be kept, and how its life begins.

    ``size`` is its bytes after MIME encoding. A message that begins as ``sending`` is sent by its
    caller at once; the others are due at ``due_at``, in Unix milliseconds.
    """

    id: str
    message: Message
    size: int
    status: Literal["sending", "queued", "scheduled"] = "sending"
    due_at: int | None = None


class Reservation(msgspec.Struct, frozen=True):
    """What the reserve batch needs to know beside the messages.

    ``now`` and ``lease_until`` are Unix milliseconds; ``day`` is the UTC day of ``now``,
    YYYY-MM-DD. ``request_digest`` goes with ``idempotency_key``. ``retry_of`` is the id of the
    message that the caller orders to be repeated. ``batch`` has the answer kept that is given
    for several messages together. ``permissive`` keeps those messages that can be kept; without
    it, all of them or none. What an ``administrator`` sends is free and needs no credential, so
    that ``credential`` only says the sender; the audit trail tells of it.
    """

    credential: Credential
    default_balance: int
    now: int
    lease_until: int
    day: str
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None
    retry_of: str | None = None
    rate_limit: RateLimit | None = None
    batch: bool = False
    permissive: bool = False
    administrator: Actor | None = None


class BatchAnswer(msgspec.Struct, frozen=True):
    """What a batch was answered: the id of each message, or why it was refused."""

    results: tuple[str | Refusal, ...]
    replayed: bool = False


class Sending(msgspec.Struct, frozen=True):
    """What came of an order: the answer that its caller was given first, and how things stand now.

    ``answer_status`` is 200, 202 or 502; ``replayed`` says that this was ordered before, with the
    same idempotency key.
    """

    id: str
    status: Status
    provider_message_id: str | None
    answer_status: int
    answer_code: str | None
    replayed: bool = False


class Reserved(msgspec.Struct, frozen=True):
    """What came of a reservation.

    ``refusals`` has one entry a message, None for one that was kept. ``earlier`` is what came of
    the request that had the same idempotency key; then nothing was reserved. ``rate`` is there
    where credentials have a rate limit.
    """

    refusals: tuple[Refusal | None, ...]
    rate: RateState | None
    earlier: Sending | BatchAnswer | None = None


# The facts that decide, one row a message. list_entries, suppressions and daily_recipients are
# read by their primary keys, a month being a range of at most 31 days. A message takes its place
# behind those before it: what these take of balance, limits and rate it can't have.
_VERDICT = """
WITH
items AS MATERIALIZED (
  SELECT key AS position, value AS item, value ->> 'id' AS id, value ->> 'is_test' AS is_test
  FROM json_each(?1, '$.messages')
),
recipients AS (
  SELECT
    position, recipient.key AS place,
    recipient.value ->> 'key' AS address, recipient.value ->> 'domain' AS domain
  FROM items, json_each(item, '$.recipients') AS recipient
),
limits AS (
  SELECT
    CASE WHEN value -> 'dailyEnabled' = 'true' AND value ->> 'dailyLimit' >= 0
      THEN value ->> 'dailyLimit' END AS daily,
    CASE WHEN value -> 'monthlyEnabled' = 'true' AND value ->> 'monthlyLimit' >= 0
      THEN value ->> 'monthlyLimit' END AS monthly
  FROM settings WHERE key = 'send_limits'
),
facts AS MATERIALIZED (
  SELECT
    EXISTS (SELECT 1 FROM messages WHERE id IN (SELECT id FROM items)) AS reserved,
    (
      SELECT id FROM messages
      WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
    ) AS earlier,
    EXISTS (SELECT 1 FROM messages WHERE retry_of = ?1 ->> 'retry_of') AS retried,
    EXISTS (
      SELECT 1 FROM addresses
      WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
        AND credential_version = ?1 ->> 'credential_version'
    ) OR ?1 ->> 'administrator' IS NOT NULL AS credential_holds,
    EXISTS (
      SELECT 1 FROM list_entries WHERE list = 'unlimited' AND value = ?1 ->> 'address'
    ) AS unlimited,
    EXISTS (
      SELECT 1 FROM send_pauses WHERE address_id = ?1 ->> 'address_id' AND paused
    ) AS paused,
    coalesce(
      (
        SELECT CASE WHEN enabled THEN balance ELSE 0 END
        FROM send_balances WHERE address_id = ?1 ->> 'address_id'
      ),
      ?1 ->> 'default_balance'
    ) AS balance,
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
    (SELECT monthly FROM limits) AS monthly_limit,
    (
      SELECT used FROM rate_windows
      WHERE address_id = ?1 ->> 'address_id'
        AND started_at > ?1 ->> 'now' - ?1 ->> 'rate_milliseconds'
    ) AS rate_used,
    coalesce(
      (
        SELECT started_at - ?1 ->> 'now' FROM rate_windows
        WHERE address_id = ?1 ->> 'address_id'
          AND started_at > ?1 ->> 'now' - ?1 ->> 'rate_milliseconds'
      ),
      0
    ) + ?1 ->> 'rate_milliseconds' AS rate_milliseconds_left
),
tallies AS (
  SELECT
    position,
    count(*) AS recipients,
    sum(
      NOT EXISTS (SELECT 1 FROM list_entries WHERE list = 'verified' AND value = address)
    ) AS unverified,
    min(
      CASE WHEN EXISTS (
        SELECT 1 FROM list_entries
        WHERE list = 'send_block' AND value IN (address, domain, '@' || domain)
      ) THEN place END
    ) AS blocked,
    min(
      CASE WHEN EXISTS (SELECT 1 FROM suppressions WHERE address = recipients.address)
      THEN place END
    ) AS suppressed
  FROM recipients GROUP BY position
),
needs AS (
  SELECT
    position, recipients, blocked, suppressed,
    coalesce(blocked, suppressed) IS NULL AS eligible,
    CASE
      WHEN is_test OR unlimited OR ?1 ->> 'administrator' IS NOT NULL THEN 0 ELSE unverified
    END AS charge,
    CASE WHEN is_test THEN 0 ELSE recipients END AS counted
  FROM tallies JOIN items USING (position), facts
),
places AS (
  SELECT
    *,
    charge + coalesce(sum(CASE WHEN eligible THEN charge END) OVER ahead, 0) AS charge_so_far,
    counted + coalesce(sum(CASE WHEN eligible THEN counted END) OVER ahead, 0) AS counted_so_far,
    1 + coalesce(sum(eligible) OVER ahead, 0) AS messages_so_far
  FROM needs
  WINDOW ahead AS (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
verdict AS MATERIALIZED (
  SELECT
    position, recipients, charge, earlier, reserved, rate_used, rate_milliseconds_left,
    ?1 ->> ('$.messages[' || position || '].recipients[' || coalesce(blocked, suppressed) || ']')
      AS listed,
    CASE
      WHEN reserved THEN NULL
      WHEN NOT credential_holds THEN 'invalid_credential'
      WHEN earlier IS NOT NULL THEN 'earlier'
      WHEN retried THEN 'already_retried'
      WHEN paused THEN 'address_paused'
      WHEN coalesce(rate_used, 0) + messages_so_far > ?1 ->> 'rate_quota' THEN 'rate_limit_exceeded'
      WHEN charge > 0 AND charge_so_far > balance THEN 'no_balance'
      WHEN blocked IS NOT NULL THEN 'address_blocked'
      WHEN suppressed IS NOT NULL THEN 'recipient_suppressed'
      WHEN counted > 0 AND sent_today + counted_so_far > daily_limit THEN 'daily_quota_reached'
      WHEN counted > 0 AND sent_this_month + counted_so_far > monthly_limit
        THEN 'monthly_quota_reached'
    END AS refusal
  FROM places, facts
),
accepted AS (
  SELECT position, recipients, charge FROM verdict
  WHERE refusal IS NULL AND NOT reserved AND (
    ?1 ->> 'permissive' OR NOT EXISTS (SELECT 1 FROM verdict WHERE refusal IS NOT NULL)
  )
)
"""

# What a batch is answered is kept with the first of its messages, and so are its key and digest.
_ANSWER = """
(
  SELECT json_group_array(
    json_object(
      'id', ?1 ->> ('$.messages[' || position || '].id'),
      'refusal', refusal,
      'listed', listed,
      'rate_milliseconds_left', rate_milliseconds_left
    )
  )
  FROM (SELECT * FROM verdict ORDER BY position)
)
"""

_REPORT = f"""
{_VERDICT}
SELECT
  v.refusal, v.listed, v.reserved, v.rate_used, v.rate_milliseconds_left,
  m.id, m.status, m.request_digest, m.provider_message_id, m.answer_status, m.answer_code,
  m.scheduled_at, m.batch_answer,
  CASE WHEN v.reserved THEN (
    SELECT batch_answer FROM messages
    WHERE id IN (SELECT id FROM items) AND batch_answer IS NOT NULL
  ) END AS own_answer
FROM verdict AS v LEFT JOIN messages AS m ON m.id = v.earlier
ORDER BY v.position
"""

# A key is its caller's again after a day, whether the sweep has come by or not.
_KEY_MILLISECONDS = 86_400_000
_FREE_OLD_KEY = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
  AND accepted_at <= ?1 ->> 'now' - {_KEY_MILLISECONDS}
"""

# Whoever asks again is told what came of it, and then it can't be undone any more (confirm.py).
_MARK_EARLIER_ANSWERED = f"""
UPDATE messages SET answer_status = {HTTPStatus.ACCEPTED:d}
WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
  AND request_digest = ?1 ->> 'request_digest'
  AND answer_status IS NULL AND (scheduled_at IS NOT NULL OR batch_answer IS NOT NULL)
  AND id NOT IN (SELECT value ->> 'id' FROM json_each(?1, '$.messages'))
"""

_EARLIER = """
SELECT
  id, status, request_digest, provider_message_id, answer_status, answer_code, scheduled_at,
  batch_answer
FROM messages WHERE address_id = ?1 AND idempotency_key = ?2 AND accepted_at > ?3
"""

_INSERT_MESSAGES = f"""
{_VERDICT}
INSERT INTO messages (
  id, address_id, sender, sender_name, subject, size, recipients, charge,
  status, attempt, lease_until, next_attempt_at, accepted_at, request_id,
  reply_to, headers, tags, attachments, scheduled_at, is_test,
  retry_of, idempotency_key, request_digest, batch_answer, sendbox
)
SELECT
  items.id, ?1 ->> 'address_id', item ->> 'sender', item ->> 'sender_name', item ->> 'subject',
  item ->> 'size', recipients, charge, item ->> 'status', item ->> 'status' = 'sending',
  CASE item ->> 'status' WHEN 'sending' THEN ?1 ->> 'lease_until' END, item ->> 'due_at',
  ?1 ->> 'now', ?1 ->> 'request_id',
  item -> 'reply_to', item -> 'headers', item -> 'tags', item -> 'attachments',
  item ->> 'scheduled_at', items.is_test, ?1 ->> 'retry_of',
  CASE WHEN is_first THEN ?1 ->> 'idempotency_key' END,
  CASE WHEN is_first THEN ?1 ->> 'request_digest' END,
  CASE WHEN is_first AND ?1 ->> 'batch' THEN {_ANSWER} END,
  coalesce((SELECT sendbox FROM addresses WHERE id = ?1 ->> 'address_id'), 0)
FROM (SELECT *, position = min(position) OVER () AS is_first FROM accepted)
JOIN items USING (position)
"""

# Reads the messages' keys alone: a hundred messages are a hundred lookups.
_NEW = """
WITH new AS (
  SELECT m.id, m.address_id, m.recipients, m.charge, m.is_test, m.accepted_at, value AS item
  FROM json_each(?1, '$.messages') JOIN messages AS m ON m.id = value ->> 'id'
  WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = m.id)
)
"""

_CHARGE_BALANCE = f"""
{_NEW}
UPDATE send_balances SET balance = balance - (SELECT sum(charge) FROM new)
WHERE address_id = (SELECT address_id FROM new WHERE charge > 0)
"""

# An address without a row is granted the default balance, and charged, in one row written.
_GRANT_BALANCE = f"""
{_NEW}
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT address_id, ?1 ->> 'default_balance' - sum(charge), 1, accepted_at
FROM new WHERE NOT EXISTS (SELECT 1 FROM send_balances WHERE address_id = new.address_id)
GROUP BY address_id HAVING sum(charge) > 0
"""

_COUNT_RECIPIENTS = f"""
{_NEW}
INSERT INTO daily_recipients (day, recipients)
SELECT ?1 ->> 'day', sum(recipients) FROM new WHERE NOT is_test GROUP BY 1
ON CONFLICT (day) DO UPDATE SET recipients = recipients + excluded.recipients
"""

_COUNT_RATE = f"""
{_NEW}
INSERT INTO rate_windows (address_id, started_at, used)
SELECT address_id, accepted_at, count(*) FROM new WHERE true GROUP BY address_id
ON CONFLICT (address_id) DO UPDATE SET
  used = excluded.used + CASE
    WHEN started_at > ?1 ->> 'now' - ?1 ->> 'rate_milliseconds' THEN used ELSE 0
  END,
  started_at = CASE
    WHEN started_at > ?1 ->> 'now' - ?1 ->> 'rate_milliseconds' THEN started_at
    ELSE excluded.started_at
  END
"""

_AUDIT = f"""
{_NEW}
INSERT INTO audit (id, occurred_at, actor, action, object, source, details)
SELECT
  id, accepted_at, ?1 ->> 'administrator', 'message.sent', id, ?1 ->> 'source',
  json_object('from', item ->> 'sender')
FROM new
"""

_INSERT_DELIVERIES = f"""
{_NEW}
INSERT INTO deliveries (message_id, position, kind, address, name)
SELECT
  new.id, recipient.key,
  recipient.value ->> 'kind', recipient.value ->> 'address', recipient.value ->> 'name'
FROM new, json_each(item, '$.recipients') AS recipient
"""


async def reserve(database: Database, entries: list[Entry], reservation: Reservation) -> Reserved:
    """Keep and charge the messages, or refuse them and leave nothing behind.

    Without ``permissive`` one refused message refuses all. A request that was made before, with
    the same idempotency key, is not carried out again: what came of it then is returned.

    A refusal is ``BadRequest`` with ``no_balance``, ``address_blocked``,
    ``recipient_suppressed``, ``daily_quota_reached`` or ``monthly_quota_reached``;
    ``TooManyRequests``; or ``Conflict`` with ``already_retried``.

    :raises Unauthorized: where the credential no longer holds.
    :raises Conflict: ``idempotency_key_reused`` or ``idempotency_in_flight``.
    :raises PayloadTooLarge: ``batch_too_large``: more recipients, headers and tags than one
        request to D1 takes.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    encoded = msgspec.json.encode(_request(entries, reservation))
    if len(encoded) > MAX_REQUEST_BYTES:
        raise PayloadTooLarge("batch_too_large", size=len(encoded), limit=MAX_REQUEST_BYTES)
    request = (encoded.decode(),)
    statements = [
        Statement(_REPORT, request),
        Statement(_INSERT_MESSAGES, request),
        *body_statements([(entry.id, entry.message) for entry in entries]),
        *attachment_statements(
            [(entry.id, entry.message) for entry in entries if entry.status != "sending"]
        ),
        Statement(_CHARGE_BALANCE, request),
        Statement(_GRANT_BALANCE, request),
        Statement(_COUNT_RECIPIENTS, request),
        *([Statement(_COUNT_RATE, request)] if reservation.rate_limit else []),
        *([Statement(_AUDIT, request)] if reservation.administrator else []),
        Statement(_INSERT_DELIVERIES, request),
    ]
    before = [_FREE_OLD_KEY, _MARK_EARLIER_ANSWERED] if reservation.idempotency_key else []
    results = await database.batch(
        [*(Statement(sql, request) for sql in before), *statements], repeatable=True
    )
    return _reserved(results[len(before)], reservation)


def _request(entries: list[Entry], reservation: Reservation) -> dict[str, object]:
    credential = reservation.credential
    limit = reservation.rate_limit
    administrator = reservation.administrator
    return {
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "default_balance": reservation.default_balance,
        "now": reservation.now,
        "lease_until": reservation.lease_until,
        "day": reservation.day,
        "request_id": reservation.request_id,
        "idempotency_key": reservation.idempotency_key,
        "request_digest": reservation.request_digest,
        "retry_of": reservation.retry_of,
        "permissive": reservation.permissive,
        "batch": reservation.batch,
        "rate_quota": limit.quota if limit else None,
        "rate_milliseconds": limit.seconds * 1000 if limit else None,
        "administrator": administrator.name if administrator else None,
        "source": administrator.source if administrator else None,
        "messages": [_row(entry) for entry in entries],
    }


def _row(entry: Entry) -> dict[str, object]:
    message = entry.message
    row: dict[str, object] = {
        "id": entry.id,
        "sender": str(message.sender),
        "sender_name": message.sender_name,
        "subject": message.subject,
        "size": entry.size,
        "status": entry.status,
        "due_at": entry.due_at,
        "scheduled_at": entry.due_at if entry.status == "scheduled" else None,
        "is_test": message.is_test,
        "recipients": [
            {
                "kind": recipient.kind,
                "address": str(recipient.address),
                "key": recipient.address.key,
                "domain": recipient.address.domain,
                "name": recipient.name,
                "field": recipient.field,
            }
            for recipient in message.recipients
        ],
    }
    # What is not there must be absent: a null of JSON would be kept as the text "null".
    if message.reply_to:
        row["reply_to"] = {"address": str(message.reply_to.address), "name": message.reply_to.name}
    if message.headers:
        row["headers"] = message.headers
    if message.tags:
        row["tags"] = message.tags
    if message.attachments:
        row["attachments"] = [
            {
                "filename": attachment.filename,
                "content_type": attachment.content_type,
                "content_id": attachment.content_id,
                "size": len(attachment.content),
                "sha256": attachment.sha256,
            }
            for attachment in message.attachments
        ]
    return row


def _reserved(report: list[Row], reservation: Reservation) -> Reserved:
    first = report[0]
    rate = _rate_state(first, reservation)
    if first["refusal"] == "invalid_credential":
        raise Unauthorized("invalid_credential")
    if first["refusal"] == "earlier":
        return Reserved((), rate, _earlier(first, reservation.request_digest))
    rows = msgspec.json.decode(first["own_answer"]) if first["own_answer"] else report
    refusals = tuple(_refusal(row) for row in rows)
    if rate and not first["reserved"] and (reservation.permissive or not any(refusals)):
        rate = rate._replace(remaining=rate.remaining - refusals.count(None))
    return Reserved(refusals, rate)


def _rate_state(row: Row, reservation: Reservation) -> RateState | None:
    limit = reservation.rate_limit
    if limit is None:
        return None
    remaining = max(0, limit.quota - (row["rate_used"] or 0))
    return RateState(remaining, _seconds(row["rate_milliseconds_left"]))


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // 1000))


async def find_earlier(
    database: Database, credential: Credential, *, key: str, digest: str | None, now: int
) -> Sending | BatchAnswer | None:
    """What came of an earlier request with this key, for a request that is not carried out.

    :param now: Unix milliseconds.
    :raises Unauthorized, Conflict: as ``reserve`` does.
    """
    asked = {
        "address_id": credential.address_id,
        "idempotency_key": key,
        "request_digest": digest,
        "messages": [],
    }
    mark = Statement(_MARK_EARLIER_ANSWERED, (msgspec.json.encode(asked).decode(),))
    earlier = Statement(_EARLIER, (credential.address_id, key, now - _KEY_MILLISECONDS))
    found, _, rows = await database.batch(
        [holds_statement(credential), mark, earlier], repeatable=True
    )
    if not found:
        raise Unauthorized("invalid_credential")
    return _earlier(rows[0], digest) if rows else None


def _earlier(report: Row, digest: str | None) -> Sending | BatchAnswer:
    if report["request_digest"] != digest:
        raise Conflict("idempotency_key_reused")
    if report["batch_answer"]:
        # What a batch is answered is known when it is reserved, so none of it is in flight.
        rows = msgspec.json.decode(report["batch_answer"])
        results = tuple(_refusal(row) or str(row["id"]) for row in rows)
        return BatchAnswer(results, replayed=True)
    if report["scheduled_at"] is not None:
        return Sending(
            id=report["id"],
            status=report["status"],
            provider_message_id=report["provider_message_id"],
            answer_status=HTTPStatus.ACCEPTED,
            answer_code=None,
            replayed=True,
        )
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


def _refusal(row: Row) -> Refusal | None:
    match row["refusal"]:
        case None:
            return None
        case "already_retried":
            return Conflict("already_retried")
        case "rate_limit_exceeded":
            return TooManyRequests(
                "rate_limit_exceeded", retry_after=_seconds(row["rate_milliseconds_left"])
            )
        case "address_blocked" | "recipient_suppressed" as code:
            return _listed(code, row)
        case code:
            return BadRequest(code)


def _listed(code: str, row: Row) -> BadRequest:
    recipient = msgspec.json.decode(row["listed"])
    values = {"recipient": recipient["key"]}
    field = recipient["field"]
    sentence = "recipient_blocked" if code == "address_blocked" else code
    errors = (FieldError(field, sentence, values),) if field else ()
    return BadRequest(code, errors=errors, **values)
