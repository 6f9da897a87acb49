"""Bodies are rejected by their length: 64 KiB, or 10 MiB where mails and lists are posted."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from errors import RequestTimeout
from routes import ROUTES
from tests.client import TestClient
from tests.client.ports import UnlimitedMemory
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, check_problem, mail
from tests.measured import cost_of
from web.request import Body, ClientDisconnected

SMALL, LARGE = 64 * 1024, 10 * 1024 * 1024
LARGE_PATHS = {
    "/api/send_mail",
    "/external/api/send_mail",
    "/emails",
    "/emails/batch",
    "/admin/account_settings",
    "/admin/send_mail",
    "/admin/send_mail_by_binding",
}
WITH_BODY = [route for route in ROUTES if route.method in ("POST", "PATCH")]
WITHOUT_JSON = {
    "/webhooks/{id}/signing-secret/rotate",
    "/webhooks/{id}/events/{event}/replay",
    *(
        f"{area}/webhooks/{{id}}/{call}"
        for area in ("", "/admin")
        for call in ("rotate_secret", "test", "deliveries/{delivery}/replay")
    ),
    "/api/rotate_credential",
    "/api/request_send_mail_access",
    "/api/sendbox/{id}/retry",
    "/emails/{id}/cancel",
}


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true"}) as running:
        yield Api(running)


@pytest.fixture(scope="module")
def sender(own: Api) -> Sender:
    return own.new_sender(balance=1000)


def post(
    api: Api, path: str, body: bytes, sender: Sender | None = None, method: str = "POST"
) -> requests.Response:
    headers = {"Content-Type": "application/json", **(sender.headers if sender else {})}
    headers |= {"x-admin-auth": ADMIN_PASSWORD} if path.startswith("/admin/") else {}
    return api.call(method, path, data=body, headers=headers)


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.path)
def test_a_body_has_at_most_the_limit_of_its_route(own: Api, sender: Sender, route: Any) -> None:
    limit = LARGE if route.path in LARGE_PATHS else SMALL
    assert route.large is (limit == LARGE)
    if route.path in WITHOUT_JSON:
        return
    path = route.path.replace("{id}", "1")
    response = post(own, path, b" " * (limit + 1), sender, route.method)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (413, "body_too_large")
    assert str(limit) in (problem.get("detail") or problem["message"])
    status = post(own, path, b" " * limit, sender, route.method).status_code
    # The deployment has no transport with such a name.
    assert status == (404 if path.startswith("/hooks/") else 400)


class NotingMemory(UnlimitedMemory):
    """Memory that notes each release."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def release(self) -> None:
        self._notes.append("release")


class Unread(Body):
    """A body that must not be read into memory. It notes that it was discarded."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def read(self, limit: int, client: str) -> bytes | None:
        assert limit == 0, "only discarded"
        self._notes.append("read")
        return None


class Broken(Body):
    """A body that can't be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self, limit: int, client: str) -> bytes | None:
        raise self._error


@pytest.mark.parametrize("path", ["/open_api/settings", "/nowhere", "/admin/usage"])
def test_memory_is_released_before_a_body_is_discarded(
    own: Api, monkeypatch: Any, path: str
) -> None:
    notes: list[str] = []
    monkeypatch.setattr("tests.client.client.UnlimitedMemory", lambda: NotingMemory(notes))
    monkeypatch.setattr("tests.client.client._Body", lambda given: Unread(notes))
    own.post(path, {})
    assert notes == ["release", "read", "release"]
    notes.clear()
    own.get(path)
    assert set(notes) == {"release"}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (RequestTimeout("body_too_slow"), (408, "body_too_slow", "The body arrived too slowly")),
        (ClientDisconnected(), (400, "body_unreadable", "The body could not be read")),
    ],
)
@pytest.mark.parametrize("path", ["/external/api/send_mail", "/open_api/site_login"])
def test_a_body_that_cannot_be_read_is_an_error(
    own: Api, monkeypatch: Any, path: str, error: Exception, problem: tuple[int, str, str]
) -> None:
    monkeypatch.setattr("tests.client.client._Body", lambda given: Broken(error))
    check_problem(own.post(path, {}), *problem)
    assert own.call("PUT", path).status_code == 405


def test_a_body_that_is_declared_too_long_is_not_kept(own: Api, monkeypatch: Any) -> None:
    monkeypatch.setattr("tests.client.client._Body", lambda body: Unread([]))
    for path, length in (("/open_api/site_login", SMALL + 1), ("/external/api/send_mail", 2**40)):
        response = own.call("POST", path, headers={"Content-Length": str(length)})
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


# Requests that made the memory of the worker grow by hundreds of megabytes before the limits.
ATTACKS = {
    "atoms": ("/api/address_login", {"email": "a." * 4_900_000 + "@x.com", "password": "x"}),
    "one atom": ("/api/address_login", {"email": "a" * 9_800_000, "password": "x"}),
    "compatibility forms": (
        "/api/address_login",
        {"email": "a@" + "\ufdfa" * 3_200_000, "password": "x"},
    ),
    "domain": ("/api/new_address", {"name": "a", "domain": "\ufdfa" * 3_200_000}),
    "lists": ("/open_api/credential_login", b'{"a":[' + b"[]," * 200 + b'"",' * 3_200_000 + b"1]}"),
    "numbers": (
        "/external/api/send_mail",
        b'{"token":"x","a":[' + b"1.5," * 2_400_000 + b"1]}",
    ),
    "long token": ("/external/api/send_mail", {"token": "a" * 9_800_000}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_request_without_a_credential_costs_more_than_its_body(own: Api, name: str) -> None:
    path, content = ATTACKS[name]
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    responses = []
    cost = cost_of(lambda: responses.append(post(own, path, body)))
    expected = 401 if path == "/external/api/send_mail" else 413
    assert {response.status_code for response in responses} == {expected}
    assert cost.seconds < 0.5
    assert cost.bytes < 1_000_000 + (len(body) if expected == 401 else 0)


# Because of one character beyond the BMP, Python stores this text with four bytes a character.
WIDE = "a" * 9_700_000 + "\U0001f600"
SENT: dict[str, dict[str, Any]] = {
    "to": {"to": "a." * 4_800_000 + "@x.com"},
    "cc": {"cc": ["a@" + "\ufdfa" * 3_200_000]},
    "reply_to": {"reply_to": "a." * 4_800_000 + "@x.com"},
    "quoted name": {"to": '"' + "\\a" * 3_200_000 + '" <b@c.de>'},
    "many recipients": {"to": ["a"] * 99_000},
    "wide subject": {"subject": WIDE},
    "wide content": {"content": WIDE},
    "wide file": {"attachments": [{"filename": "a", "content": WIDE}]},
    "lines of a file": {"attachments": [{"filename": "a", "content": "A\n" * 3_200_000}]},
    "html": {"content": None, "html": "<a href=x>" * 900_000},
    "tags": {"tags": [{"name": "a" * 4_000_000, "value": "b" * 4_000_000}]},
    "headers": {"headers": {f"X-{number}": "a" * 1000 for number in range(9000)}},
    "time": {"scheduled_at": "2" * 9_700_000},
}


@pytest.mark.parametrize("name", SENT)
def test_a_mail_costs_a_small_multiple_of_its_body(own: Api, sender: Sender, name: str) -> None:
    body = msgspec.json.encode(mail(**SENT[name]))
    responses: list[requests.Response] = []
    cost = cost_of(lambda: responses.append(post(own, "/api/send_mail", body, sender)))
    assert {response.status_code for response in responses} <= {200, 400, 413}
    assert cost.seconds < 1
    # A wide text takes four bytes a character, and nearly as much again while it is decoded.
    multiple = 6 if "wide" in name else 4
    assert cost.bytes < multiple * len(body) + 6_000_000


def test_a_batch_of_many_numbers_costs_no_more_than_one_of_a_hundred(
    own: Api, sender: Sender
) -> None:
    body = b"[" + b"0," * 4_900_000 + b"0]"
    cost = cost_of(lambda: post(own, "/emails/batch", body, sender))
    assert cost.seconds < 0.5
    assert cost.bytes < 1_000_000
    response = post(own, "/emails/batch", body, sender)
    assert (response.status_code, response.json()["code"]) == (422, "batch_size")


# The credential in the body


def test_the_credential_is_checked_before_the_rest_is_read(own: Api, sender: Sender) -> None:
    wrong: tuple[Any, ...] = (
        {"token": "x", "subject": 5},
        {"token": 5},
        {"token": None},
        {"token": ["x"]},
        {"token": "\ud800"},
        {"token": sender.jwt[:-3] + "abc", "attachments": 7},
        {"subject": "s"},
        [],
        "token",
        None,
    )
    for body in wrong:
        response = post(own, "/external/api/send_mail", json.dumps(body).encode())
        expected = (401, "invalid_credential")
        if body == {"token": "\ud800"}:
            expected = (400, "malformed_json")
        assert (response.status_code, response.json()["code"]) == expected, body
    right = {"token": sender.jwt, "subject": 5}
    response = post(own, "/external/api/send_mail", json.dumps(right).encode())
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "subject")
    for half in (b'{"token":"x"', b'{"token":"x",}', b'{"token":"x"} x', b'{"a":[}'):
        response = post(own, "/external/api/send_mail", half)
        assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


def test_a_token_may_be_written_with_escapes(own: Api, sender: Sender) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in sender.jwt)
    text = json.dumps(mail())[1:]
    response = post(own, "/external/api/send_mail", f'{{"token":"{escaped}",{text}'.encode())
    assert response.status_code == 200
