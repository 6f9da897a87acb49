"""The header and the encoding of a message, from SMTP to the provider."""

import email.policy
import smtplib
from email.message import EmailMessage

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.mails import left
from tests.smtp.relay import RelayProcess

SENT = {
    "In-Reply-To": "<2@test.example>",
    "References": "<1@test.example> <2@test.example>",
    "List-Id": "<news.test.example>",
    "List-Unsubscribe": "<https://test.example/unsubscribe>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "X-Campaign": "spring",
}
REPLACED = {
    "Date": "Thu, 1 Jan 1970 00:00:00 +0000",
    "Received": "by mail.test.example; Thu, 1 Jan 1970 00:00:00 +0000",
    "DKIM-Signature": "v=1; d=test.example",
    "Return-Path": "<bounces@test.example>",
}


def test_header_fields_are_sent_or_replaced(relay: RelayProcess, api: Api, sender: Sender) -> None:
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["To"] = "recipient@example.net, stranger@example.net"
    mail["Subject"] = "A subject"
    for name, value in {**SENT, **REPLACED}.items():
        mail[name] = value
    mail.set_content("A text\n")
    with relay.client(sender) as smtp:
        smtp.send_message(mail, sender.address, ["recipient@example.net"])
    (found,) = left(api, sender)
    assert found.form["headers"] == SENT
    # Addresses that the envelope does not contain receive nothing.
    assert found.form["to"] == ["recipient@example.net"]
    assert {"cc", "bcc"}.isdisjoint(found.form)


def test_utf8_without_any_encoding(relay: RelayProcess, api: Api, sender: Sender) -> None:
    mail = EmailMessage(policy=email.policy.SMTPUTF8.clone(cte_type="8bit"))
    mail["From"] = f"Zoë <{sender.address}>"
    mail["To"] = "Jürgen <recipient@bücher.example>"
    mail["Subject"] = "Grüße aus 北京"
    mail.set_content("你好\n", cte="8bit")
    assert "Grüße aus 北京".encode() in mail.as_bytes()
    with relay.client(sender) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("smtputf8")
        assert smtp.has_extn("8bitmime")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        recipient = "recipient@bücher.example"
        assert smtp.sendmail(sender.address, [recipient], mail.as_bytes(), options) == {}
    (found,) = left(api, sender)
    assert found.form["from"] == f'"Zoë" <{sender.address}>'
    assert found.form["to"] == ['"Jürgen" <recipient@xn--bcher-kva.example>']
    assert (found.form["subject"], found.text) == ("Grüße aus 北京", "你好\r\n")


def test_a_loop(relay: RelayProcess, api: Api, sender: Sender) -> None:
    received = b"Received: by mail.test.example\r\n"
    rejected = pytest.raises(smtplib.SMTPDataError, match=r"554, b'5\.4\.6 ")
    with relay.client(sender) as smtp, rejected:
        smtp.sendmail(sender.address, ["recipient@example.net"], received * 31 + b"\r\ntext")
    assert left(api, sender) == []
