"""What a call costs: its processor time, and the memory that Python allocates during it."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple


class Cost(NamedTuple):
    """Seconds of processor time, and the peak growth of allocated memory in bytes."""

    seconds: float
    bytes: int


def cost_of(call: Callable[[], object]) -> Cost:
    """Run ``call`` twice: once for its time, and once for its memory, because tracing slows it."""
    seconds = _seconds(call)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Cost(seconds, peak - before)


_ATTEMPTS = 5


def is_quick(call: Callable[[], object], seconds: float) -> bool:
    """Whether one of several calls takes less processor time: a busy machine cannot slow all."""
    return any(_seconds(call) < seconds for _ in range(_ATTEMPTS))


# A quadratic step takes 16 times as long for FACTOR times the input, a linear one 4 times.
FACTOR = 4
_MOST_TIMES = 8
_TOO_SHORT_SECONDS = 0.1  # to be compared: chance would decide


def is_linear(small: Callable[[], object], large: Callable[[], object]) -> bool:
    """Whether the time of ``large`` is about linear, compared with that of ``small``.

    ``large`` has ``FACTOR`` times the input of ``small``. One good attempt of several is enough,
    for the reason that ``is_quick`` gives.
    """
    for _ in range(_ATTEMPTS):
        seconds = _seconds(large)
        if seconds < _TOO_SHORT_SECONDS or seconds < _MOST_TIMES * _seconds(small):
            return True
    return False


def takes_as_long(one: Callable[[], object], other: Callable[[], object]) -> bool:
    """Whether neither call takes twice as long as the other, in one of several attempts."""
    return any(0.5 < _seconds(one) / _seconds(other) < 2 for _ in range(_ATTEMPTS))


def _seconds(call: Callable[[], object]) -> float:
    gc.freeze()  # a collection would also visit the objects of all other tests of the process
    try:
        started = time.process_time()
        call()
        return time.process_time() - started
    finally:
        gc.unfreeze()
