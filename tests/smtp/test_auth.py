"""Authentication."""

import base64
import smtplib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smtp_relay.login_failures import LOGINS_AT_ONCE, MAX_FAILURES_OF_CLIENT
from tests.e2e.api import Api, Sender, done
from tests.smtp.api_stand_in import StandIn
from tests.smtp.mails import short_mail
from tests.smtp.passwords import digest_of
from tests.smtp.relay import HOST, RelayProcess, plain_word
from tools.local_server import LocalServer

GOOD = "235 2.7.0 Authentication successful"
LOCKED_OUT = "421 4.7.0 Too many failed logins: try again in a few minutes"
FAR = "127.0.0.9"
INVALID = "535 5.7.8 Invalid address credential"


@pytest.fixture
def own_relay(server: LocalServer, tmp_path: Path) -> Iterator[RelayProcess]:
    """A new relay, so it has counted no failed login."""
    with RelayProcess(server.url, tmp_path) as running:
        yield running


def reply_to_login(relay: RelayProcess, user: str, password: str, client: str | None = None) -> str:
    with relay.talk(client=client) as talk:
        talk.reply()
        talk.ask("EHLO test")
        return talk.ask(f"AUTH PLAIN {plain_word(user, password)}")


def test_a_login_is_required(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        for command in ("MAIL FROM:<a@example.com>", "RCPT TO:<a@example.com>", "DATA"):
            assert talk.ask(command) == "530 5.7.0 Authentication required"


@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize("is_address", [True, False])
def test_good_logins(relay: RelayProcess, sender: Sender, mechanism: str, is_address: bool) -> None:
    with smtplib.SMTP(HOST, relay.port) as smtp:
        smtp.ehlo()
        smtp.user = sender.address.upper() if is_address else "JWT"
        smtp.password = sender.jwt
        ask = {"plain": smtp.auth_plain, "login": smtp.auth_login}[mechanism]
        assert smtp.auth(mechanism, ask)[0] == 235
        assert smtp.docmd("AUTH", "PLAIN")[0] == 503


def test_the_user_name_must_match_the_credential(
    own_relay: RelayProcess, sender: Sender, api: Api
) -> None:
    other = api.new_sender()
    assert reply_to_login(own_relay, other.address, sender.jwt).startswith("535 5.7.8 ")
    assert reply_to_login(own_relay, "root", sender.jwt).startswith("535 5.7.8 ")


def test_acting_on_behalf_of_another_user_is_rejected(
    own_relay: RelayProcess, sender: Sender
) -> None:
    with own_relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        word = plain_word("jwt", sender.jwt, on_behalf_of="somebody")
        assert talk.ask(f"AUTH PLAIN {word}").startswith("535 5.7.8 ")
        assert talk.ask(f"AUTH PLAIN {plain_word('jwt', sender.jwt, 'jwt')}") == GOOD


@pytest.mark.parametrize("user", ["jwt", "JWT", "the address"])
def test_acting_on_behalf_of_the_own_address(
    relay: RelayProcess, sender: Sender, user: str
) -> None:
    user = sender.address if user == "the address" else user
    for on_behalf_of in (sender.address, sender.address.upper()):
        with relay.talk() as talk:
            talk.reply()
            talk.ask("EHLO test")
            word = plain_word(user, sender.jwt, on_behalf_of)
            assert talk.ask(f"AUTH PLAIN {word}") == GOOD


def test_acting_on_behalf_of_the_own_address_with_a_password(
    relay: RelayProcess, with_password: tuple[Sender, str], sender: Sender
) -> None:
    owner, password = with_password
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        for other in (sender.address, "jwt"):
            word = plain_word(owner.address, password, other)
            assert talk.ask(f"AUTH PLAIN {word}").startswith("535 5.7.8 Acting on behalf ")
        word = plain_word(owner.address, password, owner.address)
        assert talk.ask(f"AUTH PLAIN {word}") == GOOD


def test_a_wrong_credential_on_behalf_of_its_address(own_relay: RelayProcess) -> None:
    claims = base64.urlsafe_b64encode(b'{"address": "a@example.com"}').decode().rstrip("=")
    word = plain_word("jwt", f"e30.{claims}.x", "a@example.com")
    with own_relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        assert talk.ask(f"AUTH PLAIN {word}").startswith("535 5.7.8 Invalid address credential")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("AUTH", "501"),
        ("AUTH \u2003", "501"),
        ("AUTH PLAIN !", "501"),
        ("AUTH PLAIN AAA= x", "501"),
        ("AUTH PLAIN " + "AGEK", "501"),
        ("AUTH CRAM-MD5", "504"),
        ("AUTH PLAIN /wD/AP8=", "535"),
        ("AUTH PLAIN " + "A" * 12_288, "500"),
    ],
)
def test_invalid_auth_commands(relay: RelayProcess, command: str, code: str) -> None:
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        assert talk.ask(command)[:3] == code
        assert talk.ask("NOOP") == "250 2.0.0 OK"


def test_a_client_may_abort_its_login(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        assert talk.ask("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert talk.ask("*").startswith("501 5.7.0 ")
        assert talk.ask("AUTH PLAIN").startswith("334")
        assert talk.ask("A" * 20_000) == "500 5.5.6 The response is too long"
        assert talk.ask("AUTH PLAIN").startswith("334")
        talk.send(b"x" * 100_000 + b"\r\n")
        assert talk.reply() == "421 4.5.6 The response is too long"
        assert talk.reply() == ""


@pytest.fixture
def far_relay(server: LocalServer, tmp_path: Path) -> Iterator[RelayProcess]:
    """A new relay that takes clients at the address ``FAR`` for clients on another machine."""
    with RelayProcess(server.url, tmp_path, far=FAR) as running:
        yield running


def test_ten_failures(far_relay: RelayProcess, api: Api) -> None:
    known, locked_out, other = (api.new_sender() for _ in range(3))
    assert reply_to_login(far_relay, "jwt", known.jwt, FAR) == GOOD

    def guess_ten_times(sender: Sender) -> None:
        for guess in range(10):
            reply = reply_to_login(far_relay, sender.address, f"guess {guess}", FAR)
            assert reply == "535 5.7.8 Invalid email or password"

    guess_ten_times(locked_out)
    # This client is locked out of the account, with every form of the user name.
    for user in ("jwt", locked_out.address, locked_out.address.upper()):
        assert reply_to_login(far_relay, user, locked_out.jwt, FAR) == LOCKED_OUT
    # Not locked out: another client, another account, and a login that was valid before.
    assert reply_to_login(far_relay, "jwt", locked_out.jwt) == GOOD
    assert reply_to_login(far_relay, "jwt", other.jwt, FAR) == GOOD
    guess_ten_times(known)
    assert far_relay.metric('logins_total{result="bad"}') == 20
    assert reply_to_login(far_relay, "jwt", known.jwt, FAR) == GOOD
    assert reply_to_login(far_relay, known.address, known.jwt, FAR) == LOCKED_OUT


def test_many_failures_at_once(far_relay: RelayProcess, sender: Sender) -> None:
    guesses = [f"guess {number}" for number in range(39)] + [sender.jwt]

    def guess(password: str) -> str:
        return reply_to_login(far_relay, sender.address, password, FAR)

    with ThreadPoolExecutor(len(guesses)) as pool:
        replies = list(pool.map(guess, guesses))
    assert sum(reply.startswith("535 ") for reply in replies) <= 10
    assert {reply[:9] for reply in replies} <= {"535 5.7.8", "235 2.7.0", "421 4.7.0", "454 4.7.0"}


def test_guesses_under_many_names(far_relay: RelayProcess, api: Api) -> None:
    known, other = api.new_sender(), api.new_sender()
    assert reply_to_login(far_relay, "jwt", known.jwt, FAR) == GOOD

    def guess(number: int) -> str:
        return reply_to_login(far_relay, f"{number}@example.com", "guess", FAR)

    with ThreadPoolExecutor(60) as pool:
        replies = list(pool.map(guess, range(60)))
    assert sum(reply.startswith("535 ") for reply in replies) <= MAX_FAILURES_OF_CLIENT
    # The API has not checked the other guesses.
    checked = far_relay.metric("api_request_seconds_count")
    assert checked <= MAX_FAILURES_OF_CLIENT + LOGINS_AT_ONCE + 2
    assert reply_to_login(far_relay, "jwt", other.jwt, FAR) == LOCKED_OUT
    assert reply_to_login(far_relay, "jwt", other.jwt) == GOOD
    assert reply_to_login(far_relay, "jwt", known.jwt, FAR) == GOOD


def test_failures_on_the_same_machine_only_delay_logins(
    own_relay: RelayProcess, sender: Sender
) -> None:
    for guess in range(5):
        assert reply_to_login(own_relay, "jwt", f"guess {guess}") == INVALID
    began = time.monotonic()
    assert reply_to_login(own_relay, "jwt", "guess") == INVALID
    delayed = time.monotonic() - began
    assert delayed >= 2
    began = time.monotonic()
    assert reply_to_login(own_relay, "jwt", sender.jwt) == GOOD
    assert time.monotonic() - began < delayed


def test_the_log_contains_no_password(own_relay: RelayProcess, sender: Sender) -> None:
    assert reply_to_login(own_relay, "jwt", sender.jwt) == GOOD
    reply_to_login(own_relay, "jwt", "a bad password")
    log = own_relay.log.read_text()
    assert sender.address in log
    for secret in (sender.jwt, "a bad password", plain_word("jwt", sender.jwt)):
        assert secret not in log


# With the address's password


def test_a_login_by_password(
    own_relay: RelayProcess, api: Api, with_password: tuple[Sender, str]
) -> None:
    sender, password = with_password
    with smtplib.SMTP(HOST, own_relay.port) as smtp:
        smtp.login(sender.address.upper(), password)
        smtp.sendmail(sender.address, ["recipient@example.net"], short_mail())
    assert len(api.sent_by(sender)) == 1
    wrong = "535 5.7.8 Invalid email or password"
    assert reply_to_login(own_relay, sender.address, password + "x") == wrong
    assert reply_to_login(own_relay, "nobody@example.com", password) == wrong
    assert reply_to_login(own_relay, "jwt", password) == INVALID
    change = {"current_password": digest_of(password), "new_password": digest_of("pässword")}
    done(api.post("/api/address_change_password", change, headers=sender.headers))
    assert reply_to_login(own_relay, sender.address, "pässword") == GOOD


# With a stand-in for the API: the requests it receives, and the responses it could send


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, RelayProcess]]:
    """A stand-in for the API, and a relay that uses it."""
    with StandIn() as api, RelayProcess(api.url, tmp_path_factory.mktemp("relay")) as relay:
        yield api, relay


def test_a_valid_login_is_cached(sender: Sender, tmp_path: Path) -> None:
    with (
        StandIn() as api,
        RelayProcess(api.url, tmp_path, settings={"SITE_PASSWORD": "open"}) as relay,
    ):
        api.responses["/open_api/credential_login"] = (200, {"success": True})
        for _ in range(3):
            assert reply_to_login(relay, "jwt", sender.jwt) == GOOD
        assert [call.path for call in api.calls].count("/open_api/credential_login") == 1
        asked = next(call for call in api.calls if call.path == "/open_api/credential_login")
        assert asked.body == {"credential": sender.jwt}
        assert asked.headers["x-custom-auth"] == "open"


@pytest.mark.parametrize(
    ("status", "body", "reply"),
    [
        (401, {"code": "invalid_login", "detail": "No"}, "535 5.7.8 No"),
        (403, {"code": "password_login_disabled", "detail": "Off"}, "535 5.7.8 Off"),
        (401, {"code": "site_password_required", "detail": "Site"}, "454 4.7.0 "),
        (408, {"code": "body_too_slow", "detail": "Slow"}, "454 4.7.0 "),
        (429, {"code": "rate_limit_exceeded", "detail": "Slow"}, "454 4.7.0 "),
        (503, {"code": "database_unavailable", "detail": "Later"}, "454 4.7.0 "),
        (500, {}, "454 4.7.0 "),
        (404, {}, "454 4.7.0 "),
        (200, {}, "454 4.7.0 "),
        (200, [], "454 4.7.0 "),
    ],
)
def test_other_responses_of_the_api(
    misled: tuple[StandIn, RelayProcess], status: int, body: Any, reply: str
) -> None:
    api, relay = misled
    api.responses["/api/address_login"] = (status, body)
    assert reply_to_login(relay, "me@example.com", "password").startswith(reply)
