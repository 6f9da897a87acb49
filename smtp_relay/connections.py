"""The connections to the API, each with a client of its own.

httpx looks at every connection of its pool, and at some pairs of them, each time that a request
begins or ends: in one pool of a hundred that takes longer than all else that the relay does.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import httpx


class NoConnection(Exception):
    """All connections are in use, and none became free in time."""


class Connections:
    """At most ``limit`` of them; ``make`` makes a client that has one connection.

    One is waited for ``patience`` seconds, and closed when idle for ``keep_alive`` seconds.
    """

    def __init__(
        self,
        limit: int,
        make: Callable[[], httpx.AsyncClient],
        *,
        patience: float,
        keep_alive: float,
    ) -> None:
        self._make = make
        self._patience = patience
        self._keep_alive = keep_alive
        self._available = asyncio.Semaphore(limit)
        self._idle: deque[tuple[float, httpx.AsyncClient]] = deque()  # since when, oldest first

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one request.

        :raises NoConnection: there is none to spare.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._available.acquire()
        except TimeoutError as error:
            raise NoConnection from error
        # The one that was used last: its connection is the least likely to be closed by now.
        client = self._idle.pop()[1] if self._idle else self._make()
        try:
            yield client
        finally:
            self._idle.append((time.monotonic(), client))
            self._available.release()

    async def close_idle(self) -> None:
        """Close those that nothing has used for a while, for as long as this runs."""
        while True:
            await asyncio.sleep(self._keep_alive)
            await self._close(until=time.monotonic() - self._keep_alive)

    async def close(self) -> None:
        """Close all connections."""
        await self._close(until=time.monotonic())

    async def _close(self, until: float) -> None:
        while self._idle and self._idle[0][0] <= until:
            _, client = self._idle.popleft()
            await client.aclose()
