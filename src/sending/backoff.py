"""The time of the next attempt: of a message, and of a webhook delivery."""

import random

_DELAYS_SECONDS = (30, 120, 600, 3600)  # the last delay repeats
# A delay is extended by up to this share at random. So messages that were rejected together are not
# retried together.
_SPREAD = 0.2

# The delays after each failed attempt of a webhook delivery.
_MINUTE, _HOUR = 60, 3600
_HOURS = (2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR)
_WEBHOOK_DELAYS_SECONDS = (5, 5 * _MINUTE, 30 * _MINUTE, *_HOURS)
# A receiver can ask for a longer delay (Retry-After), up to this one.
_MOST_SECONDS = 24 * _HOUR


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


def next_webhook_attempt_at(*, tries: int, now: int, retry_after: int | None) -> int | None:
    """The time of the attempt that follows ``tries`` failed attempts; None if none follows.

    Times are in Unix milliseconds. The delay is extended by up to 20 %, and is at most a day.

    :param retry_after: the seconds that the receiver asks to wait; None if it does not.
    """
    if tries > len(_WEBHOOK_DELAYS_SECONDS):
        return None
    delay = max(_WEBHOOK_DELAYS_SECONDS[tries - 1], retry_after or 0)
    return now + int(min(delay * (1 + random.uniform(0, _SPREAD)), _MOST_SECONDS) * 1000)
