"""The memory for messages under way: from DATA to the reply, over all connections."""

from collections import Counter

from smtp_relay.log import log
from smtp_relay.metrics import Metrics

# A message is in memory once, and twice when its pieces are joined. Its request is there once.
COPIES = 2
# What a connection buffers before the relay reads it.
_BUFFER_BYTES = 128 * 1024


def needed_for(size: int, copies: int = COPIES) -> int:
    """The memory that a message of ``size`` bytes needs."""
    return _BUFFER_BYTES + copies * size


class MessageMemory:
    """Divides ``limit`` bytes among the messages of all users.

    A user may have as much as is free: alone half of the limit, a third if there are two of them,
    and so on. So one user can't keep the others from sending.
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
        """A reservation for one message of ``user``, which is empty for now."""
        return Reservation(self, user)

    def change(self, user: str, added: int) -> bool:
        """Add to what ``user`` has, or return False if that is too much."""
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
    """The memory of one message. It ends with ``release``."""

    def __init__(self, memory: MessageMemory, user: str) -> None:
        self._memory = memory
        self._user = user
        self._bytes = 0

    def resize(self, size: int, copies: int = COPIES) -> bool:
        """Reserve memory for ``size`` bytes in total, or return False if that is too much."""
        needed = needed_for(size, copies)
        has_room = self._memory.change(self._user, needed - self._bytes)
        if has_room:
            self._bytes = needed
        return has_room

    def grow(self, size: int) -> bool:
        """As ``resize``, but never shrink."""
        return needed_for(size) <= self._bytes or self.resize(size)

    def release(self) -> None:
        """Give all of it back. Does nothing the second time."""
        self._memory.change(self._user, -self._bytes)
        self._bytes = 0
