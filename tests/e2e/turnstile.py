"""A stand-in for Turnstile's siteverify, in the test's own process."""

import json
import time
from typing import Any
from urllib.parse import parse_qsl

from tests.faults.listener import Listener

SECRET_KEY = "turnstile-secret-of-the-tests"


class Turnstile(Listener):
    """Accepts the token ``good``, and ``slow`` after 8 seconds. Rejects every other token.

    ``broken`` gets Turnstile's internal error, and ``garbled`` gets a response that is no JSON.

    ``asked`` contains every form that was posted.
    """

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a deployment that verifies clients here."""
        return {
            "ENABLE_ADDRESS_PASSWORD": "true",
            "CF_TURNSTILE_SITE_KEY": "site-key",
            "CF_TURNSTILE_SECRET_KEY": SECRET_KEY,
            "CF_TURNSTILE_VERIFY_URL": self.url,
        }

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, str]] = []

    def response_body(self, posted: bytes) -> bytes:
        """The verdict on the form ``posted``, as JSON."""
        form = dict(parse_qsl(posted.decode()))
        self.asked.append(form)
        token = form.get("response")
        if token == "slow":
            time.sleep(8)
        if token == "garbled":
            return b"<html>Bad gateway</html>"
        verdict: dict[str, Any] = {"success": token in ("good", "slow"), "error-codes": []}
        if not verdict["success"]:
            code = "internal-error" if token == "broken" else "invalid-input-response"
            verdict["error-codes"] = [code]
        return json.dumps(verdict).encode()
