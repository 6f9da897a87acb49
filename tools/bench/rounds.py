"""Turns in alternation, so that whatever else the machine does hits both workers alike."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.load import Target, Turn, drive


@dataclass(frozen=True)
class Round:
    """One turn of what is measured and one of its yardstick, right after each other."""

    measured: Turn
    yardstick: Turn

    @property
    def throughput_ratio(self) -> float:
        """The throughput of what is measured, by that of the yardstick."""
        return self.measured.per_second / self.yardstick.per_second

    @property
    def latency_ratio(self) -> float:
        """The median latency of what is measured, by that of the yardstick."""
        return self.measured.median_ms / self.yardstick.median_ms

    @property
    def extra_ms(self) -> float:
        """How much longer the median answer of what is measured takes, in milliseconds."""
        return self.measured.median_ms - self.yardstick.median_ms


def play(
    measured: Target,
    yardstick: Target,
    body: bytes,
    *,
    rounds: int,
    seconds: float,
    concurrency: int,
) -> list[Round]:
    """Play `rounds` rounds with turns of `seconds` after one that does not count.

    Who begins changes from round to round: the second turn meets a warmer machine and a fuller
    disk queue.
    """
    played = []
    for number in range(rounds + 1):
        turns = {}
        order = [measured, yardstick]
        for target in order if number % 2 else reversed(order):
            turns[target] = drive(target, body, seconds=seconds, concurrency=concurrency)
        played.append(Round(turns[measured], turns[yardstick]))
    return played[1:]


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles of `values`, for a line of progress."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} (quartiles {low:.2f} and {high:.2f} of {len(values)} rounds)"
