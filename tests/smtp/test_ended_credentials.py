"""Sessions whose credential ends, because it is rotated or its address is deleted."""

import smtplib
from collections.abc import Callable

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.mails import short_mail
from tests.smtp.relay import RelayProcess, Talk, plain_word

ENDED = "535 5.7.8 Invalid address credential"
LOGIN_ENDED = "421 4.7.0 The login has expired: connect and log in again"
MAIL = b"To: recipient@example.net\r\nSubject: A subject\r\n\r\ntext\r\n.\r\n"


def rotate(api: Api, sender: Sender) -> Sender:
    rotated = api.post("/api/rotate_credential", headers=sender.headers)
    assert rotated.status_code == 200
    return Sender(sender.address, sender.address_id, rotated.json()["jwt"])


def delete(api: Api, sender: Sender) -> None:
    deleted = api.admin("DELETE", f"/admin/delete_address/{sender.address_id}")
    assert deleted.status_code == 200


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
