"""When a mail is to be sent."""

from datetime import UTC, date, datetime, timedelta

from mail.faults import fault

MAX_DAYS_AHEAD = 30
# A clock that is a little behind, or a request that took a little while, does no harm.
_LATE_MILLISECONDS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_scheduled_at(text: str | None) -> int | None:
    """The time that ``text`` names (ISO 8601, UTC where it names no zone), in Unix milliseconds.

    :raises BadRequest: ``scheduled_at_invalid``.
    """
    if text is None:
        return None
    at = _milliseconds(text)
    if at is None:
        raise fault("scheduled_at_invalid", "scheduled_at")
    return at


def check_scheduled_at(at: int, *, now: int) -> None:
    """See that a mail can still be scheduled for ``at``; what is just past is sent at once.

    This is no rule of ``compose``, because it depends on when it is asked: a request that is made
    again, with the same idempotency key, must be known as the same.

    Both times are in Unix milliseconds.

    :raises BadRequest: ``scheduled_in_past`` or ``scheduled_too_far``.
    """
    if at < now - _LATE_MILLISECONDS:
        raise fault("scheduled_in_past", "scheduled_at")
    if at > now + MAX_DAYS_AHEAD * 86_400_000:
        raise fault("scheduled_too_far", "scheduled_at", days=MAX_DAYS_AHEAD)


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if _is_date(text):  # at midnight, it would be, which nobody said
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
