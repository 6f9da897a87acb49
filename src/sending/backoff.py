"""The time of the next attempt after a transient rejection."""

import random

_DELAYS_SECONDS = (30, 120, 600, 3600)  # the last delay repeats
# A delay is extended by up to this share at random. So messages that were rejected together are not
# retried together.
_SPREAD = 0.2


def next_attempt_at(*, attempt: int, now: int, tried_from: int, retry_hours: int) -> int | None:
    """The time of the attempt that follows attempt number ``attempt``; None if none follows.

    All times are in Unix milliseconds. The delay is taken from ``_DELAYS_SECONDS`` and extended by
    up to 20 %. The last attempt is ``retry_hours`` after ``tried_from``.

    :param tried_from: the time of acceptance, or the scheduled time.
    :param retry_hours: the number of hours in which a message is attempted.
    """
    end = tried_from + retry_hours * 3_600_000
    if now >= end:
        return None
    delay = _DELAYS_SECONDS[min(attempt, len(_DELAYS_SECONDS)) - 1]
    return min(now + int(delay * (1 + random.uniform(0, _SPREAD)) * 1000), end)
