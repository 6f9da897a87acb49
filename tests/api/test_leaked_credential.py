"""What the thief of a credential can do, and what its owner can do about it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from accounts.passwords import client_digest
from tests.client import TestClient
from tests.client.ports import derive_key
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem, unique_name

WRONG = "The present password is wrong"
MISSING = (
    "This address has a password: send it as current_password, or ask the administrator to set a "
    "new one"
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    variables = {**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true"}
    with TestClient(variables) as running:
        yield Api(running)


@pytest.fixture
def owner(api: Api) -> Sender:
    """An address without a password, as if created before the deployment enabled passwords."""
    sender = api.new_sender()
    api.server.sql("UPDATE addresses SET password_hash = NULL WHERE id = ?", [sender.address_id])
    return sender


def change(api: Api, sender: Sender, new: str, **passwords: str) -> requests.Response:
    body = {"new_password": new, **passwords}
    digests = {name: client_digest(text) for name, text in body.items()}
    return api.post("/api/address_change_password", digests, headers=sender.headers)


def rotate(api: Api, sender: Sender, **body: Any) -> requests.Response:
    return api.post("/api/rotate_credential", body or None, headers=sender.headers)


def log_in(api: Api, sender: Sender, password: str) -> requests.Response:
    body = {"email": sender.address, "password": client_digest(password)}
    return api.post("/api/address_login", body)


@pytest.mark.contract("POST /api/rotate_credential: Ends a password set with a credential")
def test_a_password_of_a_thief_does_not_survive_the_rotation(api: Api, owner: Sender) -> None:
    assert change(api, owner, "the thief's").status_code == 200
    stolen = log_in(api, owner, "the thief's").json()["jwt"]
    response = rotate(api, owner)
    assert (response.status_code, response.json()["password_ended"]) == (200, True)
    assert log_in(api, owner, "the thief's").status_code == 401
    thief = Sender(owner.address, owner.address_id, stolen)
    assert api.send(thief).status_code == 401
    assert change(api, thief, "again").status_code == 401
    new = Sender(owner.address, owner.address_id, response.json()["jwt"])
    assert change(api, new, "my own").status_code == 200
    assert log_in(api, owner, "my own").status_code == 200


@pytest.mark.contract(
    "POST /api/address_change_password: Requires the present password where there is one"
)
def test_a_thief_cannot_replace_the_password(api: Api) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    problem = check_problem(
        change(api, sender, "the thief's"), 400, "current_password_missing", MISSING
    )
    assert problem["errors"] == [{"field": "current_password", "message": MISSING}]
    response = change(api, sender, "the thief's", current_password="a guess")
    problem = check_problem(response, 403, "wrong_password", WRONG)
    assert problem["errors"] == [{"field": "current_password", "message": WRONG}]
    # The guess does not lock out the owner. A rotation keeps the first password of an address.
    response = rotate(api, sender)
    assert (response.status_code, response.json().keys()) == (200, {"jwt"})
    assert log_in(api, sender, made["password"]).status_code == 200
    new = Sender(sender.address, sender.address_id, response.json()["jwt"])
    assert change(api, new, "my own", current_password=made["password"]).status_code == 200


def test_guesses_of_the_present_password_are_limited(api: Api) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    guesses: list[Any] = [
        lambda: change(api, sender, "the thief's", current_password="a guess"),
        lambda: rotate(api, sender, current_password=client_digest("a guess")),
    ]
    for number in range(10):
        assert guesses[number % 2]().status_code == 403
    for guess in guesses:
        assert guess().json()["code"] == "too_many_logins"
    assert log_in(api, sender, made["password"]).status_code == 200
    assert rotate(api, sender).status_code == 200  # the owner can still end the credential


@pytest.mark.parametrize("path", ["address_change_password", "rotate_credential"])
def test_guesses_at_once_are_limited(
    api: Api, owner: Sender, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right guess is checked like the others, and its check takes longest."""
    right = client_digest("my own")

    async def derive(password: bytes, salt: bytes, iterations: int) -> bytes:
        await asyncio.sleep(password == right.encode())
        return await derive_key(password, salt, iterations)

    assert change(api, owner, "my own").status_code == 200
    monkeypatch.setattr("tests.client.client.derive_key", derive)
    bodies = [
        {"new_password": client_digest("new"), "current_password": guess}
        for guess in (right, *(client_digest(str(number)) for number in range(12)))
    ]
    calls = [("POST", f"/api/{path}", {"json": body, "headers": owner.headers}) for body in bodies]
    first, *others = api.server.request_all(calls)
    assert sorted(one.status_code for one in others) == [403] * 10 + [429] * 2
    assert first.json()["code"] == "too_many_logins"
    assert log_in(api, owner, "my own").status_code == 200


def test_failed_logins_of_others_do_not_lock_out_the_owner(api: Api, owner: Sender) -> None:
    assert change(api, owner, "my own").status_code == 200
    for _ in range(10):
        assert log_in(api, owner, "a guess").status_code == 401
    assert log_in(api, owner, "my own").status_code == 429
    assert change(api, owner, "new", current_password="my own").status_code == 200
    response = rotate(api, owner, current_password=client_digest("new"))
    assert (response.status_code, response.json().keys()) == (200, {"jwt"})


def test_a_thief_elsewhere_cannot_lock_out_the_owner(api: Api) -> None:
    """Not even by using up all rotations without a password before."""
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    for _ in range(20):
        rotated = rotate(api, sender)
        assert rotated.status_code == 200
        sender = Sender(sender.address, sender.address_id, rotated.json()["jwt"])
    assert rotate(api, sender).json()["code"] == "too_many_credential_changes"
    guess = {"current_password": client_digest("a guess")}
    headers = {**sender.headers, "cf-connecting-ip": "192.0.2.7"}
    for status in [403] * 10 + [429]:
        response = api.post("/api/rotate_credential", guess, headers=headers)
        assert response.status_code == status, response.text
    assert change(api, sender, "new", current_password=made["password"]).status_code == 200
    right = {"current_password": client_digest("new")}
    owner = {**sender.headers, "cf-connecting-ip": "198.51.100.1"}
    assert api.post("/api/rotate_credential", right, headers=owner).status_code == 200


def test_a_thief_cannot_guess_more_by_rotating(api: Api) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    thief = Sender(made["address"], made["address_id"], made["jwt"])
    for _ in range(10):
        assert change(api, thief, "new", current_password="a guess").status_code == 403
    thief = Sender(thief.address, thief.address_id, rotate(api, thief).json()["jwt"])
    assert change(api, thief, "new", current_password="a guess").status_code == 429


def test_an_empty_present_password_is_wrong(api: Api, owner: Sender) -> None:
    """Ignoring it would remove the password that the request is meant to keep."""
    assert change(api, owner, "my own").status_code == 200
    check_problem(rotate(api, owner, current_password=""), 403, "wrong_password", WRONG)
    assert log_in(api, owner, "my own").status_code == 200


def test_a_rotation_with_the_present_password_keeps_it(api: Api, owner: Sender) -> None:
    assert change(api, owner, "my own").status_code == 200
    response = rotate(api, owner, current_password=client_digest("a guess"))
    check_problem(response, 403, "wrong_password", WRONG)
    response = rotate(api, owner, current_password=client_digest("my own"))
    assert (response.status_code, response.json().keys()) == (200, {"jwt"})
    assert log_in(api, owner, "my own").status_code == 200


def test_a_rotation_keeps_a_password_that_an_administrator_set(api: Api, owner: Sender) -> None:
    assert change(api, owner, "the thief's").status_code == 200
    path = f"/admin/address/{owner.address_id}/reset_password"
    assert api.admin("POST", path, json={"password": client_digest("new")}).status_code == 200
    assert change(api, owner, "x", current_password="the thief's").status_code == 403
    assert rotate(api, owner).json().keys() == {"jwt"}
    assert log_in(api, owner, "new").status_code == 200


def test_an_administrator_helps_the_owner_if_a_thief_rotates_first(api: Api, owner: Sender) -> None:
    assert change(api, owner, "the thief's").status_code == 200
    digest = client_digest("the thief's")
    thief = Sender(
        owner.address, owner.address_id, rotate(api, owner, current_password=digest).json()["jwt"]
    )
    given = api.admin("GET", f"/admin/show_password/{owner.address_id}").json()["jwt"]
    response = rotate(api, Sender(owner.address, owner.address_id, given))
    assert response.json()["password_ended"] is True
    assert log_in(api, owner, "the thief's").status_code == 401
    assert api.send(thief).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b" ", 200),
        (b"{}", 200),
        (b" [ ] ", 200),
        (b"[0]", 422),
        (b"null", 422),
        (b"{", 400),
    ],
)
def test_the_body_of_a_rotation_may_be_left_out(
    api: Api, owner: Sender, body: bytes, status: int
) -> None:
    response = api.call("POST", "/api/rotate_credential", data=body, headers=owner.headers)
    assert response.status_code == status, response.text


def test_many_changes_at_once_with_one_present_password(api: Api, owner: Sender) -> None:
    assert change(api, owner, "my own").status_code == 200
    bodies = [
        {"new_password": client_digest(str(n)), "current_password": client_digest("my own")}
        for n in range(6)
    ]
    calls = [
        ("POST", "/api/address_change_password", {"json": body, "headers": owner.headers})
        for body in bodies
    ]
    statuses = sorted(response.status_code for response in api.server.request_all(calls))
    assert statuses == [200, 403, 403, 403, 403, 403]
