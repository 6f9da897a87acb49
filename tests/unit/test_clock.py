"""Times: Unix milliseconds become UTC days and D1's notation."""

import time

import pytest

from clock import database_time, now, seconds_left_of_day, seconds_left_of_month, utc_day
from tests.unit.given import milliseconds


def test_now_is_in_milliseconds() -> None:
    before = time.time()
    assert before - 1 <= now() / 1000 <= time.time() + 1


@pytest.mark.parametrize(
    ("milliseconds", "day"),
    [
        (0, "1970-01-01"),
        (86_399_999, "1970-01-01"),
        (86_400_000, "1970-01-02"),
        (1_709_164_800_000, "2024-02-29"),
        (1_798_761_599_999, "2026-12-31"),
        (1_798_761_600_000, "2027-01-01"),
    ],
)
def test_a_day_ends_at_midnight_utc(milliseconds: int, day: str) -> None:
    assert utc_day(milliseconds) == day


def test_a_day_is_that_of_utc_in_every_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")  # UTC+14
    time.tzset()
    try:
        assert utc_day(1_798_761_599_999) == "2026-12-31"
        assert database_time(1_798_761_599_999) == "2026-12-31 23:59:59"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_database_time_cuts_milliseconds_off() -> None:
    assert database_time(1_793_707_200_999) == "2026-11-03 12:00:00"


@pytest.mark.parametrize(
    ("time", "day", "month"),
    [
        ("2026-11-30T23:59:59", 1, 1),
        ("2026-11-01T00:00:00", 86_400, 30 * 86_400),
        ("2026-12-31T12:00:00", 43_200, 43_200),
        ("2024-02-01T12:00:00", 43_200, 28 * 86_400 + 43_200),
        ("2026-01-31T00:00:00", 86_400, 86_400),
    ],
)
def test_the_seconds_until_the_next_day_and_month(time: str, day: int, month: int) -> None:
    is_prefix = milliseconds(time)
    for moment in (is_prefix, is_prefix + 999):
        assert seconds_left_of_day(moment) == day
        assert seconds_left_of_month(moment) == month
