"""When a message that the provider refused for now is tried again."""

import random

_DELAYS_SECONDS = (30, 120, 600, 3600)  # the last one again and again
_SPREAD = 0.2  # so that messages refused together do not come back together


def next_attempt_at(*, attempt: int, now: int, tried_from: int, retry_hours: int) -> int | None:
    """The time of the attempt after number ``attempt``, or None when the time is over.

    All times are in Unix milliseconds. The delay is that of the schedule and up to a fifth more;
    the last attempt is made when the time is over.

    :param tried_from: its acceptance, or the time that it was scheduled for.
    :param retry_hours: hours after that in which a message is tried.
    """
    end = tried_from + retry_hours * 3_600_000
    if now >= end:
        return None
    delay = _DELAYS_SECONDS[min(attempt, len(_DELAYS_SECONDS)) - 1]
    return min(now + int(delay * (1 + random.uniform(0, _SPREAD)) * 1000), end)
