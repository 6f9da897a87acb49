"""The receiver of webhooks for ``TestClient``."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services import HttpResponse


@dataclass(frozen=True)
class Received:
    """A request: its body, and its time in Unix milliseconds."""

    url: str
    headers: dict[str, str]
    body: str
    at: int

    @property
    def id(self) -> str:
        """The id of the delivery."""
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        """The type of the event."""
        found: str = json.loads(self.body)["type"]
        return found

    @property
    def data(self) -> dict[str, Any]:
        """The member ``data`` of the body."""
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found


# A request -> the status and Retry-After of the response. It may wait, and raise any exception.
Respond = Callable[[Received], Awaitable[tuple[int, str | None]]]


class ScriptedReceiver:
    """Responds to deliveries as ``respond`` says, by default with 204.

    ``received`` has all requests, ``most_at_once`` the greatest number of concurrent ones by URL.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.received: list[Received] = []
        self.most_at_once: dict[str, int] = {}
        self.text = "thank you"
        self.respond: Respond = respond_with(204)
        self._now: dict[str, int] = {}

    async def post(self, url: str, headers: dict[str, str], body: bytes, most: int) -> HttpResponse:
        """Respond to a request, with at most ``most`` bytes."""
        one = Received(url, headers, body.decode(), self._clock())
        self.received.append(one)
        self._now[url] = self._now.get(url, 0) + 1
        self.most_at_once[url] = max(self.most_at_once.get(url, 0), self._now[url])
        try:
            status, after = await self.respond(one)
        finally:
            self._now[url] -= 1
        return HttpResponse(status, self.text[:most], after)


def respond_with(status: int, retry_after: str | None = None, seconds: float = 0.01) -> Respond:
    """Respond with ``status`` after ``seconds``."""

    async def respond(one: Received) -> tuple[int, str | None]:
        await asyncio.sleep(seconds)
        return status, retry_after

    return respond
