"""Sessions whose credential ends, because it is rotated or its address is deleted."""

import smtplib
from collections.abc import Callable

import pytest

from tests.e2e.api import Api, Sender, done
from tests.smtp.mails import short_mail
from tests.smtp.passwords import digest_of
from tests.smtp.relay import RelayProcess, Talk, plain_word

GOOD = "235 2.7.0 Authentication successful"
ENDED = "535 5.7.8 Invalid address credential"
WRONG = "535 5.7.8 Invalid email or password"
LOG_IN_AGAIN = "451 4.7.0 The login has expired: log in again and send the message again"
LOGIN_ENDED = "421 4.7.0 The login has expired: connect and log in again"
MAIL = b"To: recipient@example.net\r\nSubject: A subject\r\n\r\ntext\r\n.\r\n"


def rotate(api: Api, sender: Sender, proof: dict[str, str] | None = None) -> Sender:
    rotated = api.post("/api/rotate_credential", proof, headers=sender.headers)
    assert rotated.status_code == 200
    return Sender(sender.address, sender.address_id, rotated.json()["jwt"])


def delete(api: Api, sender: Sender) -> None:
    deleted = api.admin("DELETE", f"/admin/delete_address/{sender.address_id}")
    assert deleted.status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("end", [rotate, delete])
@pytest.mark.parametrize("when", ["before MAIL", "before DATA", "during the message"])
def test_a_session(
    talk: Talk, api: Api, sender: Sender, end: Callable[[Api, Sender], object], when: str
) -> None:
    """The message is rejected permanently, and the session ends: no later message can be sent."""
    if when == "before MAIL":
        end(api, sender)
    assert talk.ask("MAIL FROM:<me@example.com>") == "250 2.1.0 Ok"
    assert talk.ask("RCPT TO:<recipient@example.net>") == "250 2.1.5 Ok"
    if when == "before DATA":
        end(api, sender)
    assert talk.ask("DATA").startswith("354 ")
    talk.send(MAIL[:40])
    if when == "during the message":
        end(api, sender)
    talk.send(MAIL[40:])
    assert talk.reply() == ENDED
    assert talk.reply() == LOGIN_ENDED
    assert talk.reply() == ""


@pytest.mark.parametrize("end", [rotate, delete])
def test_a_new_session(
    relay: RelayProcess, api: Api, sender: Sender, end: Callable[[Api, Sender], object]
) -> None:
    """Once the API has rejected a cached login, the relay no longer accepts it."""
    with relay.client(sender) as smtp:
        end(api, sender)
        with pytest.raises(smtplib.SMTPDataError, match="Invalid address credential"):
            smtp.sendmail(sender.address, ["recipient@example.net"], short_mail())
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        assert talk.ask(f"AUTH PLAIN {plain_word('jwt', sender.jwt)}") == ENDED


def test_the_new_credential_sends_the_rejected_message(
    relay: RelayProcess, api: Api, sender: Sender
) -> None:
    """A retry of the same message with the new credential is sent once."""
    content = short_mail(message_id="<a@b.example>")
    with relay.client(sender) as smtp:
        smtp.sendmail(sender.address, ["first@example.net"], content)
        rotated = rotate(api, sender)
        with pytest.raises(smtplib.SMTPDataError):
            smtp.sendmail(sender.address, ["recipient@example.net"], content)
    for _ in range(2):
        with relay.client(rotated) as smtp:
            smtp.sendmail(rotated.address, ["recipient@example.net"], content)
    assert len(api.sent_by(rotated)) == 2


# Logins by password: the credential ends as well, but the client may be able to log in again.

Account = tuple[Sender, str]


def log_in(talk: Talk, sender: Sender, password: str) -> str:
    talk.reply()
    talk.ask("EHLO test")
    return talk.ask(f"AUTH PLAIN {plain_word(sender.address, password)}")


def send(talk: Talk) -> str:
    talk.begin_data()
    talk.send(MAIL)
    return talk.reply()


def set_password(api: Api, account: Account) -> str:
    """Replace the password, with the present one."""
    sender, password = account
    change = {"current_password": digest_of(password), "new_password": digest_of("a new one")}
    done(api.post("/api/address_change_password", change, headers=sender.headers))
    return "a new one"


def test_a_password_that_the_owner_has_set_ends_with_its_credential(
    relay: RelayProcess, api: Api, with_password: Account
) -> None:
    sender, _ = with_password
    password = set_password(api, with_password)
    with relay.talk() as first, relay.talk() as second:
        assert log_in(first, sender, password) == log_in(second, sender, password) == GOOD
        assert send(first).startswith("250 2.0.0 ")
        rotate(api, sender)
        for talk in (first, second):
            assert send(talk) == LOG_IN_AGAIN
            assert talk.reply() == LOGIN_ENDED
            assert talk.reply() == ""
    with relay.talk() as talk:
        assert log_in(talk, sender, password) == WRONG
    assert len(api.sent_by(sender)) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_a_password_that_stays(
    relay: RelayProcess, api: Api, with_password: Account, is_first: bool
) -> None:
    """A thief of the credential can't have set the first password. The owner proves a later one."""
    sender, password = with_password
    proof = None
    if not is_first:
        password = set_password(api, with_password)
        proof = {"current_password": digest_of(password)}
    with relay.talk() as talk:
        assert log_in(talk, sender, password) == GOOD
        rotate(api, sender, proof)
        assert send(talk) == LOG_IN_AGAIN
        assert talk.reply() == LOGIN_ENDED
    with relay.talk() as talk:
        assert log_in(talk, sender, password) == GOOD
        assert send(talk).startswith("250 2.0.0 ")
    assert len(api.sent_by(sender)) == 1


def test_a_password_ends_with_its_address(
    relay: RelayProcess, api: Api, with_password: Account
) -> None:
    sender, password = with_password
    with relay.talk() as talk:
        assert log_in(talk, sender, password) == GOOD
        delete(api, sender)
        assert send(talk) == LOG_IN_AGAIN
        assert talk.reply() == LOGIN_ENDED
    with relay.talk() as talk:
        assert log_in(talk, sender, password) == WRONG
    assert api.sent_by(sender) == []


def test_a_new_login_while_an_old_session_is_open(
    relay: RelayProcess, api: Api, sender: Sender
) -> None:
    """The end of an old session does not affect the credential that replaced its credential."""
    with relay.client(sender) as old:
        rotated = rotate(api, sender)
        with relay.client(rotated) as new:
            with pytest.raises(smtplib.SMTPDataError, match="Invalid address credential"):
                old.sendmail(sender.address, ["recipient@example.net"], short_mail())
            new.sendmail(sender.address, ["recipient@example.net"], short_mail())
        with relay.client(rotated) as new:
            new.sendmail(sender.address, ["recipient@example.net"], short_mail())
    assert len(api.sent_by(sender)) == 2
