"""The brake: when an address may no longer send by itself."""

from typing import NamedTuple


class Brake(NamedTuple):
    """An address is paused when ``percent`` of its ``last`` messages failed or bounced."""

    percent: int
    last: int
