"""Turns in alternation, so that whatever else the machine does hits both workers alike."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.load import Turn, drive
from tools.bench.workers import Workers


@dataclass(frozen=True)
class Round:
    """One turn of each worker, right after each other."""

    ours: Turn
    bare: Turn

    @property
    def ratio(self) -> float:
        """This worker's throughput by that of the bare one."""
        return self.ours.per_second / self.bare.per_second

    @property
    def extra_ms(self) -> float:
        """How much longer the median answer of this worker takes, in milliseconds."""
        return self.ours.median_ms - self.bare.median_ms


def play(
    workers: Workers, body: bytes, *, rounds: int, seconds: float, concurrency: int
) -> list[Round]:
    """Play `rounds` rounds with turns of `seconds` after one that does not count.

    Who begins changes from round to round: the second turn meets a warmer machine and a fuller
    disk queue.
    """
    played = []
    for number in range(rounds + 1):
        turns = {}
        order = [workers.ours, workers.bare]
        for target in order if number % 2 else reversed(order):
            turns[target] = drive(target, body, seconds=seconds, concurrency=concurrency)
        played.append(Round(turns[workers.ours], turns[workers.bare]))
    return played[1:]


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles of `values`, for a line of progress."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} (quartiles {low:.2f} and {high:.2f} of {len(values)} rounds)"
