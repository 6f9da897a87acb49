"""The time of the next attempt after a transient rejection."""

import random

_DELAYS_SECONDS = (30, 120, 600, 3600)  # the last delay repeats
_SPREAD = 0.2  # so that messages rejected together are not retried together


def next_attempt_at(*, attempt: int, now: int, tried_from: int, retry_hours: int) -> int | None:
    """The time of the attempt after number ``attempt``, or None after the end.

    All times are in Unix milliseconds. The delay is that of the schedule plus up to a fifth. The
    last attempt is at the end, ``retry_hours`` after ``tried_from``.

    :param tried_from: the time of acceptance, or the scheduled time.
    :param retry_hours: the number of hours in which a message is attempted.
    """
    end = tried_from + retry_hours * 3_600_000
    if now >= end:
        return None
    delay = _DELAYS_SECONDS[min(attempt, len(_DELAYS_SECONDS)) - 1]
    return min(now + int(delay * (1 + random.uniform(0, _SPREAD)) * 1000), end)
