"""Reserve: one batch that rejects messages, or stores them and charges for them.

The statements are the same for one message and for a hundred; they read one JSON parameter, ``?1``.
The batch has no control flow. So ``_REPORT`` reports every condition, and the INSERT of the
messages repeats the conditions in its WHERE. Both use ``_VERDICT``, so the reported reason is the
one that prevented the INSERT. The statements after the INSERT apply only to new messages. A message
is new if it has a row in ``messages`` and none in ``deliveries``. The last statement inserts the
deliveries. So the batch can be repeated if D1's response is lost: the second run finds the ids of
the messages in the database and changes nothing.
"""

from typing import Any

import msgspec

from accounts.credentials import Credential
from accounts.sending_limits import RateLimit, RateState
from clock import iso_time, utc_day
from errors import (
    ApiError,
    BadRequest,
    Conflict,
    FieldError,
    PayloadTooLarge,
    Term,
    TooManyRequests,
    Unauthorized,
)
from mail.lifecycle import ReportedAs
from mail.message import encode_details
from mail.submission import Attempt, Submission, SubmissionResult
from store.addresses import require_valid
from store.daily_counts import used
from store.database import Database, Row, Statement
from store.listeners import listeners
from store.message_content import (
    attachment_statements,
    body_statements,
    most_attachment_statements,
    most_body_statements,
)
from store.usage import QUOTAS
from store.waiting import has_many_waiting
from store.withdrawals import withdrawn

# Below the limit of a D1 value. Bodies and attachments are separate parameters.
MAX_REQUEST_BYTES = 1_800_000

# An attempt usually takes less than a second. It takes at most 30 s, the provider's timeout.
IN_FLIGHT_RETRY_SECONDS = 2


# The maximum number of statements of `reserve`, without those that store bodies and attachments.
_OTHER_STATEMENTS = 10


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``reserve`` that come from the clock and the settings.

    ``lease_until`` is the end of the lease of messages that are sent at once. ``default_balance``
    is granted to an address without a balance. ``rate_limit`` is None if no rate limit applies.
    ``max_sandbox_recipients``, ``max_sandbox_bytes`` and ``max_withdrawals`` are limits per address
    and day; None for no limit. ``keyed`` are the transports whose providers have idempotency keys,
    and ``ask_until`` is until when they may be asked again with the key of a first attempt.
    """

    now: int
    lease_until: int
    default_balance: int
    rate_limit: RateLimit | None = None
    max_sandbox_recipients: int | None = None
    max_sandbox_bytes: int | None = None
    max_withdrawals: int | None = None
    keyed: tuple[str, ...] = ()
    ask_until: int | None = None


class Reserved(msgspec.Struct, frozen=True):
    """The result of ``reserve``.

    ``errors`` has one entry per message, None for an accepted one. ``rate`` is the state of the
    rate limit, None if no rate limit applies. ``earlier`` has the results of an earlier request
    with the same idempotency key. In that case nothing was reserved, and ``errors`` is empty.
    ``has_many_waiting`` is False if all messages of the request are sent at once. ``webhooks`` are
    the ids of the webhooks that listen to the outcomes. ``transports`` has one entry per message:
    the transport that was chosen, None if the message has only one.
    """

    errors: tuple[ApiError | None, ...]
    rate: RateState | None
    earlier: list[SubmissionResult] | None = None
    has_many_waiting: bool = False
    webhooks: tuple[str, ...] = ()
    transports: tuple[str | None, ...] = ()


_DAY = 86_400_000

# What the accepted messages before a message consume, computed from `w`, the row of the previous
# message. The sums in a row of `walk` do not include the message of the row itself, because the
# same row decides whether this message is accepted.
_CHARGED_BEFORE = "w.charged_before + iif(w.error IS NULL, w.charge, 0)"
_COUNTED_BEFORE = "w.counted_before + iif(w.error IS NULL, w.counted, 0)"
_SANDBOXED_BEFORE = "w.sandboxed_before + iif(w.error IS NULL, w.sandboxed, 0)"
_BYTES_BEFORE = "w.bytes_before + iif(w.error IS NULL, w.bytes, 0)"
_ACCEPTED_BEFORE = "w.accepted_before + (w.error IS NULL)"

_SUBJECT = "CAST(?1 ->> 'address_id' AS TEXT)"
_SANDBOXED_TODAY = used("?1 ->> 'day'", _SUBJECT, "'sandbox_recipients'")
_BYTES_TODAY = used("?1 ->> 'day'", _SUBJECT, "'sandbox_bytes'")

# The code of the error for a message; NULL if it is accepted. The checks are in the order of the
# HTTP contract.
_ERROR = f"""
CASE
  WHEN reserved THEN NULL
  WHEN NOT credential_holds THEN 'invalid_credential'
  WHEN earlier IS NOT NULL THEN 'earlier'
  WHEN retried THEN 'already_retried'
  WHEN paused THEN 'address_paused'
  WHEN coalesce(rate_used, 0) + {_ACCEPTED_BEFORE} >= ?1 ->> 'rate_quota'
    THEN 'rate_limit_exceeded'
  WHEN n.counted > 0 AND withdrawn >= ?1 ->> 'max_withdrawals' THEN 'too_many_withdrawals'
  WHEN {_CHARGED_BEFORE} + n.charge > balance THEN 'no_balance'
  WHEN n.blocked IS NOT NULL THEN 'address_blocked'
  WHEN n.suppressed IS NOT NULL THEN 'recipient_suppressed'
  WHEN n.counted > 0 AND sent_today + {_COUNTED_BEFORE} + n.counted > daily_limit
    THEN 'daily_quota_reached'
  WHEN n.counted > 0 AND sent_this_month + {_COUNTED_BEFORE} + n.counted > monthly_limit
    THEN 'monthly_quota_reached'
  WHEN n.sandboxed > 0
    AND {_SANDBOXED_TODAY} + {_SANDBOXED_BEFORE} + n.sandboxed > ?1 ->> 'max_sandbox_recipients'
    THEN 'too_many_sandbox_recipients'
  WHEN n.sandboxed > 0
    AND {_BYTES_TODAY} + {_BYTES_BEFORE} + n.bytes > ?1 ->> 'max_sandbox_bytes'
    THEN 'too_many_sandbox_bytes'
END AS error
"""

_CREDENTIAL_HOLDS = """(
  EXISTS (
    SELECT 1 FROM addresses
    WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
      AND credential_version = ?1 ->> 'credential_version'
  ) OR ?1 ->> 'administrator' IS NOT NULL
)"""

# Whether the window of the rate limit has not ended. If its beginning is at least its length in the
# future, a wrong clock started it. It counts as ended: it would reject messages until then.
_IS_OPEN = "abs(started_at - ?1 ->> 'now') < ?1 ->> 'rate_milliseconds'"

# The suppressions that count at the time {now}. Here, because a send does not load the module that
# manages them.
IN_FORCE = "(expires_at IS NULL OR expires_at > {now})"
_IN_FORCE = IN_FORCE.format(now="?1 ->> 'now'")
_LISTED = "?1 ->> ('$.messages[' || position || '].recipients[' || listed"

# The verdict on each message, one row per message. It reads list_entries, suppressions and
# daily_recipients by their primary keys, at most 31 rows of daily_recipients for a month. `walk`
# checks the messages in their order. An accepted message leaves less balance, limits and rate for
# later ones; a rejected message consumes nothing. The `+` keeps SQLite from building an index for
# `needs`, which has one row in most requests.
_VERDICT = f"""
WITH RECURSIVE
items AS MATERIALIZED (
  SELECT
    key AS position, value AS item, value ->> 'id' AS id, value ->> 'is_sandbox' AS is_sandbox,
    value ->> 'size' AS size
  FROM json_each(?1, '$.messages')
),
recipients AS (
  SELECT
    position, is_sandbox, size, recipient.key AS place, item ->> 'scope' AS scope,
    recipient.value ->> 'key' AS address, recipient.value ->> 'domain' AS domain
  FROM items, json_each(item, '$.recipients') AS recipient
),
facts AS MATERIALIZED (
  SELECT
    EXISTS (SELECT 1 FROM messages WHERE id IN (SELECT id FROM items)) AS reserved,
    (
      SELECT id FROM messages
      WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
    ) AS earlier,
    EXISTS (SELECT 1 FROM messages WHERE retry_of = ?1 ->> 'retry_of') AS retried,
    {_CREDENTIAL_HOLDS} AS credential_holds,
    EXISTS (
      SELECT 1 FROM list_entries WHERE list = 'unlimited' AND value = ?1 ->> 'address'
    ) AS unlimited,
    EXISTS (
      SELECT 1 FROM send_pauses WHERE address_id = ?1 ->> 'address_id' AND paused
    ) AS paused,
    {withdrawn("?1 ->> 'day'", "?1 ->> 'address_id'")} AS withdrawn,
    coalesce(
      (
        SELECT CASE WHEN enabled THEN balance ELSE 0 END
        FROM send_balances WHERE address_id = ?1 ->> 'address_id'
      ),
      ?1 ->> 'default_balance'
    ) AS balance,
    {QUOTAS.format(day="?1 ->> 'day'")},
    (
      SELECT used FROM rate_windows WHERE address_id = ?1 ->> 'address_id' AND {_IS_OPEN}
    ) AS rate_used,
    coalesce(
      (
        SELECT started_at - ?1 ->> 'now' FROM rate_windows
        WHERE address_id = ?1 ->> 'address_id' AND {_IS_OPEN}
      ),
      0
    ) + ?1 ->> 'rate_milliseconds' AS rate_milliseconds_left
),
tallies AS (
  SELECT
    position, is_sandbox, size,
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
      CASE WHEN EXISTS (
        SELECT 1 FROM suppressions
        WHERE address = recipients.address AND scope IN ('', recipients.scope) AND {_IN_FORCE}
      ) THEN place END
    ) AS suppressed
  FROM recipients GROUP BY position
),
needs AS MATERIALIZED (
  SELECT
    position, recipients, blocked, suppressed,
    CASE
      WHEN is_sandbox OR unlimited OR ?1 ->> 'administrator' IS NOT NULL THEN 0 ELSE unverified
    END AS charge,
    iif(is_sandbox, 0, recipients) AS counted,
    iif(is_sandbox, recipients, 0) AS sandboxed,
    iif(is_sandbox, size, 0) AS bytes
  FROM tallies, facts
),
walk (
  position, recipients, charge, counted, sandboxed, bytes, listed,
  charged_before, counted_before, sandboxed_before, bytes_before, accepted_before, error
) AS (
  SELECT -1, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, -1, NULL
  UNION ALL
  SELECT
    n.position, n.recipients, n.charge, n.counted, n.sandboxed, n.bytes,
    coalesce(n.blocked, n.suppressed),
    {_CHARGED_BEFORE}, {_COUNTED_BEFORE}, {_SANDBOXED_BEFORE}, {_BYTES_BEFORE}, {_ACCEPTED_BEFORE},
    {_ERROR}
  FROM walk AS w JOIN needs AS n ON +n.position = w.position + 1, facts
),
verdict AS MATERIALIZED (
  SELECT
    position, recipients, charge, error, earlier, reserved, rate_used, rate_milliseconds_left,
    iif(
      error = 'rate_limit_exceeded', rate_milliseconds_left, {_DAY} - (?1 ->> 'now') % {_DAY}
    ) AS retry_milliseconds,
    {_LISTED} || ']') AS listed,
    CASE WHEN error = 'recipient_suppressed' THEN (
      SELECT json_object('reason', reason, 'expires_at', expires_at) FROM suppressions
      WHERE address = {_LISTED} || '].key')
        AND scope IN ('', ?1 ->> ('$.messages[' || position || '].scope')) AND {_IN_FORCE}
      ORDER BY expires_at IS NULL DESC, expires_at DESC LIMIT 1
    ) END AS suppression
  FROM walk, facts WHERE position >= 0
),
accepted AS (
  SELECT position, recipients, charge FROM verdict
  WHERE error IS NULL AND NOT reserved AND (
    ?1 ->> 'permissive' OR NOT EXISTS (SELECT 1 FROM verdict WHERE error IS NOT NULL)
  )
)
"""

# The result of a batch request, stored in the row of its first accepted message. This row also has
# the idempotency key and the digest of the request.
_BATCH_RESULT = """
(
  SELECT json_group_array(
    json_object(
      'id', ?1 ->> ('$.messages[' || position || '].id'),
      'error', error,
      'listed', listed,
      'suppression', suppression,
      'retry_milliseconds', retry_milliseconds
    )
  )
  FROM (SELECT * FROM verdict ORDER BY position)
)
"""


def _first_of(route: str) -> str:
    """SQL of the first transport of a route in `item` that is not skipped, otherwise the first."""
    return f"""coalesce(
    (
      SELECT listed.value FROM json_each(item, '$.{route}') AS listed
      WHERE NOT EXISTS (
        SELECT 1 FROM transport_states WHERE name = listed.value AND skipped_until > ?1 ->> 'now'
      )
      ORDER BY listed.key LIMIT 1
    ),
    item ->> '$.{route}[0]'
  )"""


# The transport of the first attempt of a row of `items`. Most messages have only one.
_TRANSPORT = f"""
CASE
  WHEN item ->> 'transport' IS NOT NULL THEN item ->> 'transport'
  WHEN item ->> 'verified_route' IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM recipients
    WHERE recipients.position = items.position AND NOT EXISTS (
      SELECT 1 FROM list_entries WHERE list = 'verified' AND value = recipients.address
    )
  ) THEN {_first_of("verified_route")}
  ELSE {_first_of("route")}
END
"""

_HAS_MANY_WAITING = has_many_waiting(address_id="?1 ->> 'address_id'", now="?1 ->> 'now'")
_REPORT = f"""
{_VERDICT}
SELECT
  v.error, v.listed, v.suppression, v.reserved, v.rate_used, v.rate_milliseconds_left,
  v.retry_milliseconds,
  m.id, m.status, m.request_digest, m.provider_message_id, m.provider_code, m.reported_as,
  m.scheduled_at, m.batch_results,
  CASE WHEN v.reserved THEN (
    SELECT batch_results FROM messages
    WHERE id IN (SELECT id FROM items) AND batch_results IS NOT NULL
  ) END AS own_result,
  CASE WHEN ?1 ->> 'is_routed' THEN (
    SELECT {_TRANSPORT} FROM items WHERE items.position = v.position
  ) END AS transport,
  CASE WHEN ?1 ->> 'waits' THEN {_HAS_MANY_WAITING} END AS has_many_waiting,
  {listeners("?1 ->> 'address_id'")} AS webhooks
FROM verdict AS v LEFT JOIN messages AS m ON m.id = v.earlier
ORDER BY v.position
"""

# Frees a key after a day, so it can be used again even if the sweep has not freed it yet.
_KEY_MILLISECONDS = _DAY
_FREE_OLD_KEY = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL
WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
  AND accepted_at <= ?1 ->> 'now' - {_KEY_MILLISECONDS}
"""

# The repeated request reports the result to the caller, so the submission can't be undone any more.
_MARK_EARLIER_REPORTED = f"""
UPDATE messages SET reported_as = 'queued'
WHERE address_id = ?1 ->> 'address_id' AND idempotency_key = ?1 ->> 'idempotency_key'
  AND request_digest = ?1 ->> 'request_digest'
  AND reported_as IS NULL AND (scheduled_at IS NOT NULL OR batch_results IS NOT NULL)
  AND id NOT IN (SELECT value ->> 'id' FROM json_each(?1, '$.messages'))
  AND {_CREDENTIAL_HOLDS}
"""

_EARLIER = """
SELECT
  id, status, request_digest, provider_message_id, provider_code, reported_as, scheduled_at,
  batch_results
FROM messages WHERE address_id = ?1 AND idempotency_key = ?2 AND accepted_at > ?3
"""

_INSERT_MESSAGES = f"""
{_VERDICT}
INSERT INTO messages (
  id, address_id, sender, sender_name, subject, size, recipients, charge,
  status, attempt, lease_until, next_attempt_at, accepted_at, request_id,
  details, scheduled_at, is_sandbox, transport, ask_until,
  retry_of, idempotency_key, request_digest, batch_results, sendbox
)
SELECT
  id, ?1 ->> 'address_id', item ->> 'sender', item ->> 'sender_name', item ->> 'subject',
  item ->> 'size', recipients, charge, item ->> 'status', item ->> 'status' = 'sending',
  CASE item ->> 'status' WHEN 'sending' THEN ?1 ->> 'lease_until' END, item ->> 'due_at',
  ?1 ->> 'now', ?1 ->> 'request_id',
  item -> 'details', item ->> 'scheduled_at', is_sandbox, transport,
  CASE WHEN item ->> 'status' = 'sending' AND transport IN (
    SELECT value FROM json_each(?1, '$.keyed')
  ) THEN ?1 ->> 'ask_until' END,
  ?1 ->> 'retry_of',
  CASE WHEN is_first THEN ?1 ->> 'idempotency_key' END,
  CASE WHEN is_first THEN ?1 ->> 'request_digest' END,
  CASE WHEN is_first AND ?1 ->> 'is_batch' THEN {_BATCH_RESULT} END,
  coalesce((SELECT sendbox FROM addresses WHERE id = ?1 ->> 'address_id'), 0)
FROM (
  SELECT
    items.id, item, items.is_sandbox, recipients, charge, {_TRANSPORT} AS transport,
    accepted.position = min(accepted.position) OVER () AS is_first
  FROM accepted JOIN items USING (position)
)
"""

# Looks up each message by its primary key instead of reading the table.
_NEW = """
WITH new AS (
  SELECT
    m.id, m.address_id, m.recipients, m.charge, m.size, m.is_sandbox, m.accepted_at, value AS item
  FROM json_each(?1, '$.messages') JOIN messages AS m ON m.id = value ->> 'id'
  WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = m.id)
)
"""

_CHARGE_BALANCE = f"""
{_NEW}
UPDATE send_balances SET balance = balance - (SELECT sum(charge) FROM new)
WHERE address_id = (SELECT address_id FROM new WHERE charge > 0)
"""

# If the address has no row in send_balances, grants and charges the default balance in one write.
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
SELECT ?1 ->> 'day', sum(recipients) FROM new WHERE NOT is_sandbox GROUP BY 1
ON CONFLICT (day) DO UPDATE SET recipients = recipients + excluded.recipients
"""

_COUNT_SANDBOX = f"""
{_NEW}
INSERT INTO daily_counts (day, subject, act, count)
SELECT
  ?1 ->> 'day', CAST(address_id AS TEXT), act, sum(iif(act = 'sandbox_bytes', size, recipients))
FROM new JOIN (SELECT 'sandbox_recipients' AS act UNION ALL SELECT 'sandbox_bytes')
WHERE is_sandbox GROUP BY address_id, act
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + excluded.count
"""

_COUNT_RATE = f"""
{_NEW}
INSERT INTO rate_windows (address_id, started_at, used)
SELECT address_id, accepted_at, count(*) FROM new WHERE true GROUP BY address_id
ON CONFLICT (address_id) DO UPDATE SET
  used = excluded.used + CASE WHEN {_IS_OPEN} THEN used ELSE 0 END,
  started_at = CASE WHEN {_IS_OPEN} THEN started_at ELSE excluded.started_at END
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


def reserve_statements(submission: Submission) -> int:
    """The maximum number of statements of ``reserve`` for ``submission``."""
    messages = submission.messages
    content = most_body_statements(messages) + most_attachment_statements(messages)
    return _OTHER_STATEMENTS + content


async def reserve(
    database: Database, submission: Submission, attempts: list[Attempt], terms: Terms
) -> Reserved:
    """Store the messages and charge for them, or reject them and store nothing.

    Without ``permissive`` one rejected message rejects all messages. A request with the idempotency
    key of an earlier one is not executed again: the earlier results are returned.

    The errors in ``Reserved.errors`` are ``BadRequest`` with ``address_paused``, ``no_balance``,
    ``address_blocked``, ``recipient_suppressed``, ``daily_quota_reached`` or
    ``monthly_quota_reached``; ``TooManyRequests`` with ``rate_limit_exceeded``,
    ``too_many_sandbox_recipients``, ``too_many_sandbox_bytes`` or ``too_many_withdrawals``; or
    ``Conflict`` with ``already_retried``.

    :param attempts: the first attempt of each message of ``submission``.
    :raises Unauthorized: ``invalid_credential``.
    :raises Conflict: ``idempotency_key_reused`` or ``idempotency_in_flight``.
    :raises PayloadTooLarge: ``batch_too_large``: without bodies and the contents of attachments,
        the messages are larger than ``MAX_REQUEST_BYTES``.
    """
    encoded = msgspec.json.encode(_request(submission, attempts, terms))
    if len(encoded) > MAX_REQUEST_BYTES:
        raise PayloadTooLarge("batch_too_large", size=len(encoded), limit=MAX_REQUEST_BYTES)
    request = (encoded.decode(),)
    is_limited = terms.max_sandbox_recipients is not None or terms.max_sandbox_bytes is not None
    counts_sandbox = is_limited and any(message.is_sandbox for message in submission.messages)
    statements = [
        Statement(_REPORT, request),
        Statement(_INSERT_MESSAGES, request),
        *body_statements([(attempt.id, attempt.message) for attempt in attempts]),
        *attachment_statements(
            [
                (one.id, one.message)
                for one in attempts
                if one.status != "sending" or one.keeps_attachments
            ]
        ),
        Statement(_CHARGE_BALANCE, request),
        Statement(_GRANT_BALANCE, request),
        Statement(_COUNT_RECIPIENTS, request),
        *([Statement(_COUNT_SANDBOX, request)] if counts_sandbox else []),
        *([Statement(_COUNT_RATE, request)] if terms.rate_limit else []),
        *([Statement(_AUDIT, request)] if submission.administrator else []),
        Statement(_INSERT_DELIVERIES, request),
    ]
    before = [_FREE_OLD_KEY, _MARK_EARLIER_REPORTED] if submission.idempotency_key else []
    results = await database.batch(
        [*(Statement(sql, request) for sql in before), *statements], repeatable=True
    )
    return _reserved(results[len(before)], submission, terms)


def _request(submission: Submission, attempts: list[Attempt], terms: Terms) -> dict[str, object]:
    credential = submission.credential
    limit = terms.rate_limit
    administrator = submission.administrator
    return {
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "default_balance": terms.default_balance,
        "now": terms.now,
        "lease_until": terms.lease_until,
        "day": utc_day(terms.now),
        "request_id": submission.request_id,
        "idempotency_key": submission.idempotency_key,
        "request_digest": submission.request_digest,
        "retry_of": submission.retry_of,
        "permissive": submission.permissive,
        "waits": any(attempt.due_at is not None for attempt in attempts),
        "is_batch": submission.reports == "acceptance",
        "is_routed": any(attempt.route for attempt in attempts),
        "keyed": terms.keyed,
        "ask_until": terms.ask_until,
        "rate_quota": limit.quota if limit else None,
        "rate_milliseconds": limit.seconds * 1000 if limit else None,
        "max_sandbox_recipients": terms.max_sandbox_recipients,
        "max_sandbox_bytes": terms.max_sandbox_bytes,
        "max_withdrawals": terms.max_withdrawals,
        "administrator": administrator.name if administrator else None,
        "source": administrator.source if administrator else None,
        "messages": [_row(attempt) for attempt in attempts],
    }


def _row(attempt: Attempt) -> dict[str, object]:
    message = attempt.message
    details = encode_details(message)
    return {
        "id": attempt.id,
        "sender": str(message.sender),
        "sender_name": message.sender_name,
        "scope": message.sender.domain,
        "subject": message.subject,
        "size": message.size,
        "status": attempt.status,
        "due_at": attempt.due_at,
        "scheduled_at": attempt.due_at if attempt.status == "scheduled" else None,
        "is_sandbox": message.is_sandbox,
        "transport": attempt.transport,
        "route": attempt.route,
        "verified_route": attempt.verified_route or None,
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
        # A JSON null would be stored as the text "null". So without details the key is left out.
        **({"details": msgspec.Raw(details)} if details != b"{}" else {}),
    }


def _reserved(report: list[Row], submission: Submission, terms: Terms) -> Reserved:
    first = report[0]
    rate = _rate_state(first, terms.rate_limit)
    if first["error"] == "invalid_credential":
        raise Unauthorized("invalid_credential")
    if first["error"] == "earlier":
        return Reserved((), rate, _earlier(first, submission.request_digest))
    rows = msgspec.json.decode(first["own_result"]) if first["own_result"] else report
    errors = tuple(_error(row) for row in rows)
    if rate and not first["reserved"] and (submission.permissive or not any(errors)):
        rate = rate._replace(remaining=rate.remaining - errors.count(None))
    return Reserved(
        errors,
        rate,
        has_many_waiting=bool(first["has_many_waiting"]),
        webhooks=tuple(msgspec.json.decode(first["webhooks"])),
        transports=tuple(row["transport"] for row in report),
    )


def _rate_state(row: Row, limit: RateLimit | None) -> RateState | None:
    if limit is None:
        return None
    remaining = max(0, limit.quota - (row["rate_used"] or 0))
    return RateState(remaining, _seconds(row["rate_milliseconds_left"]))


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // 1000))


async def find_earlier(
    database: Database, credential: Credential, *, key: str, digest: str | None, now: int
) -> list[SubmissionResult] | None:
    """The results of an earlier request with this idempotency key; None if there is none.

    :param digest: the digest of the present request. None counts as a different request.
    :raises Unauthorized, Conflict: as ``reserve`` does.
    """
    request = {
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "idempotency_key": key,
        "request_digest": digest,
        "messages": [],
    }
    mark = Statement(_MARK_EARLIER_REPORTED, (msgspec.json.encode(request).decode(),))
    earlier = Statement(_EARLIER, (credential.address_id, key, now - _KEY_MILLISECONDS))
    _, rows = await require_valid(database, credential, mark, earlier)
    return _earlier(rows[0], digest) if rows else None


def _earlier(row: Row, digest: str | None) -> list[SubmissionResult]:
    if row["request_digest"] != digest:
        raise Conflict("idempotency_key_reused")
    if row["batch_results"]:
        # The response to a batch says only which messages were accepted, so it is known at once.
        results = msgspec.json.decode(row["batch_results"])
        return [
            SubmissionResult(error=error, replayed=True)
            if (error := _error(result))
            else SubmissionResult(id=result["id"], replayed=True)
            for result in results
        ]
    # The response for a scheduled message says that it was accepted. That stays true when its
    # status changes.
    reported_as: ReportedAs | None
    reported_as = "queued" if row["scheduled_at"] is not None else row["reported_as"]
    if reported_as is None and row["status"] == "sending":
        raise Conflict("idempotency_in_flight", retry_after=IN_FLIGHT_RETRY_SECONDS)
    # None: the worker died before it reported a result, and the sweep made the message unknown.
    reported_as = reported_as or "unknown"
    codes = {"failed": row["provider_code"], "unknown": "outcome_unknown"}
    result = SubmissionResult(
        id=row["id"],
        status=row["status"],
        reported_as=reported_as,
        provider_message_id=row["provider_message_id"],
        code=codes.get(reported_as),
        replayed=True,
    )
    return [result]


def _error(row: Row) -> ApiError | None:
    match row["error"]:
        case None:
            return None
        case "already_retried":
            return Conflict("already_retried")
        case (
            "rate_limit_exceeded"
            | "too_many_sandbox_recipients"
            | "too_many_sandbox_bytes"
            | "too_many_withdrawals" as code
        ):
            return TooManyRequests(code, retry_after=_seconds(row["retry_milliseconds"]))
        case "address_blocked":
            return _blocked(row)
        case "recipient_suppressed":
            return _suppressed(row)
        case code:
            return BadRequest(code)


def _blocked(row: Row) -> BadRequest:
    listed = msgspec.json.decode(row["listed"])
    values: dict[str, Any] = {"recipient": listed["key"]}
    errors = _of_field(listed["field"], "recipient_blocked", values)
    return BadRequest("address_blocked", errors=errors, **values)


def _suppressed(row: Row) -> BadRequest:
    listed = msgspec.json.decode(row["listed"])
    # The stored results of a batch of an earlier version do not have it.
    found = msgspec.json.decode(row.get("suppression") or '{"reason":"provider"}')
    recipient, reason, expires_at = listed["key"], found["reason"], found.get("expires_at")
    end = iso_time(expires_at) if expires_at is not None else None
    sentence = "recipient_suppressed_until" if end else "recipient_suppressed"
    values: dict[str, Any] = {
        "recipient": recipient,
        "reason": Term(f"suppressed_{reason}"),
        "expires_at": end,
    }
    return BadRequest(
        "recipient_suppressed",
        sentence=sentence,
        errors=_of_field(listed["field"], sentence, values),
        extra={"suppression": {"recipient": recipient, "reason": reason, "expires_at": end}},
        **values,
    )


def _of_field(field: str | None, sentence: str, values: dict[str, Any]) -> tuple[FieldError, ...]:
    return (FieldError(field, sentence, values),) if field else ()
