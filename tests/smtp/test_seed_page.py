"""The example on the seed page, unchanged."""

import re

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.mails import left
from tests.smtp.relay import RelayProcess

EXAMPLE = """
import smtplib

from email.mime.text import MIMEText
from email.mime.multipart import MIMEMultipart


with smtplib.SMTP('localhost', 8025) as smtp:
    smtp.login("jwt", "Enter your JWT token password here")
    message = MIMEMultipart()
    message['From'] = "Me <me@example.com>"
    message['To'] = "Admin <admin@example.com>"
    message['Subject'] = "Test Subject"
    message.attach(MIMEText("Test Content", 'html'))
    smtp.sendmail("me@example.com", "admin@example.com", message.as_string())
"""


@pytest.mark.slow
def test_the_example_sends(relay: RelayProcess, api: Api, sender: Sender) -> None:
    filled_in = {
        "8025": str(relay.port),
        "Enter your JWT token password here": sender.jwt,
        "me@example.com": sender.address,
        "admin@example.com": "admin@example.net",
    }
    program = re.sub("|".join(filled_in), lambda match: filled_in[match[0]], EXAMPLE)
    exec(program, {})
    (mail,) = left(api, sender)
    assert mail.form["from"] == f'"Me" <{sender.address}>'
    assert mail.form["to"] == ['"Admin" <admin@example.net>']
    assert mail.form["subject"] == "Test Subject"
    assert (mail.text, mail.html, mail.attachments) == (None, "Test Content", ())
    assert {"cc", "bcc", "replyTo"}.isdisjoint(mail.form)
