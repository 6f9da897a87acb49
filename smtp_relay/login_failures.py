"""Failed logins, counted per client and account.

A client is an IPv4 address or an IPv6 /64 network. A client that fails too often is locked out of
the account. A client on the relay's own machine is never locked out, because one program with a
wrong password must not stop all programs on the machine. Such a client only waits before its next
login, longer after each further failure.
"""

import hashlib
import time
from collections import OrderedDict, deque

from smtp_relay.network import client_network, is_loopback

MAX_FAILURES = 10
_WINDOW_SECONDS = 300.0
_MAX_COUNTED = 10_000
_LOGINS_WITHOUT_DELAY = 3
_FIRST_DELAY_SECONDS = 0.5
_MAX_DELAY_SECONDS = 10.0


class LoginFailures:
    """The failed logins of each client with each account in the last five minutes."""

    def __init__(self) -> None:
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def add(self, client: str, account: str) -> None:
        """Count a failed login from the IP address ``client`` with ``account``."""
        key = _key(client, account)
        self._times.setdefault(key, deque(maxlen=MAX_FAILURES)).append(time.monotonic())
        self._times.move_to_end(key)
        while len(self._times) > _MAX_COUNTED:
            self._times.popitem(last=False)

    def clear(self, client: str, account: str) -> None:
        """Forget the failures of ``client`` with ``account``, because a login has succeeded."""
        self._times.pop(_key(client, account), None)

    def is_over(self, client: str, account: str) -> bool:
        """Whether ``client`` is locked out of ``account`` now."""
        return self._count(client, account) == MAX_FAILURES and not is_loopback(client)

    def delay(self, client: str, account: str) -> float:
        """The seconds that the next login of ``client`` with ``account`` must wait, or 0."""
        doublings = self._count(client, account) - _LOGINS_WITHOUT_DELAY
        if doublings < 0 or not is_loopback(client):
            return 0.0
        return min(_FIRST_DELAY_SECONDS * 2.0**doublings, _MAX_DELAY_SECONDS)

    def _count(self, client: str, account: str) -> int:
        window_start = time.monotonic() - _WINDOW_SECONDS
        times = self._times.get(_key(client, account), ())
        return sum(moment > window_start for moment in times)


def _key(client: str, account: str) -> bytes:
    # A digest, because a user name can have thousands of characters.
    text = f"{client_network(client)}\0{account}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
