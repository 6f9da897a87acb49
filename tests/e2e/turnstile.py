"""A stand-in for Turnstile's siteverify, in the test's own process."""

import json
import threading
import time
from urllib.parse import parse_qsl

from tests.faults.listener import Listener

SECRET_KEY = "turnstile-secret-of-the-tests"


class Turnstile(Listener):
    """Accepts the token ``good``, and ``slow`` after 8 seconds. Rejects every other token.

    A token that begins with ``once`` is accepted once, as Turnstile accepts each token. ``broken``
    gets Turnstile's internal error. ``verdicts`` has the responses to further tokens, as text.

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
        self.verdicts = {"garbled": "<html>Bad gateway</html>"}
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def response_body(self, posted: bytes) -> bytes:
        """The verdict on the form ``posted``, as JSON."""
        form = dict(parse_qsl(posted.decode()))
        self.asked.append(form)
        token = form.get("response", "")
        if token in self.verdicts:
            return self.verdicts[token].encode()
        if form.get("secret") != SECRET_KEY:
            return _verdict("invalid-input-secret")
        if token == "slow":
            time.sleep(8)
        with self._lock:
            is_used = token in self._used
            self._used.add(token)
        if token.startswith("once"):
            return _verdict("timeout-or-duplicate") if is_used else _verdict()
        if token in ("good", "slow"):
            return _verdict()
        return _verdict("internal-error" if token == "broken" else "invalid-input-response")


def _verdict(*codes: str) -> bytes:
    """A response with these error codes; without any, the token is accepted."""
    accepted = {
        "challenge_ts": "2026-11-03T12:00:00.000Z",
        "hostname": "example.com",
        "action": "",
        "cdata": "",
    }
    return json.dumps(
        {"success": not codes, "error-codes": codes, **({} if codes else accepted)}
    ).encode()
