"""The time at which a mail is sent."""

from datetime import UTC, date, datetime, timedelta

from errors import field_error

MAX_DAYS_AHEAD = 30
# A scheduled time may be this far in the past, because clocks differ and requests take time.
_LATE_MILLISECONDS = 60_000
_MAX_CHARACTERS = 64  # of a time in ISO 8601
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_scheduled_at(text: str | None) -> int | None:
    """The time that ``text`` names (ISO 8601, UTC by default), in Unix milliseconds.

    The result is None if ``text`` is None.

    :raises BadRequest: ``scheduled_at_invalid``.
    """
    if text is None:
        return None
    at = iso_milliseconds(text)
    if at is None:
        raise field_error("scheduled_at_invalid", "scheduled_at")
    return at


def check_scheduled_at(at: int, *, now: int) -> None:
    """Check that ``at`` is at most a minute in the past and at most 30 days ahead.

    Both times are in Unix milliseconds. ``compose`` does not check this, because a request that
    repeats an idempotency key must be accepted even when ``at`` is past.

    :raises BadRequest: ``scheduled_in_past`` or ``scheduled_too_far``.
    """
    if at < now - _LATE_MILLISECONDS:
        raise field_error("scheduled_in_past", "scheduled_at")
    if at > now + MAX_DAYS_AHEAD * 86_400_000:
        raise field_error("scheduled_too_far", "scheduled_at", days=MAX_DAYS_AHEAD)


def iso_milliseconds(text: str) -> int | None:
    """The time ``text`` (ISO 8601, UTC by default) in Unix milliseconds; None if it is invalid."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if _is_date(text):  # fromisoformat would take midnight, which the client may not mean
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
