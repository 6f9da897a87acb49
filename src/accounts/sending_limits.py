"""What limits a sender: the rate of its messages, and the failures that pause it."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most ``quota`` messages in a window of ``seconds``, starting with its first message."""

    quota: int
    seconds: int


class RateState(NamedTuple):
    """The messages left in the window, and the seconds until the next window starts."""

    remaining: int
    reset: int


class PausePolicy(NamedTuple):
    """Pause an address when ``percent`` of its ``last`` messages failed or bounced."""

    percent: int
    last: int
