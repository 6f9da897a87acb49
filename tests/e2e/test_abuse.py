"""Limits for clients through the real bindings: RATE_LIMITER, and the fetch of Turnstile."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.api import DEPLOYMENT, Api, check_problem, unique_name
from tests.e2e.turnstile import SECRET_KEY, Turnstile
from tools.local_server import LocalServer


@pytest.mark.slow
def test_the_local_rate_limit_allows_150_requests(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = pool.map(lambda _: api.post("/api/new_address", {}).status_code, range(150))
    assert Counter(responses) == {200: 150}


@pytest.fixture(scope="module")
def turnstile() -> Iterator[Turnstile]:
    with Turnstile() as running:
        yield running


@pytest.fixture(scope="module")
def verifying(turnstile: Turnstile) -> Iterator[Api]:
    """A deployment that verifies clients with Turnstile, and limits them to 3 calls a minute."""

    def edit(config: dict[str, Any]) -> None:
        config["ratelimits"][0]["simple"] = {"limit": 3, "period": 60}

    with LocalServer(variables={**DEPLOYMENT, **turnstile.variables}, edit=edit) as running:
        yield Api(running)


@pytest.mark.slow
@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
@pytest.mark.contract("guards: Address creation and logins are rate limited per client")
def test_requests_to_a_path_are_limited_per_client(verifying: Api) -> None:
    path = "/api/new_address"
    wait_for_room_in_this_minute()
    for _ in range(3):
        assert post_from(verifying, "192.0.2.1", path, {}).status_code == 400
    response = post_from(verifying, "192.0.2.1", path, {})
    check_problem(response, 429, "client_rate_exceeded", f"Rate limit exceeded for {path}")
    assert response.headers["Retry-After"] == "60"
    assert post_from(verifying, "192.0.2.2", path, {}).status_code == 400


def post_from(api: Api, ip: str, path: str, body: dict[str, str]) -> Any:
    return api.post(path, body, headers={"cf-connecting-ip": ip})


def wait_for_room_in_this_minute(seconds: float = 6) -> None:
    """Wait for the next minute if less than ``seconds`` of this one are left.

    The local limiter counts per minute of the clock.
    """
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.1)


@pytest.mark.slow
@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
def test_a_solved_challenge_is_accepted(verifying: Api, turnstile: Turnstile) -> None:
    body = {"name": unique_name(), "cf_token": "good"}
    assert post_from(verifying, "192.0.2.3", "/api/new_address", body).status_code == 200
    form = {"secret": SECRET_KEY, "response": "good", "remoteip": "192.0.2.3"}
    assert turnstile.asked[-1] == form
    assert verifying.get("/open_api/settings").json()["cfTurnstileSiteKey"] == "site-key"


@pytest.mark.slow
@pytest.mark.contract(
    "POST /api/new_address: Requires a solved Turnstile challenge if Turnstile is configured"
)
@pytest.mark.parametrize("token", ["a&secret=b&response=good", "坏"])
def test_a_token_with_special_characters_is_encoded(verifying: Api, token: str) -> None:
    login = {"email": "nobody@example.com", "password": "0" * 64}
    for path, body in (("/api/new_address", {}), ("/api/address_login", login)):
        response = post_from(verifying, "192.0.2.4", path, {**body, "cf_token": token})
        sentence = "Human verification check failed"
        check_problem(response, 400, "human_verification_failed", sentence)


@pytest.mark.slow
def test_a_slow_verification_rejects_the_request(verifying: Api) -> None:
    addresses = "SELECT count(*) AS made FROM addresses"
    before = verifying.server.sql(addresses)
    started = time.monotonic()
    response = post_from(verifying, "192.0.2.5", "/api/new_address", {"cf_token": "slow"})
    detail = "The human verification service does not respond, please try again later"
    check_problem(response, 503, "human_verification_unavailable", detail)
    assert time.monotonic() - started < 7
    assert verifying.server.sql(addresses) == before


@pytest.mark.slow
def test_an_unreachable_verification_rejects_the_request(
    verifying: Api, turnstile: Turnstile
) -> None:
    """The last test of this file: it ends the stand-in."""
    turnstile.close()
    response = post_from(verifying, "192.0.2.6", "/api/new_address", {"cf_token": "good"})
    detail = "The human verification service does not respond, please try again later"
    check_problem(response, 503, "human_verification_unavailable", detail)
    lines = verifying.server.log.read_text().splitlines()
    events = "".join(line for line in lines if line.startswith("{"))
    assert '"event":"turnstile_error"' in events
    assert SECRET_KEY not in events
