"""A semaphore whose places are shared among users."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator


class FairSemaphore:
    """Has ``limit`` places. A user gets a place if the user holds fewer places than are free.

    So one user alone can have half of the places, a second user a quarter, and so on. Waiting users
    take turns.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._held: Counter[str] = Counter()
        # The waiting users, the next one first. None of them may have a place now, because `_leave`
        # gives each free place away at once.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def place(self, user: str, *, wait_seconds: float) -> AsyncIterator[None]:
        """Hold a place for ``user``.

        :raises TimeoutError: the user got no place within ``wait_seconds``.
        """
        if self._may_enter(user):
            self._enter(user)
        else:
            await self._wait(user, wait_seconds)
        try:
            yield
        finally:
            self._leave(user)

    def _may_enter(self, user: str) -> bool:
        return self._held[user] < self._free

    def _enter(self, user: str) -> None:
        self._held[user] += 1
        self._free -= 1

    def _leave(self, user: str) -> None:
        self._held[user] -= 1
        if not self._held[user]:
            del self._held[user]
        self._free += 1
        for waiting, turns in list(self._waiting.items()):
            turn = next((turn for turn in turns if not turn.done()), None)
            if turn and self._may_enter(waiting):
                self._enter(waiting)
                self._waiting.move_to_end(waiting)
                turn.set_result(None)

    async def _wait(self, user: str, seconds: float) -> None:
        """Wait until ``_leave`` gives a place to ``user``."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns = self._waiting.setdefault(user, deque())
        turns.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if not turn.cancelled():  # the place came at the same moment
                self._leave(user)
            raise
        finally:
            turns.remove(turn)
            if not turns:
                del self._waiting[user]
