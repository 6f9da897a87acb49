"""The Protocol ``Waiting`` with asyncio."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from log import in_background

T = TypeVar("T")


class AsyncioWaiting:
    """Implements ``services.Waiting``. ``start`` makes a task in the background."""

    def __init__(self, start: Callable[[Coroutine[Any, Any, Any]], object]) -> None:
        self._start = start

    async def all(self, works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Implements ``services.Waiting.all``."""
        results = await asyncio.gather(*works, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results  # type: ignore[return-value]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def run_in_background(self, work: Coroutine[Any, Any, object]) -> None:
        self._start(in_background(work))
