"""How long logins and failures are remembered."""

import asyncio
import base64
import json
from collections.abc import Callable

import pytest

from smtp_relay.answers import Answer
from smtp_relay.api import Api
from smtp_relay.logins import MAX_FAILURES, Failures, LoginRefused, Logins

Clock = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Lets so many seconds pass."""
    now = 1000.0

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.monotonic", lambda: now)
    return advance


class CountingApi(Api):
    """Says yes until ``credential_is_good`` is no longer so, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.credential_is_good = True

    async def check_credential(self, credential: str) -> Answer:
        self.asked += 1
        if self.credential_is_good:
            return Answer(200, {"success": True})
        return Answer(401, {"code": "invalid_credential", "detail": "No"})


def test_a_good_login_is_remembered_for_a_minute(wait: Clock) -> None:
    api = CountingApi()
    remembered = Logins(api)
    claims = base64.urlsafe_b64encode(json.dumps({"address": "a@example.com"}).encode()).decode()
    credential = f"head.{claims}.signature"

    def log_in() -> str:
        return asyncio.run(remembered.check("jwt", credential)).address

    assert log_in() == "a@example.com"
    api.credential_is_good = False
    wait(59)
    assert log_in() == "a@example.com"
    assert api.asked == 1
    wait(1)
    with pytest.raises(LoginRefused, match="No"):
        log_in()


def test_failures_are_forgotten_after_five_minutes(wait: Clock) -> None:
    failures = Failures()
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
    failures = Failures()
    for number in range(MAX_FAILURES):
        failures.add(f"2001:db8::{number}")
    assert failures.is_over("2001:db8::ffff")
    assert not failures.is_over("2001:db8:0:1::1")
