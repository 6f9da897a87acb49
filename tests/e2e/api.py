"""The tests' client of the API, and a check that every error response must pass."""

import base64
import itertools
import secrets
import time
from dataclasses import dataclass
from typing import Any

import requests

SECRET = "a-secret-of-the-tests-0123456789abcdef0123456789abcdef0123456789abcdef"
ADMIN_PASSWORD = "admin-password-of-the-tests"
DEPLOYMENT = {
    "JWT_SECRET": SECRET,
    "ADMIN_PASSWORDS": ADMIN_PASSWORD,
    "DOMAINS": "example.com,example.org",
    "DEFAULT_DOMAINS": "example.com",
    "ENABLE_USER_CREATE_EMAIL": "true",
    "DEFAULT_SEND_BALANCE": "1000",
}

_numbers = itertools.count(1)
_run = secrets.token_hex(3)


def unique_name() -> str:
    """A name for an address that no other test has."""
    return f"u{_run}{next(_numbers)}"


@dataclass(frozen=True)
class Sender:
    """An address and its credential."""

    address: str
    address_id: int
    jwt: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.jwt}"}


class Api:
    """HTTP calls to one server."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        response: requests.Response = self.server.request(method, path, **options)
        return response

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json=json, **options)

    def admin(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.call(method, path, headers={"x-admin-auth": ADMIN_PASSWORD}, **options)

    def new_sender(self, balance: int | None = None) -> Sender:
        """A new address; ``balance`` is its send balance, None leaves it without a balance row."""
        made = self.post("/api/new_address", {"name": unique_name()})
        assert made.status_code == 200, made.text
        body = made.json()
        if balance is not None:
            self.server.sql(
                "INSERT INTO send_balances (address_id, balance, created_at) VALUES (?, ?, 0)",
                [body["address_id"], balance],
            )
        return Sender(body["address"], body["address_id"], body["jwt"])

    def send(self, sender: Sender, **fields: Any) -> requests.Response:
        """Send a plain mail, or one with other ``fields``."""
        return self.post("/api/send_mail", mail(**fields), headers=sender.headers)

    def send_impatiently(self, sender: Sender, seconds: float, **fields: Any) -> None:
        """Send, disconnect after ``seconds`` without a response, and raise ``requests.Timeout``."""
        body = mail(**fields)
        url = f"{self.server.url}/api/send_mail"
        requests.post(url, json=body, headers=sender.headers, timeout=seconds)

    def log_lines(self, request_id: str, event: str = "request") -> list[dict[str, Any]]:
        """Wait for lines of this event about this request in the log, and return them."""
        deadline = time.monotonic() + 10
        while True:
            of_event = [line for line in self.server.log_lines() if line["event"] == event]
            found = [line for line in of_event if line.get("request_id") == request_id]
            if found:
                return found
            assert time.monotonic() < deadline, f"no log line {event} of the request {request_id}"
            time.sleep(0.1)

    def balance(self, sender: Sender) -> int:
        response = self.get("/api/settings", headers=sender.headers)
        assert response.status_code == 200, response.text
        balance: int = response.json()["send_balance"]
        return balance

    def sent_by(self, sender: Sender) -> list[dict[str, Any]]:
        """The mails from ``sender`` that the provider accepted."""
        return [mail for mail in self.server.sent_mails() if sender.address in mail["from"]]

    def message(self, sender: Sender, message_id: str) -> dict[str, Any]:
        """The detail view of one message of ``sender``."""
        response = self.get(f"/api/sendbox/{message_id}", headers=sender.headers)
        assert response.status_code == 200, response.text
        shown: dict[str, Any] = response.json()
        return shown

    def send_with_key(self, sender: Sender, key: str, **fields: Any) -> requests.Response:
        """Send as ``send`` does, with this idempotency key."""
        headers = {**sender.headers, "Idempotency-Key": key}
        return self.post("/api/send_mail", mail(**fields), headers=headers)

    def messages_of(self, sender: Sender) -> list[dict[str, Any]]:
        """The rows of the messages of ``sender``, oldest first."""
        sql = "SELECT * FROM messages WHERE address_id = ? ORDER BY id"
        rows: list[dict[str, Any]] = self.server.sql(sql, [sender.address_id])
        return rows


def mail(**fields: Any) -> dict[str, Any]:
    """The body of ``POST /api/send_mail``, with ``fields`` changed; None omits a field."""
    body = {
        "from_name": "A Sender",
        "to_name": "A Recipient",
        "to_mail": "recipient@example.net",
        "subject": "A subject",
        "content": "A text",
        "is_html": False,
        **fields,
    }
    return {key: value for key, value in body.items() if value is not None}


def file(content: bytes, **fields: Any) -> dict[str, Any]:
    """An attachment in a request, with ``fields`` changed."""
    return {"filename": "a.bin", "content": base64.b64encode(content).decode(), **fields}


def done(response: requests.Response) -> None:
    """Check that ``response`` has the status 200 and only reports success."""
    assert (response.status_code, response.json()) == (200, {"success": True}), response.text


def check_problem(
    response: requests.Response, status: int, code: str, detail: str
) -> dict[str, Any]:
    """Check that ``response`` is exactly this problem object (RFC 9457); return its members."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert (problem["code"], problem["detail"]) == (code, detail)
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert problem["retryable"] is ("Retry-After" in response.headers)
    assert status not in (429, 503) or problem["retryable"]
    assert {"type", "title"} <= problem.keys()
    return problem
