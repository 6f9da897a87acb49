"""Limits the memory for messages under way, over all connections.

A message is under way from DATA until the reply.
"""

from collections import Counter

from smtp_relay.log import log
from smtp_relay.metrics import Metrics

# While the pieces of a message are joined, it is in memory twice.
COPIES = 2
# The bytes that a connection buffers before the relay reads them.
_BUFFER_BYTES = 128 * 1024


def needed_for(size: int, copies: int = COPIES) -> int:
    """The bytes of memory for ``copies`` copies of a message of ``size`` bytes."""
    return _BUFFER_BYTES + copies * size


class MessageMemory:
    """Divides ``limit`` bytes among the messages of all users.

    A user may have at most as much as then remains free. One user alone can have half of the limit,
    two users can have a third each, and so on. So one user can't prevent the others from sending.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._metrics = metrics
        self._total = 0
        self._by_user: Counter[str] = Counter()
        metrics.memory_limit_bytes = limit

    def has_room(self, user: str, size: int) -> bool:
        """Whether ``user`` may have a further message of ``size`` bytes now."""
        return self._fits(user, needed_for(size))

    def reserve(self, user: str) -> "Reservation":
        """A new reservation for one message of ``user``. It has no memory yet."""
        return Reservation(self, user)

    def change(self, user: str, added: int) -> bool:
        """Add ``added`` bytes to the share of ``user``. False, without a change, if too much."""
        if added > 0 and not self._fits(user, added):
            return False
        self._by_user[user] += added
        self._total += added
        self._metrics.memory_bytes = self._total
        if not self._by_user[user]:
            del self._by_user[user]
        return True

    def _fits(self, user: str, added: int) -> bool:
        free = self._limit - self._total
        if self._by_user[user] + added <= free - added:
            return True
        self._metrics.memory_rejections += 1
        log("memory_full", sender=user, reserved=self._total, limit=self._limit)
        return False


class Reservation:
    """The memory that is reserved for one message, until ``release``."""

    def __init__(self, memory: MessageMemory, user: str) -> None:
        self._memory = memory
        self._user = user
        self._bytes = 0

    def resize(self, size: int, copies: int = COPIES) -> bool:
        """Change the reservation to the memory for a message of ``size`` bytes.

        False, without a change, if that is too much.
        """
        needed = needed_for(size, copies)
        has_room = self._memory.change(self._user, needed - self._bytes)
        if has_room:
            self._bytes = needed
        return has_room

    def grow(self, size: int) -> bool:
        """As ``resize``, but never reduce the reservation."""
        return needed_for(size) <= self._bytes or self.resize(size)

    def release(self) -> None:
        """Release all memory of the reservation. A second call does nothing."""
        self._memory.change(self._user, -self._bytes)
        self._bytes = 0
