"""The mail of Django and Flask, with their default settings."""

import pytest

from tests.e2e.api import Api, Sender
from tests.e2e.sdk import run_python
from tests.smtp.mails import left
from tests.smtp.relay import HOST, RelayProcess

pytestmark = pytest.mark.slow

DJANGO = """
import os
import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mail_admins, send_mail

settings.configure(
    EMAIL_HOST=os.environ["HOST"],
    EMAIL_PORT=int(os.environ["PORT"]),
    EMAIL_HOST_USER="jwt",
    EMAIL_HOST_PASSWORD=os.environ["JWT"],
    ADMINS=[("Ann", "admin@example.net")],
)
django.setup()
assert send_mail("Grüße", "Größe: 3", None, ["one@example.net"]) == 1
mail_admins("500", "It failed", html_message="<p>It failed</p>")
mail = EmailMultiAlternatives(
    "Report", "Größe: 3", None, ["Bób <two@example.net>"], bcc=["hidden@example.net"],
    headers={"X-Campaign": "spring"},
)
mail.attach_alternative("<p>Größe: 3</p>", "text/html")
mail.attach("größe.bin", bytes(range(256)), "application/octet-stream")
assert mail.send() == 1
print("null")
"""

FLASK = """
import os
from flask import Flask
from flask_mail import Mail, Message

app = Flask("test")
app.config.update(
    MAIL_SERVER=os.environ["HOST"],
    MAIL_PORT=int(os.environ["PORT"]),
    MAIL_USERNAME="jwt",
    MAIL_PASSWORD=os.environ["JWT"],
    MAIL_DEFAULT_SENDER=("Zoë", os.environ["SENDER"]),
)
mail = Mail(app)
with app.app_context():
    message = Message(
        "Grüße", recipients=["one@example.net"], cc=["cc@example.net"],
        bcc=["hidden@example.net"], body="Größe: 3", html="<p>Größe: 3</p>",
        reply_to="answers@example.net",
    )
    message.attach("größe.bin", "application/octet-stream", bytes(range(256)))
    mail.send(message)
print("null")
"""


def run(packages: str, program: str, relay: RelayProcess, sender: Sender) -> None:
    where = {"HOST": HOST, "PORT": str(relay.port)}
    run_python(packages, program, JWT=sender.jwt, SENDER=sender.address, **where)


def test_django(relay: RelayProcess, api: Api, sender: Sender) -> None:
    run("anymail", DJANGO, relay, sender)
    plain, to_admins, report = left(api, sender)
    assert (plain.form["subject"], plain.text) == ("Grüße", "Größe: 3\r\n")
    assert plain.form["from"] == sender.address
    assert plain.form["headers"]["X-Original-From"] == "webmaster@localhost"
    assert "replyTo" not in plain.form
    assert to_admins.form["subject"] == "[Django] 500"
    assert to_admins.form["headers"]["X-Original-From"] == "root@localhost"
    assert (to_admins.html or "").rstrip() == "<p>It failed</p>"
    assert report.form["to"] == ['"Bób" <two@example.net>']
    assert report.form["bcc"] == ["hidden@example.net"]
    assert report.form["headers"]["X-Campaign"] == "spring"
    assert (report.html or "").rstrip() == "<p>Größe: 3</p>"
    assert [(name, content) for name, _, _, content in report.files] == [
        ("größe.bin", bytes(range(256)))
    ]


def test_flask_mail(relay: RelayProcess, api: Api, sender: Sender) -> None:
    run("flask-mail", FLASK, relay, sender)
    (mail,) = left(api, sender)
    assert mail.form["from"] == f'"Zoë" <{sender.address}>'
    assert (mail.form["to"], mail.form["cc"]) == (["one@example.net"], ["cc@example.net"])
    assert mail.form["bcc"] == ["hidden@example.net"]
    assert mail.form["replyTo"] == "answers@example.net"
    assert mail.form["subject"] == "Grüße"
    assert (mail.text or "").rstrip() == "Größe: 3"
    assert (mail.html or "").rstrip() == "<p>Größe: 3</p>"
    assert [(name, content) for name, _, _, content in mail.files] == [
        ("größe.bin", bytes(range(256)))
    ]
