"""Change the time of a scheduled message."""

import msgspec

from accounts.credentials import Credential
from store.database import Statement
from store.record.history import INSERT_EVENTS

_IS_RESCHEDULED = """
id = ?1 ->> 'id' AND address_id = ?1 ->> 'address_id' AND status = 'scheduled'
AND next_attempt_at <> ?1 ->> 'due_at' AND EXISTS (
  SELECT 1 FROM addresses
  WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
    AND credential_version = ?1 ->> 'credential_version'
)
"""

# If the batch is repeated, the message already has the new time, so no second event is inserted.
_INSERT_EVENT = INSERT_EVENTS.format(
    kind="'rescheduled'",
    provider_code="NULL",
    now="?1 ->> 'now'",
    source=f"messages WHERE {_IS_RESCHEDULED}",
)

_RESCHEDULE = f"""
UPDATE messages SET next_attempt_at = ?1 ->> 'due_at', scheduled_at = ?1 ->> 'due_at'
WHERE {_IS_RESCHEDULED}
"""


def reschedule_statements(
    message_id: str, credential: Credential, *, due_at: int, now: int
) -> list[Statement]:
    """The statements that reschedule a message to ``due_at``.

    They change nothing if the message is not ``scheduled`` or ``credential`` is not valid.
    """
    request = {
        "id": message_id,
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "due_at": due_at,
        "now": now,
    }
    parameters = (msgspec.json.encode(request).decode(),)
    return [Statement(_INSERT_EVENT, parameters), Statement(_RESCHEDULE, parameters)]
