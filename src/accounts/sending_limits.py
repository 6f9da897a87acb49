"""The limits of a sender: the rate of messages, and the share of failures."""

from typing import NamedTuple


class RateLimit(NamedTuple):
    """At most ``quota`` messages in a window of ``seconds``. The first message starts it."""

    quota: int
    seconds: int


class RateState(NamedTuple):
    """``remaining`` messages are left in the window, which ends in ``reset`` seconds."""

    remaining: int
    reset: int


class PausePolicy(NamedTuple):
    """Pause an address if at least ``percent`` % of its ``last`` messages had bad recipients.

    These are messages that bounced, or that the provider rejected because of a recipient.
    """

    percent: int
    last: int
