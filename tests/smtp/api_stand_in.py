"""A stand-in for the API, for responses that the real one does not send."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.listener import Listener


@dataclass(frozen=True)
class Call:
    """One request, with header names in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


class StandIn(Listener):
    """Responds with the status and the JSON or bytes in ``responses`` for the path, or with 404."""

    def __init__(self) -> None:
        super().__init__()
        self.responses: dict[str, tuple[int, Any]] = {}
        self.calls: list[Call] = []

    def respond(self, path: str, headers: Mapping[str, str], posted: bytes) -> tuple[int, bytes]:
        """Record the call, and return the response for its path."""
        named = {name.lower(): value for name, value in headers.items()}
        self.calls.append(Call(path, named, json.loads(posted or b"null")))
        status, body = self.responses.get(path, (404, {}))
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()
