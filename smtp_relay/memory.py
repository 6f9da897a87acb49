"""Limits the memory for messages under way, over all connections.

A message is under way from DATA until the reply. Its memory grows as its bytes arrive. Bytes that
the relay has not read yet, at most 128 KiB, are part of the memory of the connection.
"""

from collections import Counter

from smtp_relay.log import log
from smtp_relay.metrics import Metrics

# While the pieces of a message are joined, it is in memory twice.
COPIES = 2
# The part of the memory for small messages: one in so many bytes. Each connection has the same
# share of it, so other messages can't prevent a small one.
_PART_OF_SMALL = 8


def own_bytes(limit: int, connections: int) -> int:
    """The part of ``limit`` bytes that each of ``connections`` has for itself."""
    return limit // _PART_OF_SMALL // connections


def most_bytes_of_user(limit: int) -> int:
    """The part of ``limit`` bytes that a single user can have."""
    return (limit - limit // _PART_OF_SMALL) // 2


class MessageMemory:
    """Divides ``limit`` bytes among the messages of all users.

    Each of ``connections`` has a part for itself (``own_bytes``). The rest is shared: a user may
    have at most as much of it as then remains free. One user alone can have half of the rest, a
    second user a quarter, and so on.
    """

    def __init__(self, limit: int, metrics: Metrics, *, connections: int) -> None:
        self._own = own_bytes(limit, connections)
        self._limit = limit - self._own * connections
        self._metrics = metrics
        self._total = 0
        self._by_user: Counter[str] = Counter()
        metrics.memory_limit_bytes = self._limit

    def has_room(self, user: str, size: int) -> bool:
        """Whether ``user`` may have a further message of ``size`` bytes now."""
        return self._fits(user, self.shared_bytes(size, COPIES))

    def shared_bytes(self, size: int, copies: int) -> int:
        """The shared bytes for ``copies`` copies of a message of ``size`` bytes."""
        return max(0, copies * size - self._own)

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
        if not added or self._by_user[user] + added <= free - added:
            return True
        self._metrics.memory_rejections += 1
        log("memory_full", sender=user, reserved=self._total, limit=self._limit)
        return False


class Reservation:
    """The shared memory that is reserved for one message, until ``release``."""

    def __init__(self, memory: MessageMemory, user: str) -> None:
        self._memory = memory
        self._user = user
        self._bytes = 0

    def resize(self, size: int, copies: int = COPIES) -> bool:
        """Change the reservation to the memory for ``copies`` copies of ``size`` bytes.

        False, without a change, if that is too much.
        """
        needed = self._memory.shared_bytes(size, copies)
        has_room = self._memory.change(self._user, needed - self._bytes)
        if has_room:
            self._bytes = needed
        return has_room

    def grow(self, size: int) -> bool:
        """As ``resize``, but never reduce the reservation."""
        return self._memory.shared_bytes(size, COPIES) <= self._bytes or self.resize(size)

    def release(self) -> None:
        """Release all memory of the reservation. A second call does nothing."""
        self._memory.change(self._user, -self._bytes)
        self._bytes = 0
