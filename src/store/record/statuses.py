"""Record status updates of messages: their statuses, histories and refunds.

The statements contain the table of transitions (``mail/lifecycle.py``). They apply only to messages
with the status and the attempt that the update expects. ``messages`` is updated after all
statements that depend on its old state. So a late or repeated batch finds another state and changes
nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from accounts.sending_limits import PausePolicy
from mail.lifecycle import FINAL, TRANSITIONS, Event, ReportedAs, Status
from mail.message import Message
from store.database import Database, Statement, quoted
from store.message_content import late_attachment_statements
from store.pauses import pause_statement
from store.record.history import INSERT_EVENTS
from store.usage import ADD, COUNTED, DAY_OF_ACCEPTANCE, SENDING_DOMAIN
from store.withdrawals import late_cancellations
from transport.outcome import Reason

if TYPE_CHECKING:
    from store.transports import States


class StatusUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An event in attempt ``attempt`` of message ``id``.

    ``attempt`` None means the current attempt. ``next_attempt_at`` is set only for the event
    ``deferred``, ``lease_until`` only for ``rerouted``. ``next_transport`` is the transport of the
    next attempt, if it is another one. ``ask_until`` is the end of the time in which the provider
    may be asked again with the same key; None if the outcome is known. ``reported_as`` is the
    status reported to the caller; only the first one is stored. ``settled_by`` is the id of the
    delivery event that reports the outcome, if it was not the provider's response. ``undo`` makes a
    rejected submission repeatable: it frees the idempotency key and ``retry_of``. An update with
    ``undo`` has an effect only if none of the messages in the same call of ``record`` was reported
    to a caller or claimed by a worker.
    """

    id: str
    event: Event
    now: int
    attempt: int | None = None
    next_attempt_at: int | None = None
    lease_until: int | None = None
    next_transport: str | None = None
    ask_until: int | None = None
    provider_message_id: str | None = None
    provider_code: str | None = None
    reason: Reason | None = None
    reported_as: ReportedAs | None = None
    undo: bool = False
    settled_by: str | None = None


# The maximum number of statements of record(), without those that store attachments.
RECORD_STATEMENTS = 9


async def record(
    database: Database,
    updates: Sequence[StatusUpdate],
    *,
    queued: Sequence[tuple[str, Message]] = (),
    pause_policy: PausePolicy | None = None,
    states: "States | None" = None,
) -> dict[str, Status]:
    """Record ``updates`` and return the new statuses of the messages that still exist.

    An update that does not apply to its message has no effect.

    :param queued: the messages, each with its id, that become ``queued`` and whose attachments are
        not stored yet.
    :param pause_policy: the policy for pausing the addresses of rejected messages; None to pause
        none.
    :param states: the transports that have accepted mail, as None, and the errors of those that
        have failed for all mail, by their names.
    """
    statements = [
        *late_attachment_statements(queued),
        *record_statements(updates, pause_policy=pause_policy),
        *_states(states, updates),
        Statement(_STATUSES, (msgspec.json.encode([update.id for update in updates]).decode(),)),
    ]
    *_, found = await database.batch(statements, repeatable=True)
    return {row["id"]: row["status"] for row in found}


async def reroute(
    database: Database, updates: Sequence[StatusUpdate], *, states: "States"
) -> set[str]:
    """Record that other transports make the next attempts of these messages.

    :param updates: updates with the event ``rerouted``, all at the same time.
    :param states: as for ``record``.
    :returns: the ids of the messages that this worker holds for the next attempt. Another worker
        may have taken over the others.
    """
    parameters = (msgspec.json.encode(updates).decode(),)
    statements = [
        Statement(_INSERT_EVENTS, parameters),
        Statement(_UPDATE_MESSAGES, parameters),
        *_states(states, updates),
        Statement(_STILL_HELD, parameters),
    ]
    *_, held = await database.batch(statements, repeatable=True)
    return {row["id"] for row in held}


def _states(states: "States | None", updates: Sequence[StatusUpdate]) -> list[Statement]:
    if not states:
        return []
    # Imported here, because it is not needed if the binding is the only transport.
    from store.transports import state_statement

    return [state_statement(states, now=updates[0].now)]


def record_statements(
    updates: Sequence[StatusUpdate], *, pause_policy: PausePolicy | None = None
) -> list[Statement]:
    """The statements that record ``updates``."""
    parameters = (msgspec.json.encode(updates).decode(),)
    events = {update.event for update in updates}
    reasons = {update.reason for update in updates}
    sql = [
        *([_FREE_KEYS] if any(update.undo for update in updates) else []),
        *([_REFUND_BALANCE, _REFUND_RECIPIENTS] if events & _REFUNDING else []),
        *([_COUNT_LATE_CANCELLATIONS] if any(map(_is_cancelled, updates)) else []),
        *([_suppress()] if "recipient_suppressed" in reasons else []),
        _INSERT_EVENTS,
        _COUNT,
        _UPDATE_MESSAGES,
        _REMOVE_ATTACHMENTS,
    ]
    statements = [Statement(text, parameters) for text in sql]
    if pause_policy and events & {"rejected", "disproved"}:
        statements.append(pause_statement(*parameters, pause_policy))
    return statements


def _is_cancelled(update: StatusUpdate) -> bool:
    return update.event == "cancelled" and not update.undo


_REFUNDING = {event for (_, event), transition in TRANSITIONS.items() if transition.refunds}
_TABLE = ", ".join(
    f"('{status}', '{event}', '{transition.target}', {transition.refunds:d})"
    for (status, event), transition in TRANSITIONS.items()
)

# True if no status of these messages was reported to a caller, and no worker has claimed any of
# them. A worker that has claimed a message records its own result.
_UNREPORTED = """
NOT EXISTS (
  SELECT 1 FROM json_each(?1) JOIN messages AS other ON other.id = value ->> 'id'
  WHERE other.reported_as IS NOT NULL OR other.claimed_by IS NOT NULL
)
"""

_APPLIED = f"""
WITH
transitions (status, event, target, refunds) AS (VALUES {_TABLE}),
applied AS (
  SELECT m.*, target, refunds, value AS about
  FROM json_each(?1)
  JOIN messages AS m
    ON m.id = value ->> 'id' AND m.attempt = coalesce(value ->> 'attempt', m.attempt)
  JOIN transitions AS t ON t.status = m.status AND t.event = value ->> 'event'
  WHERE (NOT value ->> 'undo' OR {_UNREPORTED})
    AND (
      t.event NOT IN ('cancelled', 'abandoned')
      OR (m.ask_until IS NULL) = (t.event = 'cancelled')
    )
)
"""

# A refund that is taken back may be spent already.
_REFUND_BALANCE = f"""
{_APPLIED}
UPDATE send_balances SET balance = max(0, balance + refund)
FROM (
  SELECT address_id AS charged, sum(charge * refunds) AS refund FROM applied
  WHERE refunds GROUP BY address_id
)
WHERE address_id = charged AND refund <> 0
"""

# The recipients were counted on the day of acceptance, so that day gets the refund.
_REFUND_RECIPIENTS = f"""
{_APPLIED}
UPDATE daily_recipients SET recipients = recipients - refund
FROM (
  SELECT
    {DAY_OF_ACCEPTANCE} AS accepted_on, sum(recipients * refunds) AS refund
  FROM applied WHERE refunds AND NOT is_sandbox GROUP BY accepted_on
)
WHERE day = accepted_on
"""

_INSERT_EVENTS = _APPLIED + INSERT_EVENTS.format(
    kind="CASE WHEN target IN ('queued', 'sending') THEN 'deferred' ELSE target END",
    provider_code="about ->> 'provider_code'",
    now="about ->> 'now'",
    settled_by="about ->> 'settled_by'",
    transport="iif(target = 'cancelled', NULL, transport)",
    next_transport="about ->> 'next_transport'",
    source="applied",
)

_FINAL = quoted(FINAL)

# Usage does not count an undone submission as accepted. If the sweep has made the message unknown,
# it is already counted, so it is subtracted.
_COUNT = _APPLIED + ADD.format(
    counted=f"""
    SELECT {COUNTED} FROM (
      SELECT
        accepted_at, address_id, {SENDING_DOMAIN} AS domain, recipients,
        status, iif(about ->> 'undo', 'undone', target) AS target
      FROM applied WHERE target IN ({_FINAL}) AND NOT is_sandbox
    )
    WHERE target <> 'undone' OR status = 'unknown'
    GROUP BY day, address_id, domain
    """
)

_COUNT_LATE_CANCELLATIONS = _APPLIED + late_cancellations(
    """
    SELECT address_id, accepted_at, about ->> 'now' AS now
    FROM applied WHERE target = 'cancelled' AND NOT about ->> 'undo' AND NOT is_sandbox
    """
)


def _suppress() -> str:
    # Imported here, because the provider rarely suppresses a recipient.
    from mail.suppressions import DURATIONS
    from store.suppressions import LEARN

    # Applies only to messages to one recipient: with several, the provider does not name the
    # suppressed one.
    suppressed = f"""
    SELECT
      lower(d.address), {SENDING_DOMAIN}, 'provider', applied.id,
      about ->> 'now', about ->> 'now' + {DURATIONS["provider"]}
    FROM applied JOIN deliveries AS d ON d.message_id = applied.id
    WHERE about ->> 'reason' = 'recipient_suppressed' AND applied.recipients = 1 AND NOT is_sandbox
    """
    return _APPLIED + LEARN.format(learned=suppressed)


# If the sweep has already made the message unknown, the event "deferred" makes it failed. So
# "failed" is stored as reported instead of "queued".
_UPDATE_MESSAGES = f"""
{_APPLIED},
changes AS (
  SELECT
    id AS message_id, target, about,
    CASE
      WHEN about ->> 'reported_as' = 'queued' AND status = 'unknown' THEN 'failed'
      ELSE about ->> 'reported_as'
    END AS reported
  FROM applied
)
UPDATE messages SET
  status = target,
  attempt = attempt + (target = 'sending'),
  lease_until = CASE target WHEN 'sending' THEN about ->> 'lease_until' END,
  next_attempt_at = CASE target WHEN 'queued' THEN about ->> 'next_attempt_at' END,
  finished_at = CASE WHEN target IN ('queued', 'sending') THEN NULL ELSE about ->> 'now' END,
  transport = coalesce(about ->> 'next_transport', transport),
  ask_until = about ->> 'ask_until',
  provider_message_id = about ->> 'provider_message_id',
  provider_code = about ->> 'provider_code',
  reason = about ->> 'reason',
  reported_as = coalesce(reported_as, reported)
FROM changes WHERE messages.id = message_id
"""

_REMOVE_ATTACHMENTS = f"""
DELETE FROM attachment_parts WHERE message_id IN (
  SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 'id'
  WHERE m.status IN ({_FINAL})
)
"""

_STATUSES = """
SELECT m.id, m.status FROM json_each(?1) JOIN messages AS m ON m.id = value
"""

# The attempt and the end of the lease together identify the claim that ``reroute`` has made.
_STILL_HELD = """
SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value ->> 'id'
WHERE m.status = 'sending' AND m.attempt = value ->> 'attempt' + 1
  AND m.lease_until = value ->> 'lease_until'
"""

# Separate from _UPDATE_MESSAGES, because an UPDATE that sets an indexed column always writes its
# index, even if the value stays the same.
_FREE_KEYS = f"""
UPDATE messages SET idempotency_key = NULL, request_digest = NULL, retry_of = NULL
FROM json_each(?1)
WHERE messages.id = value ->> 'id' AND attempt = coalesce(value ->> 'attempt', attempt)
  AND value ->> 'undo' AND {_UNREPORTED}
"""
