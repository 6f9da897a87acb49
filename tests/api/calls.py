"""Requests that send, as ``TestClient.start`` and ``TestClient.request_all`` take them."""

from typing import Any

from tests.e2e.api import Sender, mail

Call = tuple[str, str, dict[str, Any]]


def send_call(sender: Sender, key: str | None = None, **fields: Any) -> Call:
    """The request of ``Api.send``, or with a ``key`` that of ``Api.send_with_key``."""
    headers = sender.headers if key is None else {**sender.headers, "Idempotency-Key": key}
    return "POST", "/api/send_mail", {"json": mail(**fields), "headers": headers}
