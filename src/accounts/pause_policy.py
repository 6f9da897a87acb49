"""The pause policy: the conditions under which an address is paused."""

from typing import NamedTuple


class PausePolicy(NamedTuple):
    """Pause an address when ``percent`` of its ``last`` messages failed or bounced."""

    percent: int
    last: int
