"""The rate limit of a credential."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most ``quota`` messages in a window of ``seconds``, starting with its first message."""

    quota: int
    seconds: int


class RateState(NamedTuple):
    """The messages left in the window, and the seconds until the next window starts."""

    remaining: int
    reset: int
