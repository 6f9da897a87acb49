"""Change the time of a scheduled message."""

import msgspec

from accounts.credentials import Credential
from clock import utc_day
from store.daily_counts import count_statement, used
from store.database import Statement
from store.record.history import INSERT_EVENTS

# Rescheduling costs no balance, so the number of times per address and day is limited.
_IS_RESCHEDULED = f"""
id = ?1 ->> 'id' AND address_id = ?1 ->> 'address_id' AND status = 'scheduled'
AND next_attempt_at <> ?1 ->> 'due_at' AND EXISTS (
  SELECT 1 FROM addresses
  WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
    AND credential_version = ?1 ->> 'credential_version'
)
AND coalesce(
  {used("?1 ->> 'day'", "?1 ->> 'subject'", "'reschedules'")} < ?1 ->> 'most_a_day', true
)
"""

# If the batch is repeated, the message already has the new time, so no second event is inserted.
_INSERT_EVENT = INSERT_EVENTS.format(
    kind="'rescheduled'",
    provider_code="NULL",
    now="?1 ->> 'now'",
    settled_by="NULL",
    transport="NULL",
    next_transport="NULL",
    source=f"messages WHERE {_IS_RESCHEDULED}",
)

_RESCHEDULE = f"""
UPDATE messages SET next_attempt_at = ?1 ->> 'due_at', scheduled_at = ?1 ->> 'due_at'
WHERE {_IS_RESCHEDULED}
"""


def reschedule_statements(
    message_id: str, credential: Credential, *, due_at: int, now: int, most_a_day: int
) -> list[Statement]:
    """The statements that reschedule a message to ``due_at``.

    They change nothing if the message is not ``scheduled``, ``credential`` is not valid, or the
    limit is reached.

    :param most_a_day: how often the address can reschedule messages per day; 0 for no limit.
    """
    day, subject = utc_day(now), str(credential.address_id)
    request = {
        "id": message_id,
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "due_at": due_at,
        "now": now,
        "day": day,
        "subject": subject,
        "most_a_day": most_a_day or None,
    }
    parameters = (msgspec.json.encode(request).decode(),)
    return [
        Statement(_INSERT_EVENT, parameters),
        Statement(_RESCHEDULE, parameters),
        *([count_statement(day, subject, "reschedules")] if most_a_day else []),
    ]
