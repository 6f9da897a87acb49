"""Times: Unix milliseconds, their UTC days and months, and their formats in responses."""

import time
from datetime import UTC, datetime, timedelta


def now() -> int:
    """The time in Unix milliseconds. A Worker's clock advances only at an await."""
    return time.time_ns() // 1_000_000


def utc_day(milliseconds: int) -> str:
    """The UTC day, as YYYY-MM-DD."""
    return _utc(milliseconds).date().isoformat()


def seconds_left_of_day(milliseconds: int) -> int:
    """The seconds until the next UTC day begins, rounded up."""
    return 86_400 - milliseconds // 1000 % 86_400


def seconds_left_of_month(milliseconds: int) -> int:
    """The seconds until the next UTC month begins, rounded up."""
    time = _utc(milliseconds)
    next_month = (time.replace(day=1) + timedelta(days=31)).replace(day=1)
    return 86_400 * (next_month - time).days - milliseconds // 1000 % 86_400


def database_time(milliseconds: int) -> str:
    """The UTC time as YYYY-MM-DD HH:MM:SS. Existing clients expect this format."""
    return _utc(milliseconds).strftime("%Y-%m-%d %H:%M:%S")


def iso_time(milliseconds: int) -> str:
    """The UTC time in ISO 8601 with milliseconds: YYYY-MM-DDTHH:MM:SS.mmmZ."""
    return _utc(milliseconds).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
