"""How long the relay caches logins, and how it counts failures."""

import asyncio
import base64
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from smtp_relay.api import Api, ApiSilent, ApiUnavailable
from smtp_relay.api_response import ApiResponse
from smtp_relay.auth import Authenticator, Login, LoginRejected, account_name
from smtp_relay.auth_mechanisms import AuthMechanisms
from smtp_relay.login_failures import (
    LOGINS_AT_ONCE,
    LOGINS_WITHOUT_DELAY,
    MAX_FAILURES,
    MAX_FAILURES_OF_CLIENT,
    LoginFailures,
)
from smtp_relay.metrics import Metrics
from tests.smtp.relay import plain_word

Clock = Callable[[float], None]


def credential(claims: str) -> str:
    return f"head.{base64.urlsafe_b64encode(claims.encode()).decode()}.signature"


LOGIN = ("jwt", credential('{"address": "a@example.com"}'))


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
    """Accepts credentials while ``credential_is_good``, and counts the requests.

    If ``failure`` is set, the API can't check them.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.credential_is_good = True
        self.failure: ApiResponse | ApiSilent | ApiUnavailable | None = None

    async def check_credential(self, credential: str) -> ApiResponse:
        self.asked += 1
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure:
            return self.failure
        if self.credential_is_good:
            return ApiResponse(200, {"success": True})
        return ApiResponse(401, {"code": "invalid_credential", "detail": "No"})


def test_a_valid_login_is_cached_for_a_minute(wait: Clock) -> None:
    api = CountingApi()
    authenticator = Authenticator(api)

    def log_in() -> str:
        return asyncio.run(authenticator.check(*LOGIN)).address

    assert log_in() == "a@example.com"
    api.credential_is_good = False
    wait(59)
    assert log_in() == "a@example.com"
    assert api.asked == 1
    wait(1)
    with pytest.raises(LoginRejected, match="No"):
        log_in()


class SlowApi(CountingApi):
    """Lets other tasks run before each response."""

    async def check_credential(self, credential: str) -> ApiResponse:
        response = await super().check_credential(credential)
        await asyncio.sleep(0)
        return response


async def test_a_known_login_on_many_connections_is_checked_once(wait: Clock) -> None:
    api = SlowApi()
    authenticator = Authenticator(api)

    async def log_in_twenty_times() -> list[str]:
        logins = [authenticator.check(*LOGIN) for _ in range(20)]
        results = await asyncio.gather(*logins, return_exceptions=True)
        return [str(result) for result in results]

    login = await authenticator.check(*LOGIN)
    wait(60)
    assert await log_in_twenty_times() == [str(login)] * 20
    assert api.asked == 2
    wait(60)
    # A client that disconnects does not affect the others.
    first, second = (asyncio.create_task(authenticator.check(*LOGIN)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == login
    assert api.asked == 3
    wait(60)
    api.credential_is_good = False
    assert await log_in_twenty_times() == ["535 5.7.8 No"] * 20
    assert api.asked == 4


class PasswordApi(Api):
    """Accepts the password of each address, and returns another credential for each login."""

    def __init__(self) -> None:
        self.asked = 0

    async def address_login(self, address: str, password_sha256: str) -> ApiResponse:
        self.asked += 1
        return ApiResponse(200, {"jwt": f"credential {self.asked}", "address": address.lower()})


def test_an_ended_credential_ends_all_cached_logins_of_the_address(wait: Clock) -> None:
    api = PasswordApi()
    authenticator = Authenticator(api)

    def log_in(user: str) -> Login:
        return asyncio.run(authenticator.check(user, "password"))

    first = log_in("a@example.com")
    wait(60)
    second = log_in("A@example.com")
    assert log_in("A@example.com") == second != first
    log_in("b@example.com")
    # A session with the first credential sends a message. The cache has only later credentials.
    authenticator.forget(first)
    assert not authenticator.is_known("a@example.com", "password")
    assert log_in("A@example.com").credential == "credential 4"
    assert authenticator.is_known("b@example.com", "password")
    log_in("b@example.com")
    assert api.asked == 4


@pytest.mark.parametrize(
    "failure",
    [
        ApiResponse(429, {"code": "client_rate_exceeded", "detail": "Slow"}),
        ApiResponse(503, {"code": "database_unavailable", "detail": "Later"}),
        ApiResponse(500),
        ApiSilent(),
        ApiUnavailable(),
    ],
)
def test_a_known_login_succeeds_while_the_api_can_not_check_it(
    wait: Clock, failure: ApiResponse | ApiSilent | ApiUnavailable
) -> None:
    api = CountingApi()
    authenticator = Authenticator(api)
    login = asyncio.run(authenticator.check(*LOGIN))
    api.failure = failure
    wait(60)
    assert asyncio.run(authenticator.check(*LOGIN)) == login
    assert api.asked == 2
    with pytest.raises(LoginRejected) as raised:
        asyncio.run(authenticator.check("jwt", credential('{"address": "b@example.com"}')))
    assert not raised.value.is_failure
    # The day counts from the last check, and ends earlier if the API rejects the login.
    wait(86_340)
    with pytest.raises(LoginRejected):
        asyncio.run(authenticator.check(*LOGIN))


def test_a_rejected_login_does_not_succeed_while_the_api_can_not_check_it(wait: Clock) -> None:
    api = CountingApi()
    authenticator = Authenticator(api)
    asyncio.run(authenticator.check(*LOGIN))
    wait(60)
    api.credential_is_good = False
    with pytest.raises(LoginRejected, match="No"):
        asyncio.run(authenticator.check(*LOGIN))
    assert not authenticator.is_known(*LOGIN)  # it is a guess again
    api.failure = ApiResponse(429, {"code": "client_rate_exceeded", "detail": "Slow"})
    with pytest.raises(LoginRejected, match="Slow"):
        asyncio.run(authenticator.check(*LOGIN))


def test_a_login_that_is_forgotten_during_its_check_does_not_succeed(wait: Clock) -> None:
    class ForgettingApi(CountingApi):
        async def check_credential(self, credential: str) -> ApiResponse:
            if self.failure:
                authenticator.forget(login)
            return await super().check_credential(credential)

    api = ForgettingApi()
    authenticator = Authenticator(api)
    login = asyncio.run(authenticator.check(*LOGIN))
    wait(60)
    api.failure = ApiResponse(503)
    with pytest.raises(LoginRejected):
        asyncio.run(authenticator.check(*LOGIN))


def test_failures_are_forgotten_after_five_minutes(wait: Clock) -> None:
    failures = LoginFailures()
    for _ in range(MAX_FAILURES):
        assert not failures.is_over("192.0.2.1", "a@example.com")
        failures.add("192.0.2.1", "a@example.com")
    assert failures.is_over("192.0.2.1", "a@example.com")
    wait(299)
    assert failures.is_over("192.0.2.1", "a@example.com")
    wait(1)
    assert not failures.is_over("192.0.2.1", "a@example.com")


def test_failures_are_counted_per_client_and_account() -> None:
    failures = LoginFailures()
    for _ in range(MAX_FAILURES + 1):
        failures.add("192.0.2.1", "a@example.com")
    assert failures.is_over("192.0.2.1", "a@example.com")
    assert not failures.is_over("192.0.2.1", "b@example.com")
    assert not failures.is_over("192.0.2.2", "a@example.com")
    assert failures.delay("192.0.2.1", "a@example.com") == 0
    failures.clear("192.0.2.1", "a@example.com")
    assert not failures.is_over("192.0.2.1", "a@example.com")


def test_failures_of_a_client_are_counted_over_all_accounts(wait: Clock) -> None:
    failures = LoginFailures()
    for number in range(MAX_FAILURES_OF_CLIENT):
        assert not failures.is_over("192.0.2.1", "a@example.com")
        for client in ("192.0.2.1", "127.0.0.1"):
            failures.add(client, f"{number}@example.com")
    failures.clear("192.0.2.1", "0@example.com")
    assert failures.is_over("192.0.2.1", "a@example.com")
    assert not failures.is_over("192.0.2.2", "a@example.com")
    assert not failures.is_over("127.0.0.1", "a@example.com")
    wait(300)
    assert not failures.is_over("192.0.2.1", "a@example.com")


async def test_the_guesses_of_a_client_take_turns() -> None:
    failures = LoginFailures()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(LOGINS_AT_ONCE):
            await stack.enter_async_context(failures.turn("2001:db8::1"))
        assert failures.turn("2001:db8::2").locked()
        assert not failures.turn("192.0.2.1").locked()
    assert not failures.turn("2001:db8::1").locked()


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_client_on_the_same_machine_only_waits_longer(client: str) -> None:
    failures = LoginFailures()
    delays = []
    for _ in range(12):
        delays.append(failures.delay(client, "a@example.com"))
        failures.add(client, "a@example.com")
    assert delays == [0, 0, 0, 0.5, 1, 2, 4, 8, 10, 10, 10, 10]
    assert not failures.is_over(client, "a@example.com")
    assert failures.delay(client, "b@example.com") == 0


@dataclass
class Connection:
    """What a login uses of a session."""

    failures: LoginFailures
    client: str
    id: str = "1"

    def say_goodbye(self, reply: str) -> None:
        """Do nothing."""


async def test_many_guesses_at_once_on_the_same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for each other's failures."""
    waited: Counter[object] = Counter()
    pause = asyncio.sleep

    async def wait(seconds: float) -> None:
        waited[asyncio.current_task()] += round(10 * seconds)
        await pause(0)

    monkeypatch.setattr("asyncio.sleep", wait)
    api = SlowApi()
    api.credential_is_good = False
    log_in = AuthMechanisms(Authenticator(api), Metrics()).auth_PLAIN
    server: Any = Connection(LoginFailures(), "127.0.0.1")
    words = [plain_word("jwt", f"guess {number}") for number in range(40)]
    guesses = [asyncio.create_task(log_in(server, ["PLAIN", word])) for word in words]
    await asyncio.gather(*guesses)
    assert api.asked == 40
    without_delay = [guess for guess in guesses if waited[guess] == 0]
    assert len(without_delay) < LOGINS_WITHOUT_DELAY + LOGINS_AT_ONCE
    assert max(waited.values()) == 100


async def test_a_known_login_that_ends_on_many_connections_is_not_a_guess(wait: Clock) -> None:
    api = SlowApi()
    log_in = AuthMechanisms(Authenticator(api), Metrics()).auth_PLAIN
    server: Any = Connection(LoginFailures(), "192.0.2.1")
    words = ["PLAIN", plain_word(*LOGIN)]
    assert (await log_in(server, words)).success
    wait(60)
    api.credential_is_good = False
    results = await asyncio.gather(*(log_in(server, words) for _ in range(MAX_FAILURES_OF_CLIENT)))
    assert {result.message for result in results} == {"535 5.7.8 No"}
    # The owner logs in with the next credential of the same account.
    api.credential_is_good = True
    following = plain_word("jwt", credential('{"address": "a@example.com", "version": 2}'))
    assert (await log_in(server, ["PLAIN", following])).success


def test_the_account_of_a_login() -> None:
    of_a = credential('{"address": "A@Example.com"}')
    assert account_name("jwt", of_a) == "a@example.com"
    assert account_name("JWT", "no credential") == "jwt"
    assert account_name("A@Example.COM", "a password") == "a@example.com"
    # The user name decides, even if the credential is forged and names another account.
    assert account_name("b@example.com", of_a) == "b@example.com"


def test_hostile_names_are_counted() -> None:
    failures = LoginFailures()
    surrogates = credential('{"address": "\\ud800@\\udfff"}')
    for name in ("", "\0", "x" * 100_000, account_name("jwt", surrogates)):
        failures.add("192.0.2.1", name)
        assert not failures.is_over("192.0.2.1", name)


def test_a_login_is_known_for_a_day(wait: Clock) -> None:
    api = CountingApi()
    authenticator = Authenticator(api)
    assert not authenticator.is_known(*LOGIN)
    asyncio.run(authenticator.check(*LOGIN))
    wait(86_399)
    assert authenticator.is_known(*LOGIN)
    assert not authenticator.is_known("jwt", LOGIN[1] + "x")
    wait(1)
    assert not authenticator.is_known(*LOGIN)


def test_a_network_of_ipv6_is_one_client(wait: Clock) -> None:
    failures = LoginFailures()
    for number in range(MAX_FAILURES):
        failures.add(f"2001:db8::{number}", "jwt")
    assert failures.is_over("2001:db8::ffff", "jwt")
    assert not failures.is_over("2001:db8:0:1::1", "jwt")
