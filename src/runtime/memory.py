"""The memory of a request or job, as a room in ``memory.mjs``."""

from typing import Any

from errors import Unavailable
from runtime.bridge import memory
from runtime.coroutines import result_of
from services import Memory

_RETRY_SECONDS = 5


class Room(Memory):
    """At most one room in ``memory.mjs``."""

    def __init__(self) -> None:
        self._room: Any = None

    def hold(self, room: Any) -> None:
        """Hold the room that a body already has."""
        self._room = room

    async def take(self, size: int, client: str) -> None:
        self._room = await result_of("take", size, client)
        if self._room is None:
            raise no_room()

    def keep(self, size: int) -> None:
        if self._room is not None:
            memory().keep(self._room, size)

    def release(self) -> None:
        if self._room is not None:
            memory().release(self._room)
            self._room = None


def no_room() -> Unavailable:
    """The error if there is no memory for a content."""
    return Unavailable("too_many_large_bodies", retry_after=_RETRY_SECONDS)
