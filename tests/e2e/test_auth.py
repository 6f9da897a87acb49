"""Access through the real runtime: static files, headers that are not ASCII, CORS preflights."""

from collections.abc import Iterator

import jwt
import pytest

from tests.e2e.api import DEPLOYMENT, SECRET, Api, check_problem, mail
from tools.local_server import LocalServer


@pytest.fixture(scope="module")
def private() -> Iterator[Api]:
    """A deployment with a site password."""
    with LocalServer(variables={**DEPLOYMENT, "PASSWORDS": '["pässword"]'}) as running:
        yield Api(running)


@pytest.mark.slow
@pytest.mark.contract("console: Static files need no password")
def test_static_files_need_no_site_password(private: Api) -> None:
    for path in ("/", "/openapi.json", "/docs"):
        assert private.get(path).status_code == 200


@pytest.mark.slow
def test_a_site_password_that_is_not_ascii_is_accepted(private: Api) -> None:
    headers = {"x-custom-auth": "pässword".encode()}
    response = private.post("/api/new_address", {}, headers=headers)
    assert response.status_code == 200, response.text


@pytest.mark.contract("guards: Address credentials are accepted with Bearer in any case")
@pytest.mark.parametrize(
    "token",
    [
        b"Bearer \xe4\xf6",  # neither ASCII nor UTF-8
        # The id is too large for a JavaScript number.
        b"Bearer " + jwt.encode({"address": "a@example.com", "address_id": 2**64}, SECRET).encode(),
    ],
    ids=["not ascii", "huge id"],
)
def test_bad_credentials(api: Api, token: bytes) -> None:
    for method, path in (
        ("GET", "/api/settings"),
        ("GET", "/api/sendbox"),
        ("POST", "/api/send_mail"),
        ("GET", "/api/nothing/here"),
    ):
        response = api.call(method, path, json=mail(), headers={"Authorization": token})
        check_problem(response, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract("guards: CORS allows every origin, without credentials")
@pytest.mark.contract("guards: A preflight returns 204 and needs no password")
def test_preflight(api: Api) -> None:
    headers = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-anything",
    }
    for path in ("/api/send_mail", "/admin/new_address", "/no/such/path"):
        response = api.call("OPTIONS", path, headers=headers)
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert response.headers["Access-Control-Allow-Headers"] == "authorization, x-anything"
        assert {"GET", "POST"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
