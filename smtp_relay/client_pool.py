"""A pool of HTTP clients with one connection each.

httpx has a pool of its own. Whenever a request begins or ends, that pool loops over all its
connections, and over pairs of them. With a hundred connections this takes longer than everything
else in the relay.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import httpx

from smtp_relay.fair_semaphore import FairSemaphore


class NoConnection(Exception):
    """The connections are in use, and the user did not get one in time."""


class ClientPool:
    """At most ``limit`` clients, created by ``make``. ``FairSemaphore`` shares them among users.

    ``wait_seconds`` limits how long a request waits for a client. A client that is idle for
    ``idle_seconds`` is closed.
    """

    def __init__(
        self,
        limit: int,
        make: Callable[[], httpx.AsyncClient],
        *,
        wait_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._make = make
        self._wait_seconds = wait_seconds
        self._idle_seconds = idle_seconds
        self._available = FairSemaphore(limit)
        self._idle: deque[tuple[float, httpx.AsyncClient]] = deque()  # idle since; oldest first

    @contextlib.asynccontextmanager
    async def client(self, user: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one request of ``user``.

        :raises NoConnection: the user got no client within ``wait_seconds``.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                place = self._available.place(user, wait_seconds=self._wait_seconds)
                await stack.enter_async_context(place)
            except TimeoutError as error:
                raise NoConnection from error
            # The server is least likely to have closed the connection that was used last.
            client = self._idle.pop()[1] if self._idle else self._make()
            try:
                yield client
            finally:
                self._idle.append((time.monotonic(), client))

    async def close_idle(self) -> None:
        """Keep closing idle clients, until the task is cancelled."""
        while True:
            await asyncio.sleep(self._idle_seconds)
            await self.close(idle_seconds=self._idle_seconds)

    async def close(self, *, idle_seconds: float = 0.0) -> None:
        """Close the clients that have been idle for at least ``idle_seconds``."""
        until = time.monotonic() - idle_seconds
        while self._idle and self._idle[0][0] <= until:
            _, client = self._idle.popleft()
            await client.aclose()
