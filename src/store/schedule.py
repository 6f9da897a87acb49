"""Waiting messages: cancel or reschedule them."""

from accounts.credentials import Credential
from errors import Conflict, NotFound
from mail.lifecycle import Status
from store.addresses import require_valid
from store.daily_counts import limit_reached
from store.database import Database, Row, Statement
from store.record import StatusUpdate, record
from store.record.reschedule import reschedule_statements
from store.sendbox_generation import in_current_sendbox
from store.waiting import has_many_waiting

_FIND = f"SELECT status, next_attempt_at FROM messages WHERE id = ?1 AND {in_current_sendbox('?2')}"
_HAS_MANY_WAITING = f"SELECT {has_many_waiting(address_id='?1', now='?2')} AS has_many_waiting"


async def cancel(database: Database, credential: Credential, message_id: str, *, now: int) -> None:
    """Cancel a scheduled or queued message and refund its charge.

    A message that is already cancelled remains cancelled.

    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_cancellable``: the message is being sent, or has finished.
    """
    mine = (message_id, credential.address_id)
    (rows,) = await require_valid(database, credential, Statement(_FIND, mine))
    _check_found(rows)
    cancelled = StatusUpdate(id=message_id, event="cancelled", now=now)
    statuses = await record(database, [cancelled])
    _check_status(statuses.get(message_id), "cancelled", "not_cancellable")


async def reschedule(
    database: Database,
    credential: Credential,
    message_id: str,
    *,
    due_at: int,
    now: int,
    most_a_day: int = 0,
) -> bool:
    """Reschedule a message to ``due_at``.

    :param most_a_day: how often the address can reschedule messages per day; 0 for no limit.
    :returns: whether the address has many waiting messages (``store/waiting.py``).
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``not_scheduled``: the message has another status than ``scheduled``.
    :raises TooManyRequests: ``too_many_changes``: the limit of the day is reached.
    """
    *_, rows, (waiting,) = await require_valid(
        database,
        credential,
        *reschedule_statements(
            message_id, credential, due_at=due_at, now=now, most_a_day=most_a_day
        ),
        Statement(_FIND, (message_id, credential.address_id)),
        Statement(_HAS_MANY_WAITING, (credential.address_id, now)),
    )
    _check_found(rows)
    (found,) = rows
    _check_status(found["status"], "scheduled", "not_scheduled")
    if found["next_attempt_at"] != due_at:
        raise limit_reached("too_many_changes", most=most_a_day, now=now)
    return bool(waiting["has_many_waiting"])


def _check_found(rows: list[Row]) -> None:
    if not rows:
        raise NotFound("message_not_found")


def _check_status(status: Status | None, expected: Status, code: str) -> None:
    if status != expected:
        raise Conflict(code, extra={"message_status": status})
