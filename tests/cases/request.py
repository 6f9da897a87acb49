"""The cases of the API, read from their files."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

import requests

from tests.cases.sent import Sent, check_sent, described
from tests.e2e.api import Api, Sender
from tests.smtp.mails import left

_FOLDER = Path(__file__).parent / "api"
_SENDER = "app@example.com"  # in the cases

REQUEST_NAMES = sorted(path.stem for path in _FOLDER.glob("*.json"))


class RequestCase:
    """A request of ``sender``, and what must come of it. Its placeholder is a new word."""

    def __init__(self, name: str, sender: Sender) -> None:
        content = (_FOLDER / f"{name}.json").read_text("utf-8")
        content = content.replace("@@", secrets.token_hex(4)).replace(_SENDER, sender.address)
        case = json.loads(content)
        self.request: dict[str, Any] = case["request"]
        self.expected: dict[str, Any] = case["expect"]
        self._sender = sender

    def check(self, api: Api) -> None:
        """Send the request, and check its response and what the provider received."""
        before = len(api.sent_by(self._sender))
        response = api.call(
            self.request["method"],
            self.request["path"],
            json=self.request["body"],
            headers={**self.request["headers"], **self._sender.headers},
        )
        self._check_response(response)
        sent = left(api, self._sender, start=before)
        if "sent" not in self.expected:
            assert sent == []
            return
        (mail,) = sent
        shown = api.message(self._sender, response.json()["id"])
        expected = dict(self.expected["sent"])
        tags = expected.pop("tags", None)
        check_sent(Sent(described(mail, shown)), expected)
        if tags is not None:
            assert {tag["name"]: tag["value"] for tag in shown["tags"]} == tags

    def _check_response(self, response: requests.Response) -> None:
        status = self.expected["status"]
        assert response.status_code in (status if isinstance(status, list) else [status]), (
            response.text
        )
        body = response.json()
        if "error_names" in self.expected:
            assert self.expected["error_names"] in json.dumps(body)
        warnings = body.get("warnings") or re.findall(".+", response.headers.get("X-Warnings", ""))
        words = self.expected.get("warnings_contain", [])
        assert bool(warnings) is bool(words), warnings
        for word in words:
            assert any(word.lower() in warning.lower() for warning in warnings), warnings
