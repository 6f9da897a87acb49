"""Messages that wait: sending them at another time, or not at all."""

import msgspec

from accounts.credentials import Credential
from lifecycle import Status
from refusals import Conflict, NotFound, Unauthorized
from store.addresses import holds_statement
from store.confirm import Confirmation, confirm
from store.database import Database, Row, Statement
from store.sendboxes import lies_in_that_of

_FIND = f"SELECT status FROM messages WHERE id = ?1 AND {lies_in_that_of('?2')}"

_WAITING_ELSEWHEN = """
id = ?1 ->> 'id' AND address_id = ?1 ->> 'address_id' AND status = 'scheduled'
AND next_attempt_at <> ?1 ->> 'due_at' AND EXISTS (
  SELECT 1 FROM addresses
  WHERE id = ?1 ->> 'address_id' AND name = ?1 ->> 'address'
    AND credential_version = ?1 ->> 'credential_version'
)
"""

# When the batch is repeated, the message has this time already.
_INSERT_EVENT = f"""
INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)
SELECT
  id, (SELECT coalesce(1 + max(sequence), 0) FROM events WHERE message_id = id),
  'rescheduled', attempt, ?1 ->> 'now'
FROM messages WHERE {_WAITING_ELSEWHEN}
"""

_RESCHEDULE = f"""
UPDATE messages SET next_attempt_at = ?1 ->> 'due_at', scheduled_at = ?1 ->> 'due_at'
WHERE {_WAITING_ELSEWHEN}
"""


async def cancel(database: Database, credential: Credential, message_id: str, *, now: int) -> None:
    """Give up a message that is scheduled or queued, and give its charge back.

    One that is cancelled already stays so.

    :param now: Unix milliseconds.
    :raises Unauthorized: where the credential no longer holds.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_cancellable``: it is being sent, or has come to its end.
    """
    mine = (message_id, credential.address_id)
    found, rows = await database.batch(
        [holds_statement(credential), Statement(_FIND, mine)], repeatable=True
    )
    _check_found(found, rows)
    cancelled = Confirmation(id=message_id, news="cancelled", now=now)
    statuses = await confirm(database, [cancelled])
    _check_status(statuses.get(message_id), "cancelled", "not_cancellable")


async def reschedule(
    database: Database, credential: Credential, message_id: str, *, due_at: int, now: int
) -> None:
    """Have a scheduled message sent at ``due_at``; both times in Unix milliseconds.

    :raises Unauthorized: where the credential no longer holds.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_scheduled``: it has begun to be sent, or was cancelled.
    """
    order = {
        "id": message_id,
        "address_id": credential.address_id,
        "address": credential.address,
        "credential_version": credential.version,
        "due_at": due_at,
        "now": now,
    }
    request = (msgspec.json.encode(order).decode(),)
    found, _, _, rows = await database.batch(
        [
            holds_statement(credential),
            Statement(_INSERT_EVENT, request),
            Statement(_RESCHEDULE, request),
            Statement(_FIND, (message_id, credential.address_id)),
        ],
        repeatable=True,
    )
    _check_found(found, rows)
    _check_status(rows[0]["status"], "scheduled", "not_scheduled")


def _check_found(credential_rows: list[Row], message_rows: list[Row]) -> None:
    if not credential_rows:
        raise Unauthorized("invalid_credential")
    if not message_rows:
        raise NotFound("message_not_found")


def _check_status(status: Status | None, expected: Status, code: str) -> None:
    if status != expected:
        raise Conflict(code, extra={"message_status": status})
