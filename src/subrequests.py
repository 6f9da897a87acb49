"""The subrequests of one invocation, which Workers limits (``SUBREQUESTS``).

Each statement of a D1 batch counts, each call of the provider, each send to the queue and each
fetch. A repetition counts too. The documentation does not say whether Workers counts each statement
of a batch; this plans for the larger number. Work that may not fit is not started: what decides on
new work asks ``left``, and keeps back what the work that is already started may still need.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class SubrequestLimitExceeded(RuntimeError):
    """The platform would abort the invocation. It is a bug of this code, never of a client."""


class Subrequests:
    """Counts the subrequests of one invocation.

    :param limit: returns the maximum number; it is called at each use.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._kept = 0
        self._outcomes = 0
        self.used = 0

    @property
    def left(self) -> int:
        """How many new work may use: those that are neither used nor kept back."""
        return self._limit() - self.used - self._kept

    def count(self, number: int = 1) -> None:
        """Count subrequests."""
        self.used += number

    def check(self, number: int) -> None:
        """Check that so many more are within the limit.

        :raises SubrequestLimitExceeded: they are not, and no outcome is being recorded.
        """
        limit = self._limit()
        if self.used + number > limit and not self._outcomes:
            raise SubrequestLimitExceeded(f"an invocation makes more than {limit} subrequests")

    def keep(self, number: int, work: Awaitable[T]) -> Coroutine[Any, Any, T]:
        """``work``, for which so many are kept back from now on until it has ended."""
        self._kept += number
        return self._kept_back(number, work)

    async def _kept_back(self, number: int, work: Awaitable[T]) -> T:
        try:
            return await work
        finally:
            self._kept -= number

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within it nothing is refused: the platform decides whether an outcome is written."""
        self._outcomes += 1
        try:
            yield
        finally:
            self._outcomes -= 1
