"""Requests to send a mail, as arguments of ``TestClient.start`` and ``request_all``."""

from typing import Any

from tests.e2e.api import Sender, mail

Call = tuple[str, str, dict[str, Any]]


def send_call(sender: Sender, key: str | None = None, **fields: Any) -> Call:
    """The request of ``Api.send``, or of ``Api.send_with_key`` if ``key`` is given."""
    headers = sender.headers if key is None else {**sender.headers, "Idempotency-Key": key}
    return "POST", "/api/send_mail", {"json": mail(**fields), "headers": headers}
