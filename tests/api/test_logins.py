"""Credentials: rotation, expiry, and login with a password."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests

from accounts.passwords import client_digest
from tests.api.credentials import claims_of
from tests.client import TestClient
from tests.e2e.api import (
    ADMIN_PASSWORD,
    DEPLOYMENT,
    Api,
    Sender,
    check_problem,
    unique_name,
)
from tests.measured import takes_as_long

INVALID_CREDENTIAL = "Invalid address credential"
INVALID_LOGIN = "Invalid email or password"
TOO_MANY_LOGINS = "Too many failed logins for this address, please try again later"
NOT_DIGESTED = "The password must be its SHA-256 digest, in 64 hexadecimal digits"


@pytest.fixture(scope="module")
def passwords() -> Iterator[Api]:
    """A deployment whose addresses have passwords, and whose credentials expire in 30 days."""
    variables = {
        **DEPLOYMENT,
        "ENABLE_ADDRESS_PASSWORD": "true",
        "PASSWORD_PEPPER": "a-pepper-of-the-tests",
        "CREDENTIAL_TTL_DAYS": "30",
    }
    with TestClient(variables) as running:
        yield Api(running)


def new_address(api: Api) -> tuple[Sender, str]:
    """A new address and its password."""
    body = api.post("/api/new_address", {"name": unique_name()}).json()
    return Sender(body["address"], body["address_id"], body["jwt"]), body["password"]


def log_in(api: Api, email: str, password: str) -> requests.Response:
    return api.post("/api/address_login", {"email": email, "password": client_digest(password)})


def rotate(api: Api, sender: Sender) -> requests.Response:
    return api.post("/api/rotate_credential", headers=sender.headers)


def rotated(api: Api, sender: Sender) -> Sender:
    response = rotate(api, sender)
    assert (response.status_code, response.json().keys()) == (200, {"jwt"})
    return Sender(sender.address, sender.address_id, response.json()["jwt"])


# Rotation and expiry


@pytest.mark.contract(
    "POST /api/rotate_credential: Returns a new credential and invalidates the old one"
)
def test_a_rotated_credential_is_invalid_at_once(api: Api) -> None:
    old = api.new_sender()
    sent = api.send_with_key(old, "before").json()
    new = rotated(api, old)
    for method, path in (
        ("GET", "/api/settings"),
        ("GET", "/api/sendbox"),
        ("GET", f"/api/sendbox/{sent['id']}"),
        ("POST", "/api/rotate_credential"),
    ):
        response = api.call(method, path, headers=old.headers)
        check_problem(response, 401, "invalid_credential", INVALID_CREDENTIAL)
    for response in (api.send(old), api.send_with_key(old, "before")):
        check_problem(response, 401, "invalid_credential", INVALID_CREDENTIAL)
    response = api.post("/open_api/credential_login", {"credential": old.jwt})
    check_problem(response, 401, "invalid_credential", INVALID_CREDENTIAL)
    assert api.get("/api/settings", headers=new.headers).json()["address"] == old.address
    assert api.send_with_key(new, "before").json() == sent
    assert api.send(rotated(api, new)).status_code == 200


@pytest.mark.contract(
    "POST /api/rotate_credential: Exactly one of many concurrent rotations succeeds"
)
def test_one_of_many_rotations_at_the_same_time_succeeds(api: Api) -> None:
    old = api.new_sender()
    request = ("POST", "/api/rotate_credential", {"headers": old.headers})
    responses = api.server.request_all([request] * 8)
    assert Counter(response.status_code for response in responses) == {200: 1, 401: 7}
    (made,) = [response.json()["jwt"] for response in responses if response.status_code == 200]
    assert api.send(Sender(old.address, old.address_id, made)).status_code == 200


def test_credentials_without_a_lifetime_do_not_expire(api: Api) -> None:
    for token in (api.new_sender().jwt, rotated(api, api.new_sender()).jwt):
        assert "exp" not in claims_of(token)


@pytest.mark.contract("credential: CREDENTIAL_TTL_DAYS sets `exp` in every new credential")
def test_every_new_credential_gets_the_lifetime(passwords: Api) -> None:
    sender, password = new_address(passwords)
    named = passwords.admin("POST", "/admin/new_address", json={"name": unique_name()})
    tokens = [
        sender.jwt,
        named.json()["jwt"],
        log_in(passwords, sender.address, password).json()["jwt"],
        rotated(passwords, sender).jwt,
    ]
    for token in tokens:
        claims = claims_of(token)
        assert claims["exp"] - claims["iat"] == 30 * 86_400
        assert abs(claims["iat"] - passwords.server.now() / 1000) < 60


# Passwords


@pytest.mark.contract("POST /api/address_login: Returns jwt and address")
def test_a_login_returns_a_credential(passwords: Api) -> None:
    sender, password = new_address(passwords)
    for email in (sender.address, f" {sender.address.upper()} "):
        response = log_in(passwords, email, password)
        assert response.status_code == 200, response.text
        assert response.json().keys() == {"jwt", "address"}
        assert response.json()["address"] == sender.address
        again = Sender(sender.address, sender.address_id, response.json()["jwt"])
        assert passwords.send(again).status_code == 200
    in_capitals = {"email": sender.address, "password": client_digest(password).upper()}
    assert passwords.post("/api/address_login", in_capitals).status_code == 200
    assert passwords.send(sender).status_code == 200


@pytest.mark.contract(
    "passwords: Unknown addresses and wrong passwords get the same response in the same time"
)
def test_unknown_address_and_wrong_password_get_the_same_response(passwords: Api) -> None:
    sender, password = new_address(passwords)
    without_password = passwords.admin(
        "POST", "/admin/new_address", json={"name": unique_name()}
    ).json()["address"]
    sql = "UPDATE addresses SET password_hash = NULL WHERE name = ?"
    passwords.server.sql(sql, [without_password])
    responses = [
        log_in(passwords, sender.address, "wrong"),
        log_in(passwords, without_password, password),
        log_in(passwords, f"{unique_name()}@example.com", password),
        log_in(passwords, f"{unique_name()}@elsewhere.example", password),
        log_in(passwords, unique_name(), password),
        passwords.post("/api/address_login", {"email": sender.address, "password": password}),
    ]
    bodies = []
    for response in responses:
        problem = check_problem(response, 401, "invalid_login", INVALID_LOGIN)
        problem.pop("request_id")
        bodies.append(problem)
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.contract(
    "passwords: Unknown addresses and wrong passwords get the same response in the same time"
)
def test_an_unknown_address_takes_the_same_time(passwords: Api) -> None:
    known = [new_address(passwords)[0].address for _ in range(5)]
    unknown = [f"{unique_name()}@example.com" for _ in range(5)]

    def log_all_in(emails: list[str]) -> None:
        for email in emails:
            assert log_in(passwords, email, "wrong").status_code == 401

    assert takes_as_long(partial(log_all_in, known), partial(log_all_in, unknown))


@pytest.mark.contract("POST /api/address_change_password: Changes the password")
def test_a_password_is_changed(passwords: Api) -> None:
    sender, password = new_address(passwords)
    body = {"new_password": client_digest("correct horse")}
    body["current_password"] = client_digest(password).upper()
    response = passwords.post("/api/address_change_password", body, headers=sender.headers)
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert log_in(passwords, sender.address, "correct horse").status_code == 200
    rejected = log_in(passwords, sender.address, password)
    check_problem(rejected, 401, "invalid_login", INVALID_LOGIN)
    assert rotate(passwords, sender).status_code == 200
    old = sender
    response = passwords.post("/api/address_change_password", body, headers=old.headers)
    check_problem(response, 401, "invalid_credential", INVALID_CREDENTIAL)
    response = passwords.post("/api/address_change_password", body)
    check_problem(response, 401, "invalid_credential", INVALID_CREDENTIAL)


@pytest.mark.contract("POST /api/address_change_password: Requires a digest as the new password")
@pytest.mark.parametrize("text", ["correct horse", "0" * 63, "0" * 65, "g" * 64])
def test_a_password_must_be_a_digest(passwords: Api, text: str) -> None:
    sender, password = new_address(passwords)
    body = {"new_password": text}
    response = passwords.post("/api/address_change_password", body, headers=sender.headers)
    problem = check_problem(response, 400, "password_not_digested", NOT_DIGESTED)
    assert problem["errors"] == [{"field": "new_password", "message": NOT_DIGESTED}]
    assert log_in(passwords, sender.address, password).status_code == 200


@pytest.mark.contract("POST /api/address_login: Rejects missing fields")
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/address_login", {"password": "0" * 64}, "email"),
        ("/api/address_login", {"email": "", "password": "0" * 64}, "email"),
        ("/api/address_login", {"email": "a@example.com"}, "password"),
        ("/api/address_login", {"email": "a@example.com", "password": None}, "password"),
        ("/api/address_change_password", {}, "new_password"),
    ],
)
def test_missing_fields_are_rejected(
    passwords: Api, path: str, body: dict[str, Any], field: str
) -> None:
    response = passwords.post(path, body, headers=passwords.new_sender().headers)
    problem = check_problem(response, 400, "required_field_missing", "Required field is missing")
    assert problem["errors"][0]["field"] == field


@pytest.mark.contract("passwords: Passwords are off by default")
def test_passwords_are_off_by_default(api: Api) -> None:
    sender = api.new_sender()
    response = log_in(api, sender.address, "any")
    check_problem(response, 403, "password_login_disabled", "Password login is disabled")
    body = {"new_password": client_digest("any")}
    response = api.post("/api/address_change_password", body, headers=sender.headers)
    check_problem(response, 403, "password_change_disabled", "Password change is disabled")


def test_changes_of_a_credential_are_audited(passwords: Api) -> None:
    sender, password = new_address(passwords)
    body = {
        "new_password": client_digest("another one"),
        "current_password": client_digest(password),
    }
    headers = {**sender.headers, "cf-connecting-ip": "192.0.2.7"}
    assert log_in(passwords, sender.address, password).status_code == 200
    passwords.post("/api/address_change_password", body, headers=headers)
    passwords.post("/api/rotate_credential", headers=headers)
    passwords.post("/api/rotate_credential", headers=headers)  # rejected: it was replaced
    log_in(passwords, sender.address, "wrong")
    rows = passwords.admin("GET", "/admin/audit", params={"limit": 100}).json()["results"]
    events = [row for row in rows if row["object"] == sender.address]
    assert [(row["actor"], row["action"], row["source"]) for row in events[:2]] == [
        (sender.address, "credential.rotated", "192.0.2.7"),
        (sender.address, "password.changed", "192.0.2.7"),
    ]
    actions = [row["action"] for row in events[2:]]
    assert actions == ["credential.given", "address.created"]
    for secret in (sender.jwt, password, client_digest("another one")):
        assert secret not in str(events)


# Guessing


@pytest.mark.contract("passwords: Ten failures in fifteen minutes lead to 429")
def test_ten_wrong_guesses_lock_the_login(passwords: Api) -> None:
    sender, password = new_address(passwords)
    for email in (sender.address, f"{unique_name()}@example.com"):
        for _ in range(10):
            response = log_in(passwords, email, "wrong")
            check_problem(response, 401, "invalid_login", INVALID_LOGIN)
        rejected = log_in(passwords, email, password)
        check_problem(rejected, 429, "too_many_logins", TOO_MANY_LOGINS)
        assert 0 < int(rejected.headers["Retry-After"]) <= 900
    assert passwords.send(sender).status_code == 200
    # The wait ends when the first failure is fifteen minutes old.
    passwords.server.sql("UPDATE login_failures SET failed_at = failed_at - 840000")
    assert 0 < int(log_in(passwords, sender.address, password).headers["Retry-After"]) <= 60
    passwords.server.sql("UPDATE login_failures SET failed_at = failed_at - 60000")
    assert log_in(passwords, sender.address, password).status_code == 200


def test_others_cannot_lock_the_login(passwords: Api) -> None:
    sender, password = new_address(passwords)
    elsewhere = {"cf-connecting-ip": "192.0.2.7"}
    body = {"email": sender.address, "password": client_digest("wrong")}
    for status in [401] * 10 + [429]:
        response = passwords.post("/api/address_login", body, headers=elsewhere)
        assert response.status_code == status, response.text
    assert log_in(passwords, sender.address, password).status_code == 200


@pytest.mark.contract("passwords: Ten failures in fifteen minutes lead to 429")
def test_ten_of_forty_concurrent_guesses_are_checked(passwords: Api) -> None:
    sender, password = new_address(passwords)
    body = {"email": sender.address, "password": client_digest("wrong")}
    responses = passwords.server.request_all([("POST", "/api/address_login", {"json": body})] * 40)
    assert Counter(response.status_code for response in responses) == {401: 10, 429: 30}
    assert log_in(passwords, sender.address, password).status_code == 429


def test_many_concurrent_correct_logins_succeed(passwords: Api) -> None:
    sender, password = new_address(passwords)
    body = {"email": sender.address, "password": client_digest(password)}
    responses = passwords.server.request_all([("POST", "/api/address_login", {"json": body})] * 30)
    assert Counter(response.status_code for response in responses) == {200: 30}


# The logins of /open_api


@pytest.fixture(scope="module")
def private() -> Iterator[Api]:
    variables = {**DEPLOYMENT, "PASSWORDS": '["first", "zwölf"]', "DEFAULT_LANG": "zh"}
    with TestClient(variables) as running:
        yield Api(running)


@pytest.mark.contract("POST /open_api/site_login: Returns success, or 401 for a wrong password")
def test_a_site_password_logs_in(private: Api) -> None:
    for password in ("first", "zwölf"):
        for sent in (client_digest(password), client_digest(password).upper()):
            response = private.post("/open_api/site_login", {"password": sent})
            assert (response.status_code, response.json()) == (200, {"success": True})
    for wrong in (client_digest("other"), "first", "", None, client_digest(ADMIN_PASSWORD)):
        headers = {"x-lang": "en"}
        response = private.post("/open_api/site_login", {"password": wrong}, headers=headers)
        sentence = "You have enabled the private site password, please provide the password"
        check_problem(response, 401, "site_password_required", sentence)
        response = private.post("/open_api/site_login", {"password": wrong})
        assert response.json()["detail"] == "网站已启用私有密码,请提供密码"


@pytest.mark.contract("POST /open_api/admin_login: Returns success, or 401 for a wrong password")
def test_an_admin_password_logs_in(private: Api) -> None:
    response = private.post("/open_api/admin_login", {"password": client_digest(ADMIN_PASSWORD)})
    assert (response.status_code, response.json()) == (200, {"success": True})
    for wrong in (client_digest("first"), ADMIN_PASSWORD, "", None):
        headers = {"x-lang": "en"}
        response = private.post("/open_api/admin_login", {"password": wrong}, headers=headers)
        sentence = "You need to provide the admin password to access this page"
        check_problem(response, 401, "admin_password_required", sentence)


def test_logins_follow_the_access_rules_of_the_site(api: Api) -> None:
    # Without a site password every login succeeds.
    assert api.post("/open_api/site_login", {}).status_code == 200
    variables = {**DEPLOYMENT, "ADMIN_PASSWORDS": ""}
    with TestClient(variables) as server:
        response = Api(server).post("/open_api/admin_login", {"password": client_digest("")})
        assert response.status_code == 401
    variables = {**variables, "DISABLE_ADMIN_PASSWORD_CHECK": "true"}
    with TestClient(variables) as server:
        assert Api(server).post("/open_api/admin_login", {}).status_code == 200
