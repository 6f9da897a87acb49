"""Waiting messages: cancel or reschedule them."""

from accounts.credentials import Credential
from errors import Conflict, NotFound, Unauthorized
from mail.lifecycle import Status
from store.addresses import credential_check
from store.database import Database, Row, Statement
from store.record import StatusUpdate, record
from store.record.reschedule import reschedule_statements
from store.sendbox_generation import in_current_sendbox

_FIND = f"SELECT status FROM messages WHERE id = ?1 AND {in_current_sendbox('?2')}"


async def cancel(database: Database, credential: Credential, message_id: str, *, now: int) -> None:
    """Cancel a scheduled or queued message and refund its charge.

    A message that is already cancelled remains cancelled.

    :param now: Unix milliseconds.
    :raises Unauthorized: the credential is no longer valid.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_cancellable``: the message is being sent, or has finished.
    """
    mine = (message_id, credential.address_id)
    found, rows = await database.batch(
        [credential_check(credential), Statement(_FIND, mine)], repeatable=True
    )
    _check_found(found, rows)
    cancelled = StatusUpdate(id=message_id, event="cancelled", now=now)
    statuses = await record(database, [cancelled])
    _check_status(statuses.get(message_id), "cancelled", "not_cancellable")


async def reschedule(
    database: Database, credential: Credential, message_id: str, *, due_at: int, now: int
) -> None:
    """Reschedule a message to ``due_at``; times are in Unix milliseconds.

    :raises Unauthorized: the credential is no longer valid.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_scheduled``: an attempt has started, or the message was cancelled.
    """
    found, *_, rows = await database.batch(
        [
            credential_check(credential),
            *reschedule_statements(message_id, credential, due_at=due_at, now=now),
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
