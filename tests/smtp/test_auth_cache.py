"""How long the relay caches logins and counts failures."""

import asyncio
import base64
import json
from collections.abc import Callable

import pytest

from smtp_relay.api import Api
from smtp_relay.api_response import ApiResponse
from smtp_relay.auth import Authenticator, LoginRejected
from smtp_relay.login_failures import MAX_FAILURES, LoginFailures

Clock = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A function that advances the clock by a number of seconds."""
    now = 1000.0

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.monotonic", lambda: now)
    return advance


class CountingApi(Api):
    """Accepts credentials while ``credential_is_good``, and counts the requests."""

    def __init__(self) -> None:
        self.asked = 0
        self.credential_is_good = True

    async def check_credential(self, credential: str) -> ApiResponse:
        self.asked += 1
        if self.credential_is_good:
            return ApiResponse(200, {"success": True})
        return ApiResponse(401, {"code": "invalid_credential", "detail": "No"})


def test_a_valid_login_is_cached_for_a_minute(wait: Clock) -> None:
    api = CountingApi()
    authenticator = Authenticator(api)
    claims = base64.urlsafe_b64encode(json.dumps({"address": "a@example.com"}).encode()).decode()
    credential = f"head.{claims}.signature"

    def log_in() -> str:
        return asyncio.run(authenticator.check("jwt", credential)).address

    assert log_in() == "a@example.com"
    api.credential_is_good = False
    wait(59)
    assert log_in() == "a@example.com"
    assert api.asked == 1
    wait(1)
    with pytest.raises(LoginRejected, match="No"):
        log_in()


def test_failures_are_forgotten_after_five_minutes(wait: Clock) -> None:
    failures = LoginFailures()
    for _ in range(MAX_FAILURES):
        assert not failures.is_over("192.0.2.1")
        failures.add("192.0.2.1")
    assert failures.is_over("192.0.2.1")
    assert not failures.is_over("192.0.2.2")
    wait(299)
    assert failures.is_over("192.0.2.1")
    wait(1)
    assert not failures.is_over("192.0.2.1")


def test_a_network_of_ipv6_is_one_client(wait: Clock) -> None:
    failures = LoginFailures()
    for number in range(MAX_FAILURES):
        failures.add(f"2001:db8::{number}")
    assert failures.is_over("2001:db8::ffff")
    assert not failures.is_over("2001:db8:0:1::1")
