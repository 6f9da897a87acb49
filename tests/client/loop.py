"""An event loop with a virtual clock. The clock jumps to the next timer, so no test waits."""

import asyncio
import selectors
from typing import Any


class _NoWaiting(selectors.DefaultSelector):
    """``select`` never waits. If nothing is ready, it advances the clock by its timeout."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("the loop waits for an event that never occurs")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time()`` is virtual, in seconds, and starts at 0."""

    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now
