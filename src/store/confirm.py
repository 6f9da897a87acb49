"""Confirm: one batch that writes news of messages, with what they do to the charges.

The statements read the table of transitions. Each is about those messages that the news find in
a status and an attempt that they may find, and the messages' own rows change last, so a late or
a repeated batch finds another state and changes nothing.
"""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from brake import Brake
from lifecycle import FINAL, TRANSITIONS, News, Status
from mail.message import Message
from store.database import Database, Statement
from store.parts import late_attachment_statements
from store.pauses import pause_statement
from store.usage import ADD, COUNTED


class Confirmation(msgspec.Struct, frozen=True):
    """News of attempt ``attempt`` of message ``id``; times are in Unix milliseconds.

    Without ``attempt`` they are about whichever attempt it has come to. ``next_attempt_at`` goes
    with ``deferred``. ``answer_status`` and ``answer_code`` are what the client is told, kept
    where it has not been told anything yet. ``frees_key`` lets a refused request be made again:
    with its idempotency key, and for the message that it was to repeat. Such news are only
    written while no client has been told anything about any of their messages, and nobody has
    claimed one to send it.
    """

    id: str
    news: News
    now: int
    attempt: int | None = None
    next_attempt_at: int | None = None
    provider_message_id: str | None = None
    provider_code: str | None = None
    answer_status: int | None = None
    answer_code: str | None = None
    frees_key: bool = False


async def confirm(
    database: Database,
    confirmations: Sequence[Confirmation],
    *,
    queued: Sequence[tuple[str, Message]] = (),
    brake: Brake | None = None,
) -> dict[str, Status]:
    """Write the news, and return the status that each message then has; none that is gone.

    A message for which these are no news stays as it is.

    :param queued: messages that become ``queued`` and whose attachments are not kept yet.
    :param brake: when their address is paused, where they are refused.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    statements = [
        *late_attachment_statements(queued),
        *confirm_statements(confirmations, brake=brake),
    ]
    *_, found = await database.batch(statements, repeatable=True)
    return {row["id"]: row["status"] for row in found}


def confirm_statements(
    confirmations: Sequence[Confirmation], *, brake: Brake | None = None
) -> list[Statement]:
    """What writes the news; the last one reads the id and the status of each message."""
    parameters = (msgspec.json.encode(confirmations).decode(),)
    news = {confirmation.news for confirmation in confirmations}
    codes = {confirmation.provider_code for confirmation in confirmations}
    sql = [
        *([_FREE_KEYS] if any(about.frees_key for about in confirmations) else []),
        *([_GIVE_BACK_BALANCE, _GIVE_BACK_RECIPIENTS] if news & _GIVING_BACK else []),
        *([_SUPPRESS] if _SUPPRESSED in codes else []),
        _INSERT_EVENTS,
        *([] if news == {"deferred"} else [_COUNT]),
        _UPDATE_MESSAGES,
        _REMOVE_ATTACHMENTS,
    ]
    statements = [Statement(text, parameters) for text in sql]
    if brake and "refused" in news:
        statements.append(pause_statement(*parameters, brake))
    return [*statements, Statement(_STATUSES, parameters)]


_GIVING_BACK = {news for (_, news), step in TRANSITIONS.items() if step.gives_back}
_TABLE = ", ".join(
    f"('{status}', '{news}', '{step.target}', {step.gives_back:d})"
    for (status, news), step in TRANSITIONS.items()
)

# Who has claimed one of them will tell.
_NOBODY_TOLD = """
NOT EXISTS (
  SELECT 1 FROM json_each(?1) JOIN messages AS told ON told.id = value ->> 'id'
  WHERE told.answer_status IS NOT NULL OR told.claimed_by IS NOT NULL
)
"""

_STEPS = f"""
WITH
transitions (status, news, target, gives_back) AS (VALUES {_TABLE}),
steps AS (
  SELECT m.*, target, gives_back, value AS about
  FROM json_each(?1)
  JOIN messages AS m
    ON m.id = value ->> 'id' AND m.attempt = coalesce(value ->> 'attempt', m.attempt)
  JOIN transitions AS t ON t.status = m.status AND t.news = value ->> 'news'
  WHERE NOT value ->> 'frees_key' OR {_NOBODY_TOLD}
)
"""

_GIVE_BACK_BALANCE = f"""
{_STEPS}
UPDATE send_balances SET balance = balance + given_back
FROM (
  SELECT address_id AS charged, sum(charge) AS given_back FROM steps
  WHERE gives_back GROUP BY address_id
)
WHERE address_id = charged AND given_back > 0
"""

# Given back to the day of acceptance, which is the day that was charged.
_GIVE_BACK_RECIPIENTS = f"""
{_STEPS}
UPDATE daily_recipients SET recipients = recipients - given_back
FROM (
  SELECT
    strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch') AS accepted_on,
    sum(recipients) AS given_back
  FROM steps WHERE gives_back AND NOT is_test GROUP BY accepted_on
)
WHERE day = accepted_on
"""

_INSERT_EVENTS = f"""
{_STEPS}
INSERT INTO events (message_id, sequence, kind, attempt, provider_code, occurred_at)
SELECT
  id, (SELECT coalesce(1 + max(sequence), 0) FROM events WHERE message_id = id),
  CASE target WHEN 'queued' THEN 'deferred' ELSE target END,
  attempt, about ->> 'provider_code', about ->> 'now'
FROM steps
"""

_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))

# What is undone so that it can be asked for again was never accepted.
_COUNT = _STEPS + ADD.format(
    counted=f"""
    SELECT {COUNTED} FROM steps
    WHERE target IN ({_FINAL}) AND NOT is_test AND NOT about ->> 'frees_key'
    GROUP BY day, address_id
    """
)

# Of several recipients the provider does not say which it meant.
_SUPPRESSED = "E_RECIPIENT_SUPPRESSED"
_SUPPRESS = f"""
{_STEPS}
INSERT INTO suppressions (address, reason, since)
SELECT lower(d.address), 'provider', about ->> 'now'
FROM steps JOIN deliveries AS d ON d.message_id = steps.id
WHERE about ->> 'provider_code' = '{_SUPPRESSED}' AND steps.recipients = 1 AND NOT is_test
ON CONFLICT (address) DO NOTHING
"""

# What is deferred has failed all the same where the sweep has ended it: 202 would promise more.
_UPDATE_MESSAGES = f"""
{_STEPS},
answers AS (
  SELECT
    id AS message_id, target, about,
    about ->> 'answer_status' = {HTTPStatus.ACCEPTED:d} AND status = 'unknown' AS fails
  FROM steps
)
UPDATE messages SET
  status = target,
  lease_until = NULL,
  next_attempt_at = CASE target WHEN 'queued' THEN about ->> 'next_attempt_at' END,
  finished_at = CASE target WHEN 'queued' THEN NULL ELSE about ->> 'now' END,
  provider_message_id = about ->> 'provider_message_id',
  provider_code = about ->> 'provider_code',
  answer_status = coalesce(
    answer_status,
    CASE WHEN fails THEN {HTTPStatus.BAD_GATEWAY:d} ELSE about ->> 'answer_status' END
  ),
  answer_code = CASE
    WHEN answer_status IS NOT NULL THEN answer_code
    WHEN fails THEN about ->> 'provider_code'
    ELSE about ->> 'answer_code'
  END
FROM answers WHERE messages.id = message_id
"""

_REMOVE_ATTACHMENTS = f"""
DELETE FROM attachment_parts WHERE message_id IN (
  SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 'id'
  WHERE m.status IN ({_FINAL})
)
"""

_STATUSES = """
SELECT m.id, m.status FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 'id'
"""

# A statement of its own: an update that names the column writes its index, changed or not.
_FREE_KEYS = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL, retry_of = NULL
FROM json_each(?1)
WHERE messages.id = value ->> 'id' AND attempt = coalesce(value ->> 'attempt', attempt)
  AND value ->> 'frees_key' AND {_NOBODY_TOLD}
"""
