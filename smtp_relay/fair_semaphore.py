"""A semaphore whose places are shared among users."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator

# The part of the places for users who hold none: one in so many.
_PART_FOR_NEW_USERS = 8


class FairSemaphore:
    """Has ``limit`` places. An eighth of them is for users who hold none.

    A user who holds places gets another one of the rest, if more of the rest are free than the user
    holds. So one user alone can have half of the rest, a second user a quarter, and so on. Waiting
    users take turns.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._for_new_users = limit // _PART_FOR_NEW_USERS
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
        held = self._held[user]
        return held < self._free - self._for_new_users if held else self._free > 0

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
