"""The subrequests of one invocation. Workers limits their number (``SUBREQUESTS``).

Each call of the provider, each send to the queue, each call of the rate limiter and each fetch is a
subrequest, and so is each repetition. Cloudflare does not document whether each statement of a D1
batch is one too. This module counts each statement. Work that may exceed the limit is not started:
the code that starts work compares what it needs with ``left``, and keeps back what work in progress
may still need.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class SubrequestLimitExceeded(RuntimeError):
    """A batch would exceed the limit. This is a bug of this code, never an error of a request."""


class Subrequests:
    """Counts the subrequests of one invocation.

    :param limit: returns the maximum number. It is called whenever the number is needed.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._kept = 0
        self._outcomes = 0
        self.used = 0

    @property
    def left(self) -> int:
        """The number of subrequests for new work: those that are neither used nor kept back."""
        return self._limit() - self.used - self._kept

    def count(self, number: int = 1) -> None:
        """Count ``number`` subrequests as used."""
        self.used += number

    def check(self, number: int) -> None:
        """Check that ``number`` more subrequests are within the limit.

        :raises SubrequestLimitExceeded: they exceed it, and no ``recording`` is open.
        """
        limit = self._limit()
        if self.used + number > limit and not self._outcomes:
            raise SubrequestLimitExceeded(f"an invocation makes more than {limit} subrequests")

    def keep(self, number: int, work: Awaitable[T]) -> Coroutine[Any, Any, T]:
        """Keep back ``number`` subrequests from now on, until ``work`` has ended.

        :returns: a coroutine that awaits ``work``. The caller must await it.
        """
        self._kept += number
        return self._kept_back(number, work)

    async def _kept_back(self, number: int, work: Awaitable[T]) -> T:
        try:
            return await work
        finally:
            self._kept -= number

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Within this context, ``check`` raises nothing.

        The statements that record an outcome are sent even if they exceed the limit: the platform
        decides whether they are executed.
        """
        self._outcomes += 1
        try:
            yield
        finally:
            self._outcomes -= 1
