"""The load: some clients that post one mail after the other over kept-alive connections."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.local_server import HOST

_TIMEOUT = 60


class LoadError(Exception):
    """A request of the load was not answered with success."""


@dataclass(frozen=True)
class Target:
    """A worker under load.

    `authorization` is the header of that name; `idempotency_key` makes that of each request, and
    where it is None there is none. `path` is where requests are posted.
    """

    name: str
    port: int
    authorization: str
    idempotency_key: Callable[[], str] | None = None
    path: str = "/api/send_mail"


@dataclass(frozen=True)
class Turn:
    """What one target did while it had the machine: how long it took, and each answer's time."""

    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds

    @property
    def median_ms(self) -> float:
        """The median time to an answer, in milliseconds."""
        return statistics.median(self.latencies) * 1000


def post(target: Target, body: bytes) -> dict[str, Any]:
    """Send one mail and return the JSON that was answered; LoadError unless it is a success."""
    client = _Client(target, body)
    client.send()
    client.close()
    answer: dict[str, Any] = json.loads(client.answer)
    return answer


def drive(target: Target, body: bytes, *, seconds: float, concurrency: int) -> Turn:
    """Post `body` by `concurrency` clients for `seconds`; LoadError when a post fails."""
    clients = [_Client(target, body) for _ in range(concurrency)]
    began = time.perf_counter()
    threads = [
        # As daemons they do not keep an interrupted benchmark alive.
        threading.Thread(target=client.send_until, args=(began + seconds,), daemon=True)
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
            raise LoadError(f"{target.name}: {client.problem}") from client.problem
    return Turn(ended - began, [time for client in clients for time in client.latencies])


@dataclass
class _Client:
    """One connection, opened before the clock starts."""

    target: Target
    body: bytes
    latencies: list[float] = field(default_factory=list)
    answer: bytes = b""
    problem: Exception | None = None

    def __post_init__(self) -> None:
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": self.target.authorization,
        }
        self._connection = http.client.HTTPConnection(HOST, self.target.port, timeout=_TIMEOUT)
        self._connection.connect()

    def send_until(self, deadline: float) -> None:
        try:
            while time.perf_counter() < deadline:
                began = time.perf_counter()
                self.send()
                self.latencies.append(time.perf_counter() - began)
        except Exception as exc:
            self.problem = exc  # Raised again by the thread that waits for this one.

    def send(self) -> None:
        if self.target.idempotency_key is not None:
            self._headers["Idempotency-Key"] = self.target.idempotency_key()
        self._connection.request("POST", self.target.path, self.body, self._headers)
        response = self._connection.getresponse()
        self.answer = response.read()
        if response.status != http.client.OK:
            raise LoadError(f"{response.status}: {self.answer.decode(errors='replace')}")

    def close(self) -> None:
        self._connection.close()
