"""The load: clients that send one mail after the other, each over a persistent connection."""

import http.client
import json
import statistics
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.local_server import HOST, LocalServer

_TIMEOUT = 60


class LoadError(Exception):
    """A request of the load failed."""


@dataclass(frozen=True)
class Target:
    """A worker under load, on its local server.

    `authorization` is the value of the Authorization header. `idempotency_key` creates the
    Idempotency-Key of each request; if it is None, requests have none. Requests are posted to
    `path`.
    """

    name: str
    server: LocalServer
    authorization: str
    idempotency_key: Callable[[], str] | None = None
    path: str = "/api/send_mail"


@dataclass(frozen=True)
class Turn:
    """The result of one turn of load on one target. All times are in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Completed requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def median_ms(self) -> float:
        """The median latency in milliseconds."""
        return statistics.median(self.latencies) * 1000


class Client(ABC):
    """A client with one connection, which is opened before the measurement starts."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.problem: Exception | None = None

    @abstractmethod
    def send(self) -> None:
        """Send one mail and wait for the response. Raise an error if it is not a success."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def send_until(self, deadline: float, messages: int) -> None:
        try:
            while len(self.latencies) < messages and time.perf_counter() < deadline:
                began = time.perf_counter()
                self.send()
                self.latencies.append(time.perf_counter() - began)
        except Exception as exc:
            self.problem = exc  # raised again by `run`


def run(
    name: str, clients: Sequence[Client], *, seconds: float = 3600.0, messages: int = 10**9
) -> Turn:
    """Send with all clients for `seconds`, or until they have sent `messages` messages in total.

    :raises LoadError: a client failed.
    """
    began = time.perf_counter()
    limits = (began + seconds, -(-messages // len(clients)))
    threads = [
        # A daemon thread does not keep an interrupted benchmark alive.
        threading.Thread(target=client.send_until, args=limits, daemon=True)
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = time.perf_counter()
    for client in clients:
        client.close()
        if client.problem is not None:
            raise LoadError(f"{name}: {client.problem}") from client.problem
    return Turn(ended - began, [time for client in clients for time in client.latencies])


def post(target: Target, body: bytes) -> dict[str, Any]:
    """Send one mail and return the JSON of the response.

    :raises LoadError: the response is not a success.
    """
    client = _HttpClient(target, body)
    client.send()
    client.close()
    content: dict[str, Any] = json.loads(client.received)
    return content


def drive(target: Target, body: bytes, concurrency: int, seconds: float) -> Turn:
    """Post `body` from `concurrency` clients for `seconds`.

    :raises LoadError: a request failed.
    """
    clients = [_HttpClient(target, body) for _ in range(concurrency)]
    return run(target.name, clients, seconds=seconds)


def post_many(target: Target, body: bytes, concurrency: int, requests: int) -> Turn:
    """Post `body` `requests` times from `concurrency` clients.

    :raises LoadError: a request failed.
    """
    clients = [_HttpClient(target, body) for _ in range(concurrency)]
    return run(target.name, clients, messages=requests)


class _HttpClient(Client):
    def __init__(self, target: Target, body: bytes) -> None:
        super().__init__()
        self._target = target
        self._body = body
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": target.authorization,
        }
        self._connection = http.client.HTTPConnection(HOST, target.server.port, timeout=_TIMEOUT)
        self._connection.connect()
        self.received = b""

    def send(self) -> None:
        if self._target.idempotency_key is not None:
            self._headers["Idempotency-Key"] = self._target.idempotency_key()
        self._connection.request("POST", self._target.path, self._body, self._headers)
        response = self._connection.getresponse()
        self.received = response.read()
        if response.status != http.client.OK:
            raise LoadError(f"{response.status}: {self.received.decode(errors='replace')}")

    def close(self) -> None:
        self._connection.close()
