"""The delays between attempts: the schedule, its random spread, and its end."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sending.backoff import next_attempt_at
from tests.unit.given import NOW

SECOND, HOUR = 1000, 3_600_000


def spread(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Replace the random spread by ``share``: 0 is the earliest time, 1 the latest."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * share

    monkeypatch.setattr(random, "uniform", uniform)


def delay(attempt: int, *, retry_hours: int = 10**6) -> int:
    """The milliseconds from the attempt number ``attempt`` to the next attempt."""
    time = next_attempt_at(attempt=attempt, now=NOW, tried_from=NOW, retry_hours=retry_hours)
    assert time is not None
    return time - NOW


SCHEDULE = pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 30), (2, 120), (3, 600), (4, 3600), (5, 3600), (6, 3600), (75, 3600), (1000, 3600)],
)


@SCHEDULE
def test_delays_follow_the_schedule(
    monkeypatch: pytest.MonkeyPatch, attempt: int, seconds: int
) -> None:
    spread(monkeypatch, 0)
    assert delay(attempt) == seconds * SECOND


@SCHEDULE
def test_the_spread_is_a_fifth(monkeypatch: pytest.MonkeyPatch, attempt: int, seconds: int) -> None:
    spread(monkeypatch, 1)
    assert delay(attempt) == seconds * SECOND * 6 // 5
    spread(monkeypatch, 0.5)
    assert delay(attempt) == seconds * SECOND * 11 // 10


@SCHEDULE
def test_messages_rejected_together_have_different_delays(attempt: int, seconds: int) -> None:
    delays = [delay(attempt) for _ in range(300)]
    assert seconds * SECOND <= min(delays) < max(delays) <= seconds * SECOND * 6 // 5
    # The delays spread over the whole range.
    assert min(delays) < seconds * SECOND * 1.02
    assert max(delays) > seconds * SECOND * 1.18
    assert len(set(delays)) > 200


@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("hours", [1, 72])
def test_the_last_attempt_is_at_the_end_of_the_retry_period(
    monkeypatch: pytest.MonkeyPatch, share: int, hours: int
) -> None:
    spread(monkeypatch, share)
    end = NOW + hours * HOUR

    def after(now: int) -> int | None:
        return next_attempt_at(attempt=4, now=now, tried_from=NOW, retry_hours=hours)

    assert after(end - delay(4)) == end
    assert after(end - delay(4) + 1) == end
    assert after(end - 1) == end
    assert after(end) is None
    assert after(end + HOUR) is None


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
def test_0_hours_allow_no_second_attempt(attempt: int) -> None:
    assert next_attempt_at(attempt=attempt, now=NOW, tried_from=NOW, retry_hours=0) is None


@given(attempt=st.integers(1, 200), elapsed=st.integers(0, 100 * HOUR), hours=st.integers(0, 100))
def test_an_attempt_is_in_the_future_and_in_time(attempt: int, elapsed: int, hours: int) -> None:
    now = NOW + elapsed
    time = next_attempt_at(attempt=attempt, now=now, tried_from=NOW, retry_hours=hours)
    end = NOW + hours * HOUR
    # Only the delay before the end of the retry period may be shorter than 30 s.
    assert time is None or now + 30 * SECOND <= time <= end or now < time == end
    assert time is None or isinstance(time, int)  # the type of the column
    if now + 3600 * SECOND * 6 // 5 <= end:
        assert time is not None


def test_72_hours_allow_about_seventy_attempts() -> None:
    times = [NOW]
    while len(times) < 1000:
        time = next_attempt_at(attempt=len(times), now=times[-1], tried_from=NOW, retry_hours=72)
        if time is None:
            break
        times.append(time)
    assert 61 <= len(times) <= 75
    assert all(second - first >= 30 * SECOND for first, second in pairwise(times[:-1]))
    assert NOW + 70 * HOUR < times[-1] <= NOW + 72 * HOUR
