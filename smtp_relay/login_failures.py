"""Failed logins, counted per client: an IPv4 address or an IPv6 /64 network."""

import time
from collections import OrderedDict, deque

from smtp_relay.network import client_network

MAX_FAILURES = 10
_WINDOW_SECONDS = 300.0
_MAX_CLIENTS = 10_000


class LoginFailures:
    """The failed logins of each client in the last five minutes."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, client: str) -> None:
        """Count a failed login from the IP address ``client``."""
        network = client_network(client)
        self._times.setdefault(network, deque(maxlen=MAX_FAILURES)).append(time.monotonic())
        self._times.move_to_end(network)
        while len(self._times) > _MAX_CLIENTS:
            self._times.popitem(last=False)

    def is_over(self, client: str) -> bool:
        """Whether the IP address ``client`` has too many failed logins to try again now."""
        times = self._times.get(client_network(client), deque())
        window_start = time.monotonic() - _WINDOW_SECONDS
        return len(times) == MAX_FAILURES and times[0] > window_start
