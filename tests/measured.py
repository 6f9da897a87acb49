"""What a call costs: its processor time, and the memory that Python allocates during it."""

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
    started = time.process_time()
    call()
    seconds = time.process_time() - started
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Cost(seconds, peak - before)
