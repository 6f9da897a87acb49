"""Authentication: CORS, site password, admin password and credentials, in this order."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.api.credentials import claims_of
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, SECRET, Api, check_problem, mail

SITE_SENTENCE = "You have enabled the private site password, please provide the password"
ADMIN_SENTENCE = "You need to provide the admin password to access this page"
OLD_SECRET = "an-older-secret-of-the-tests-0123456789"


@pytest.fixture(scope="module")
def private() -> Iterator[Api]:
    """A site with a password, and with a rotated JWT_SECRET."""
    variables = {
        **DEPLOYMENT,
        "PASSWORDS": '["first, with comma", "pässword"]',
        "JWT_SECRET_PREVIOUS": OLD_SECRET,
    }
    with TestClient(variables) as running:
        yield Api(running)


@pytest.mark.contract("guards: The site password is checked first")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/new_address"),
        ("POST", "/api/send_mail"),
        ("GET", "/api/settings"),
        ("GET", "/api/nothing"),
        ("POST", "/external/api/send_mail"),
        ("POST", "/admin/new_address"),
        ("GET", "/admin/nothing"),
        ("GET", "/nothing"),
    ],
)
@pytest.mark.parametrize("given", [None, "", "first", "first, with comma "])
def test_the_site_password_is_checked_first(
    private: Api, method: str, path: str, given: str | None
) -> None:
    # HTTP trims header values. With only a trailing space, this would be the valid password.
    if given is not None and given != given.strip():
        given += "x"
    headers = {} if given is None else {"x-custom-auth": given}
    response = private.call(method, path, headers=headers)
    check_problem(response, 401, "site_password_required", SITE_SENTENCE)


@pytest.mark.contract("guards: Every entry of PASSWORDS is accepted")
def test_every_site_password_is_accepted(private: Api) -> None:
    headers = {"x-custom-auth": "first, with comma"}
    response = private.post("/api/new_address", {}, headers=headers)
    assert response.status_code == 200, response.text


@pytest.mark.contract("guards: Public paths need no site password")
@pytest.mark.contract("GET /health_check: Returns OK")
@pytest.mark.contract("GET /open_api/settings: Returns every member without a password")
def test_public_paths_need_no_site_password(private: Api) -> None:
    assert private.get("/health_check").text == "OK"
    assert private.get("/open_api/settings").json()["needAuth"] is True
    response = private.post("/open_api/credential_login", {"credential": "x"})
    check_problem(response, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract("credential: JWT_SECRET_PREVIOUS verifies credentials and never signs them")
def test_a_previous_secret_still_verifies(private: Api) -> None:
    site = {"x-custom-auth": "first, with comma"}
    made = private.post("/api/new_address", {}, headers=site).json()
    claims = {"address": made["address"], "address_id": made["address_id"]}
    for secret, status in ((SECRET, 200), (OLD_SECRET, 200), (OLD_SECRET + "x", 401)):
        token = jwt.encode(claims, secret, algorithm="HS256")
        headers = {**site, "Authorization": f"Bearer {token}"}
        assert private.get("/api/settings", headers=headers).status_code == status
    assert claims_of(made["jwt"])


@pytest.mark.contract("guards: Without an admin password, every admin path returns the same 401")
@pytest.mark.parametrize("given", [None, "", "wrong", ADMIN_PASSWORD.upper(), ADMIN_PASSWORD[:-1]])
def test_admin_paths_need_the_admin_password(api: Api, given: str | None) -> None:
    headers = {} if given is None else {"x-admin-auth": given}
    bodies = []
    for path in ("/admin/new_address", "/admin/no/such/path"):
        response = api.post(path, {"name": "x"}, headers=headers)
        problem = check_problem(response, 401, "admin_password_required", ADMIN_SENTENCE)
        problem.pop("request_id")
        bodies.append(problem)
    assert bodies[0] == bodies[1]


@pytest.mark.contract("guards: Address credentials are accepted with Bearer in any case")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_is_accepted_in_any_case(api: Api, scheme: str) -> None:
    sender = api.new_sender()
    headers = {"Authorization": f"{scheme} {sender.jwt}"}
    assert api.get("/api/settings", headers=headers).status_code == 200


def tokens() -> dict[str, str | None]:
    claims: dict[str, Any] = {"address": "a@example.com", "address_id": 1}
    signed = jwt.encode(claims, SECRET, algorithm="HS256")
    head, body, signature = signed.split(".")
    return {
        "none at all": None,
        "no token": "Bearer ",
        "no scheme": signed,
        "other scheme": f"Basic {signed}",
        "not a token": "Bearer abc",
        "alg none": "Bearer " + jwt.encode(claims, "", algorithm="none"),
        "HS512": "Bearer " + jwt.encode(claims, SECRET * 2, algorithm="HS512"),
        "HS512, right secret": "Bearer " + jwt.encode(claims, SECRET, algorithm="HS512"),
        "other secret": "Bearer " + jwt.encode(claims, SECRET + "x", algorithm="HS256"),
        "changed claims": f"Bearer {head}.{body[:-2]}AA.{signature}",
        "no signature": f"Bearer {head}.{body}.",
        "expired": "Bearer "
        + jwt.encode({**claims, "exp": int(time.time()) - 5}, SECRET, algorithm="HS256"),
        "no such address": "Bearer "
        + jwt.encode({**claims, "address_id": 999_999}, SECRET, algorithm="HS256"),
        "negative id": "Bearer " + jwt.encode({**claims, "address_id": -1}, SECRET),
        "text id": "Bearer " + jwt.encode({**claims, "address_id": "1 OR 1=1"}, SECRET),
        "other version": "Bearer " + jwt.encode({**claims, "credential_version": 7}, SECRET),
        "the secret itself": f"Bearer {SECRET}",
    }


@pytest.mark.contract("guards: Address credentials are accepted with Bearer in any case")
@pytest.mark.parametrize("kind", tokens())
def test_invalid_credentials_are_rejected(api: Api, kind: str) -> None:
    token = tokens()[kind]
    headers = {} if token is None else {"Authorization": token}
    for method, path in (
        ("GET", "/api/settings"),
        ("GET", "/api/sendbox"),
        ("POST", "/api/send_mail"),
        ("GET", "/api/nothing/here"),
    ):
        if path.startswith("/api/nothing") and kind in {"no such address", "other version"}:
            continue  # the signature is valid, and this path does not read the database
        response = api.call(method, path, json=mail(), headers=headers)
        check_problem(response, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract(
    "POST /open_api/credential_login: Returns success, or 401 for an invalid credential"
)
def test_a_credential_logs_in(api: Api) -> None:
    sender = api.new_sender()
    response = api.post("/open_api/credential_login", {"credential": sender.jwt})
    assert (response.status_code, response.json()) == (200, {"success": True})
    api.server.sql("DELETE FROM addresses WHERE id = ?", [sender.address_id])
    for credential in (sender.jwt, "", None, 5, "x.y.z"):
        response = api.post("/open_api/credential_login", {"credential": credential})
        if credential == 5:
            assert response.status_code == 422
        else:
            check_problem(response, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract("guards: A preflight returns 204 and needs no password")
def test_a_preflight_needs_no_password(private: Api) -> None:
    assert private.call("OPTIONS", "/api/send_mail").status_code == 204
