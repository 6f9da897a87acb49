"""Failed logins, counted per client and account, and per client over all accounts.

A client is an IPv4 address or an IPv6 /64 network. A client that fails too often is locked out of
the account, or out of all accounts. The limit over all accounts protects the other clients: the API
limits the logins of all clients of the relay together.

A client on the relay's own machine is never locked out, because one program with a wrong password
must not stop all programs on the machine. Such a client only waits before its next login, longer
after each further failure. A limit over all accounts would not protect the other clients from it:
the API sees the machine's address, so a program can use up the API's limit without the relay.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict, deque
from weakref import WeakValueDictionary

from smtp_relay.network import client_network, is_loopback

MAX_FAILURES = 10
MAX_FAILURES_OF_CLIENT = 20  # below the API's limit per minute, which is 30 by default
# The logins of one client that the API checks at the same time.
LOGINS_AT_ONCE = 4
_WINDOW_SECONDS = 300.0
_MAX_COUNTED = 10_000
LOGINS_WITHOUT_DELAY = 3
_FIRST_DELAY_SECONDS = 0.5
_MAX_DELAY_SECONDS = 10.0


class LoginFailures:
    """The failed logins of each client in the last five minutes."""

    def __init__(self) -> None:
        self._of_account = _Times(MAX_FAILURES)
        self._of_client = _Times(MAX_FAILURES_OF_CLIENT)
        self._turns: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()

    def turn(self, client: str) -> asyncio.Semaphore:
        """The turn of a login of ``client`` that is not known to be valid.

        Without turns, the API would check many logins before the first failure counts.
        """
        return self._turns.setdefault(_key(client), asyncio.Semaphore(LOGINS_AT_ONCE))

    def add(self, client: str, account: str) -> None:
        """Count a failed login from the IP address ``client`` with ``account``."""
        self._of_account.add(_key(client, account))
        self._of_client.add(_key(client))

    def clear(self, client: str, account: str) -> None:
        """Forget the failures of ``client`` with ``account``, because a login has succeeded.

        They still count over all accounts. Otherwise a client with one valid login could go on.
        """
        self._of_account.clear(_key(client, account))

    def is_over(self, client: str, account: str) -> bool:
        """Whether ``client`` is locked out of ``account`` now."""
        if is_loopback(client):
            return False
        of_client = self._of_client.count(_key(client))
        of_account = self._of_account.count(_key(client, account))
        return of_client == MAX_FAILURES_OF_CLIENT or of_account == MAX_FAILURES

    def delay(self, client: str, account: str) -> float:
        """The seconds that the next login of ``client`` with ``account`` must wait, or 0."""
        doublings = self._of_account.count(_key(client, account)) - LOGINS_WITHOUT_DELAY
        if doublings < 0 or not is_loopback(client):
            return 0.0
        return min(_FIRST_DELAY_SECONDS * 2.0**doublings, _MAX_DELAY_SECONDS)


class _Times:
    """The times of the last failures under each key, at most ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_key: OrderedDict[bytes, deque[float]] = OrderedDict()

    def add(self, key: bytes) -> None:
        self._by_key.setdefault(key, deque(maxlen=self._limit)).append(time.monotonic())
        self._by_key.move_to_end(key)
        while len(self._by_key) > _MAX_COUNTED:
            self._by_key.popitem(last=False)

    def clear(self, key: bytes) -> None:
        self._by_key.pop(key, None)

    def count(self, key: bytes) -> int:
        window_start = time.monotonic() - _WINDOW_SECONDS
        return sum(moment > window_start for moment in self._by_key.get(key, ()))


def _key(client: str, account: str = "") -> bytes:
    # A digest, because a user name can have thousands of characters.
    text = f"{client_network(client)}\0{account}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
