"""From an ``Answer`` to the runtime's own response object."""

from typing import Any

import msgspec

from answers import Answer
from runtime.bridge import bridge


def to_response(answer: Answer) -> Any:
    """The runtime's response for ``answer``."""
    headers = msgspec.json.encode(answer.headers).decode()
    body = answer.body.decode() if answer.body else None
    return bridge().respond(answer.status, headers, body)
