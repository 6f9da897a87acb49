"""Alternating turns of load, so that other work on the machine affects both sides equally."""

import statistics
from collections.abc import Callable, Sequence

from tools.bench.load import Turn
from tools.bench.report import progress

Side = Callable[[float], Turn]
"""Puts load on one side of a comparison for a number of seconds."""

Rounds = list[tuple[Turn, Turn]]
"""Pairs of turns: one of the measured side, and one of the yardstick, the side to compare with."""


def play(
    title: str,
    measured: Side,
    yardstick: Side,
    *,
    repeat: int,
    rounds: int = 16,
    seconds: float = 0.6,
) -> Rounds:
    """Play a warm-up round, then `rounds` times `repeat` rounds, which are returned.

    Each round has a turn of `seconds` for each side.

    The side that goes first alternates, because the second side runs on a warmer machine with a
    fuller disk queue.
    """
    rounds = rounds * repeat + 1
    progress(f"{title} ({2 * seconds * rounds:.0f} s)")
    played = []
    for number in range(rounds):
        turns = {}
        sides = (measured, yardstick)
        for side in sides if number % 2 else sides[::-1]:
            turns[side] = side(seconds)
        played.append((turns[measured], turns[yardstick]))
    return played[1:]


def compare_latency(rounds: Rounds, yardstick: str) -> tuple[float, float, float]:
    """Return the median latency of each side in milliseconds, and the median ratio of a round."""
    ratios = [ours.median_ms / other.median_ms for ours, other in rounds]
    progress(f"Latency / latency of {yardstick}: {spread(ratios)}")
    ours, others = (
        statistics.median(turn.median_ms for turn in turns) for turns in zip(*rounds, strict=True)
    )
    return ours, others, statistics.median(ratios)


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles of `values`, for a progress message."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} (quartiles {low:.2f} and {high:.2f} of {len(values)} rounds)"
