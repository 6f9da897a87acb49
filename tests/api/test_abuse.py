"""Limits for clients: RATE_LIMITER, Turnstile, and addresses per day."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, check_problem, unique_name
from tests.e2e.turnstile import Turnstile

VERIFICATION_SENTENCE = "Human verification check failed"
LOGIN = {"email": "nobody@example.com", "password": "0" * 64}
LIMITED = ["/api/address_login", "/open_api/credential_login"]
LIMITED += ["/open_api/site_login", "/open_api/admin_login"]


# The limit of the binding RATE_LIMITER


@pytest.fixture(scope="module")
def limited() -> Iterator[Api]:
    """A deployment that admits three calls per minute, path and client."""
    variables = {**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true", "PASSWORDS": "site"}
    with TestClient(variables, rate_limit=3) as running:
        yield Api(running)


def call_from(api: Api, ip: str, path: str, password: str = "site") -> Any:
    headers = {"cf-connecting-ip": ip, "x-custom-auth": password}
    return api.call("POST", path, json={}, headers=headers)


def begin_a_minute(api: Api) -> None:
    """Go to the start of the next minute, because the limiter counts per minute of the clock."""
    api.server.advance(60 - api.server.now() / 1000 % 60)


@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
@pytest.mark.contract("guards: Address creation and logins are rate limited per client")
@pytest.mark.parametrize("path", LIMITED)
def test_each_path_is_limited_for_each_client(limited: Api, path: str) -> None:
    begin_a_minute(limited)
    for _ in range(3):
        assert call_from(limited, "192.0.2.1", path).status_code != 429
    response = call_from(limited, "192.0.2.1", path)
    check_problem(response, 429, "client_rate_exceeded", f"Rate limit exceeded for {path}")
    assert response.headers["Retry-After"] == "60"
    assert call_from(limited, "192.0.2.2", path).status_code != 429


def test_a_network_of_ipv6_is_one_client(limited: Api) -> None:
    begin_a_minute(limited)
    path = "/open_api/site_login"
    for number in range(3):
        assert call_from(limited, f"2001:db8:1:2::{number}", path).status_code != 429
    assert call_from(limited, "2001:db8:1:2:ffff::1", path).status_code == 429
    assert call_from(limited, "2001:db8:1:3::1", path).status_code != 429


@pytest.mark.contract("guards: The site password is checked first")
def test_the_site_password_is_checked_before_the_rate_limit(limited: Api) -> None:
    begin_a_minute(limited)
    for _ in range(5):
        assert call_from(limited, "192.0.2.3", "/api/new_address", "wrong").status_code == 401
    assert call_from(limited, "192.0.2.3", "/api/new_address").status_code == 200


@pytest.mark.contract("guards: Address creation and logins are rate limited per client")
def test_other_paths_are_not_limited(limited: Api) -> None:
    made = call_from(limited, "192.0.2.4", "/api/new_address").json()
    headers = {
        "cf-connecting-ip": "192.0.2.4",
        "x-custom-auth": "site",
        "x-admin-auth": ADMIN_PASSWORD,
        "Authorization": f"Bearer {made['jwt']}",
    }
    for _ in range(5):
        assert limited.get("/api/settings", headers=headers).status_code == 200
        body = {"name": unique_name()}
        made = limited.post("/admin/new_address", body, headers=headers)
        assert made.status_code == 200


def test_without_the_binding_there_is_no_limit() -> None:
    with TestClient(DEPLOYMENT, rate_limit=None) as server:
        api = Api(server)
        for _ in range(5):
            api.new_sender()


# Turnstile


@pytest.fixture(scope="module")
def turnstile() -> Iterator[Turnstile]:
    with Turnstile() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(turnstile: Turnstile) -> Iterator[Api]:
    """A deployment that verifies clients with Turnstile."""
    variables = {**DEPLOYMENT, **turnstile.variables}
    with TestClient(variables) as running:
        yield Api(running)


@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
@pytest.mark.parametrize("token", [None, "", "bad", "x" * 2049])
def test_a_request_without_a_solved_challenge_is_rejected(guarded: Api, token: str | None) -> None:
    for path, body in (("/api/new_address", {}), ("/api/address_login", LOGIN)):
        response = guarded.post(path, {**body, "cf_token": token})
        check_problem(response, 400, "human_verification_failed", VERIFICATION_SENTENCE)


def test_without_a_token_turnstile_is_not_called(guarded: Api, turnstile: Turnstile) -> None:
    before = len(turnstile.asked)
    guarded.post("/api/new_address", {})
    guarded.post("/api/new_address", {"cf_token": "x" * 2049})
    assert len(turnstile.asked) == before


@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
@pytest.mark.parametrize("token", ["garbled", "broken"])
def test_a_failed_verification_call_rejects_the_request(guarded: Api, token: str) -> None:
    addresses = "SELECT count(*) AS made FROM addresses"
    before = guarded.server.sql(addresses)
    response = guarded.post("/api/new_address", {"cf_token": token})
    detail = "The human verification service does not respond, please try again later"
    check_problem(response, 503, "human_verification_unavailable", detail)
    assert guarded.server.sql(addresses) == before


def test_administrators_need_no_challenge(guarded: Api) -> None:
    response = guarded.admin("POST", "/admin/new_address", json={"name": unique_name()})
    assert response.status_code == 200


def test_one_key_alone_leaves_turnstile_off_and_is_logged() -> None:
    variables = {**DEPLOYMENT, "CF_TURNSTILE_SITE_KEY": "site-key"}
    with TestClient(variables) as server:
        Api(server).new_sender()
        assert "Turnstile is off" in str(server.log_lines())


# MAX_ADDRESSES_PER_CLIENT_PER_DAY


@pytest.mark.contract(
    "POST /api/new_address: Limits the addresses that a client can create per day"
)
def test_a_client_creates_exactly_the_daily_maximum_of_addresses() -> None:
    with TestClient({**DEPLOYMENT, "MAX_ADDRESSES_PER_CLIENT_PER_DAY": "5"}) as server:
        api = Api(server)

        def create(ip: str) -> Any:
            body = {"name": unique_name()}
            return api.post("/api/new_address", body, headers={"cf-connecting-ip": ip})

        headers = {"cf-connecting-ip": "192.0.2.1"}
        responses = server.request_all(
            ("POST", "/api/new_address", {"json": {"name": unique_name()}, "headers": headers})
            for _ in range(12)
        )
        assert Counter(response.status_code for response in responses) == {200: 5, 429: 7}
        assert server.sql("SELECT count(*) AS made FROM addresses") == [{"made": 5}]
        rejected = create("192.0.2.1")
        detail = "A client can create at most 5 addresses a day"
        check_problem(rejected, 429, "too_many_addresses", detail)
        assert 0 < int(rejected.headers["Retry-After"]) <= 86_400
        assert create("192.0.2.2").status_code == 200
        made = api.admin("POST", "/admin/new_address", json={"name": unique_name()})
        assert made.status_code == 200
