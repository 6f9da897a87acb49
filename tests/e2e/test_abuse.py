"""What keeps strangers from making addresses and guessing passwords without end."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, check_problem, unique_name
from tests.e2e.turnstile import SECRET_KEY, Turnstile
from tools.local_server import LocalServer

VERIFICATION_SENTENCE = "Human verification check failed"
LOGIN = {"email": "nobody@example.com", "password": "0" * 64}
LIMITED = ["/api/new_address", "/api/address_login", "/open_api/credential_login"]
LIMITED += ["/open_api/site_login", "/open_api/admin_login"]


# The limit of the binding RATE_LIMITER


@pytest.fixture(scope="module")
def limited() -> Iterator[Api]:
    """A client may call each path three times a minute."""

    def edit(config: dict[str, Any]) -> None:
        config["ratelimits"][0]["simple"] = {"limit": 3, "period": 60}

    variables = {**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true", "PASSWORDS": "site"}
    with LocalServer(variables=variables, edit=edit) as running:
        yield Api(running)


def call_from(api: Api, ip: str, path: str, password: str = "site") -> Any:
    headers = {"cf-connecting-ip": ip, "x-custom-auth": password}
    return api.call("POST", path, json={}, headers=headers)


def wait_for_room_in_this_minute(seconds: float = 20) -> None:
    """The local limiter counts by minutes of the clock; wait for the next where this one ends."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.1)


@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
@pytest.mark.contract("guards: Address creation and logins are rate limited per client")
@pytest.mark.parametrize("path", LIMITED)
def test_each_path_is_limited_for_each_client(limited: Api, path: str) -> None:
    wait_for_room_in_this_minute()
    for _ in range(3):
        assert call_from(limited, "192.0.2.1", path).status_code != 429
    answer = call_from(limited, "192.0.2.1", path)
    check_problem(answer, 429, "client_rate_exceeded", f"Rate limit exceeded for {path}")
    assert answer.headers["Retry-After"] == "60"
    assert call_from(limited, "192.0.2.2", path).status_code != 429


def test_a_network_of_ipv6_is_one_client(limited: Api) -> None:
    wait_for_room_in_this_minute()
    path = "/open_api/site_login"
    for number in range(3):
        assert call_from(limited, f"2001:db8:1:2::{number}", path).status_code != 429
    assert call_from(limited, "2001:db8:1:2:ffff::1", path).status_code == 429
    assert call_from(limited, "2001:db8:1:3::1", path).status_code != 429


@pytest.mark.contract("guards: The site password is checked first")
def test_the_site_password_is_asked_for_before(limited: Api) -> None:
    wait_for_room_in_this_minute()
    for _ in range(5):
        assert call_from(limited, "192.0.2.3", "/api/new_address", "wrong").status_code == 401
    assert call_from(limited, "192.0.2.3", "/api/new_address").status_code == 200


@pytest.mark.contract("guards: Address creation and logins are rate limited per client")
def test_nothing_else_is_limited(limited: Api) -> None:
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
    def edit(config: dict[str, Any]) -> None:
        del config["ratelimits"]

    with LocalServer(variables=DEPLOYMENT, edit=edit) as server:
        api = Api(server)
        for _ in range(5):
            api.new_sender()


def test_local_limits_let_tests_pass(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: api.post("/api/new_address", {}).status_code, range(150))
    assert Counter(answers) == {200: 150}


# Turnstile


@pytest.fixture(scope="module")
def turnstile() -> Iterator[Turnstile]:
    with Turnstile() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(turnstile: Turnstile) -> Iterator[Api]:
    """A deployment whose strangers solve a challenge."""
    variables = {
        **DEPLOYMENT,
        "ENABLE_ADDRESS_PASSWORD": "true",
        "CF_TURNSTILE_SITE_KEY": "site-key",
        "CF_TURNSTILE_SECRET_KEY": SECRET_KEY,
        "CF_TURNSTILE_VERIFY_URL": turnstile.url,
    }
    with LocalServer(variables=variables) as running:
        yield Api(running)


@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
def test_a_solved_challenge_lets_pass(guarded: Api, turnstile: Turnstile) -> None:
    body = {"name": unique_name(), "cf_token": "good"}
    headers = {"cf-connecting-ip": "192.0.2.1"}
    assert guarded.post("/api/new_address", body, headers=headers).status_code == 200
    form = {"secret": SECRET_KEY, "response": "good", "remoteip": "192.0.2.1"}
    assert turnstile.asked[-1] == form
    assert guarded.get("/open_api/settings").json()["cfTurnstileSiteKey"] == "site-key"


@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
@pytest.mark.parametrize("token", [None, "", "bad", "x" * 2049, "a&secret=b&response=good", "坏"])
def test_whoever_solves_none_is_refused(guarded: Api, token: str | None) -> None:
    for path, body in (("/api/new_address", {}), ("/api/address_login", LOGIN)):
        answer = guarded.post(path, {**body, "cf_token": token})
        check_problem(answer, 400, "human_verification_failed", VERIFICATION_SENTENCE)


def test_without_a_token_nobody_is_asked(guarded: Api, turnstile: Turnstile) -> None:
    before = len(turnstile.asked)
    guarded.post("/api/new_address", {})
    guarded.post("/api/new_address", {"cf_token": "x" * 2049})
    assert len(turnstile.asked) == before


@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
@pytest.mark.parametrize("token", ["slow", "garbled", "broken"])
def test_a_verification_without_an_answer_is_a_refusal(guarded: Api, token: str) -> None:
    started = time.monotonic()
    answer = guarded.post("/api/new_address", {"cf_token": token})
    detail = "The human verification does not answer, please try again later"
    check_problem(answer, 503, "human_verification_unavailable", detail)
    assert time.monotonic() - started < 7
    assert guarded.server.sql("SELECT 1 FROM addresses WHERE name = 'slow@example.com'") == []


def test_a_verification_that_is_not_there_is_a_refusal() -> None:
    variables = {
        **DEPLOYMENT,
        "CF_TURNSTILE_SITE_KEY": "site-key",
        "CF_TURNSTILE_SECRET_KEY": SECRET_KEY,
        "CF_TURNSTILE_VERIFY_URL": "http://127.0.0.1:9/",
    }
    with LocalServer(variables=variables) as server:
        answer = Api(server).post("/api/new_address", {"cf_token": "good"})
        detail = "The human verification does not answer, please try again later"
        check_problem(answer, 503, "human_verification_unavailable", detail)
        lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
        assert '"event":"turnstile_error"' in "".join(lines)
        assert SECRET_KEY not in "".join(lines)


def test_administrators_solve_nothing(guarded: Api) -> None:
    answer = guarded.admin("POST", "/admin/new_address", json={"name": unique_name()})
    assert answer.status_code == 200


def test_one_key_alone_verifies_nobody_and_the_log_says_so() -> None:
    variables = {**DEPLOYMENT, "CF_TURNSTILE_SITE_KEY": "site-key"}
    with LocalServer(variables=variables) as server:
        Api(server).new_sender()
        assert "Turnstile is off" in server.log.read_text()


# MAX_ADDRESSES_PER_CLIENT_PER_DAY


@pytest.mark.contract(
    "POST /api/new_address: Limits the addresses that a client can create per day"
)
def test_a_client_makes_exactly_so_many_addresses_a_day() -> None:
    with LocalServer(variables={**DEPLOYMENT, "MAX_ADDRESSES_PER_CLIENT_PER_DAY": "5"}) as server:
        api = Api(server)

        def create(ip: str) -> Any:
            body = {"name": unique_name()}
            return api.post("/api/new_address", body, headers={"cf-connecting-ip": ip})

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: create("192.0.2.1"), range(12)))
        assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 7}
        assert server.sql("SELECT count(*) AS made FROM addresses") == [{"made": 5}]
        refused = create("192.0.2.1")
        detail = "A client can create at most 5 addresses a day"
        check_problem(refused, 429, "too_many_addresses", detail)
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400
        assert create("192.0.2.2").status_code == 200
        made = api.admin("POST", "/admin/new_address", json={"name": unique_name()})
        assert made.status_code == 200
