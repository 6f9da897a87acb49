"""Mails that ``SmtpTransport`` submits to mail servers of Debian arrive as they were asked for."""

import email
import email.policy
import ssl
import time
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from mail.addresses import Address
from mail.message import Attachment, Header, Mailbox, Message, Recipient
from tests.client.streams import connect
from tests.smtp.certificates import make_certificate
from tests.smtp.debian import Debian, debian_with
from tests.unit import given
from tests.unit.test_mime import given_fields, mailboxes
from tools.local_server import free_port
from transport.outcome import Rejected, Sent
from transport.routing import SmtpConfig
from transport.smtp_submission import SmtpTransport

pytestmark = pytest.mark.slow

_FOLDER = "/var/spool/all"
_OPENSMTPD = """
listen on localhost port {port}
table everyone {{ "@" = "keeper" }}
action "keep" maildir "{folder}" virtual <everyone>
match from any for any action "keep"
"""


class Server(NamedTuple):
    """A mail server that keeps each mail as a file.

    ``is_postfix`` means that it speaks STARTTLS and SMTPUTF8. The STARTTLS of Debian's OpenSMTPD
    fails with OpenSSL 3.
    """

    debian: Debian
    port: int
    authority: ssl.SSLContext
    is_postfix: bool

    async def submit(self, message: Message, security: Literal["starttls", "none"]) -> object:
        config = SmtpConfig(name="one", host="localhost", port=self.port, security=security)
        connected = partial(connect, tls=self.authority)
        transport = SmtpTransport(config, str(uuid.uuid4()), connected, lambda: given.NOW)
        return await transport.send(message)

    def mails(self, count: int) -> list[bytes]:
        """The ``count`` mails, once they are there. They are removed."""
        deadline = time.monotonic() + 20
        while len(names := self.names()) < count:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        contents = [self.debian.run("cat", name).stdout for name in names]
        self.debian.run("rm", *names)
        return contents

    def names(self) -> list[str]:
        return self.debian.run("find", _FOLDER, "-path", "*/new/*").stdout.decode().split()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module", params=["postfix", "opensmtpd"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Server]:
    authority = ssl.create_default_context(cafile=certificate / "cert.pem")
    port = free_port()
    with debian_with(request.param) as debian:
        debian.run("useradd", "--create-home", "keeper")
        debian.run("install", "-d", "-o", "keeper", _FOLDER)
        if request.param == "postfix":
            for name in ("cert.pem", "key.pem"):
                debian.write(f"/etc/{name}", (certificate / name).read_text(), mode=0o600)
            _start_postfix(debian, port)
        else:
            debian.write("/etc/smtpd.conf", _OPENSMTPD.format(port=port, folder=_FOLDER))
            debian.start("smtpd", "-d")
        time.sleep(2)
        yield Server(debian, port, authority, request.param == "postfix")


def _start_postfix(debian: Debian, port: int) -> None:
    debian.run("postconf", "-MX", "smtp/inet")
    debian.run("postconf", "-M", f"{port}/inet={port} inet n - n - - smtpd")
    user = debian.run("id", "-u", "keeper").stdout.decode().strip()
    debian.run(
        *("postconf", "maillog_file=/var/log/postfix.log", "myhostname=mail.example.org"),
        *("mydestination=", "virtual_mailbox_domains=example.org", "virtual_mailbox_base=/"),
        f"virtual_mailbox_maps=static:{_FOLDER.lstrip('/')}/",
        *(f"virtual_uid_maps=static:{user}", f"virtual_gid_maps=static:{user}"),
        *("smtpd_tls_security_level=may", "smtpd_tls_cert_file=/etc/cert.pem"),
        "smtpd_tls_key_file=/etc/key.pem",
    )
    debian.run("postfix", "start")


def full_message() -> Message:
    fields = {
        **given_fields(given.message("you@example.org")),
        "sender_name": "Zoë, 'the \"first\"'",
        "recipients": (
            Recipient("to", Address("you", "example.org"), "Jörg Müller"),
            Recipient("bcc", Address("hidden", "example.org")),
        ),
        "subject": "Grüße — 你好 " + "long " * 40 + "end",
        "reply_to": Mailbox(Address("answers", "example.com"), "Réponses"),
        "headers": (Header("X-Order", "1 " * 300 + "é"), Header("List-Id", "<a.example.com>")),
        "text": ".\n..\nFrom me\n" + "long line " * 200 + "\nGrüße\n",
        "html": "<p>Grüße</p><img src='cid:logo'>",
        "attachments": (
            given.file(bytes(range(256)) * 300, filename='Übersicht "1".bin'),
            Attachment(
                filename="logo.png",
                content_type="image/png",
                size=3,
                sha256="",
                content_id="logo",
                content=b"\0\r\n",
            ),
        ),
    }
    return Message(**fields)


@pytest.mark.parametrize("security", ["starttls", "none"])
async def test_a_mail_arrives_whole(server: Server, security: Literal["starttls", "none"]) -> None:
    if security == "starttls" and not server.is_postfix:
        return
    message = full_message()
    assert isinstance(await server.submit(message, security), Sent)
    contents = server.mails(2)
    for one in contents:
        fields = one[one.index(b"From: ") :]  # without what the servers add
        assert b"hidden@" not in fields
    content = next(one for one in contents if b"hidden@" not in one)
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    crlf = content.replace(b"\n", b"\r\n")
    assert mailboxes(crlf, "From") == [(message.sender_name, "me@example.com")]
    assert mailboxes(crlf, "To") == [("Jörg Müller", "you@example.org")]
    assert mailboxes(crlf, "Reply-To") == [("Réponses", "answers@example.com")]
    assert mail["Subject"] == message.subject
    assert mail["X-Order"] == message.headers[0].value
    parts = [part for part in mail.walk() if not part.is_multipart()]
    text, html, logo, file = (part.get_payload(decode=True) for part in parts)
    assert isinstance(text, bytes)
    assert isinstance(html, bytes)
    assert text.decode().replace("\r\n", "\n") == message.text
    assert html.decode().strip() == message.html
    assert (logo, file) == (b"\0\r\n", bytes(range(256)) * 300)
    assert parts[3].get_filename() == 'Übersicht "1".bin'
    assert parts[2]["Content-ID"] == "<logo>"


async def test_international_addresses(server: Server) -> None:
    recipients = (Recipient("to", Address("jörg", "example.org")),)
    fields = {**given_fields(given.message()), "recipients": recipients}
    outcome = await server.submit(Message(**fields), "none")
    if not server.is_postfix:
        assert outcome == Rejected("recipient_rejected", "SMTP_NO_SMTPUTF8")
        return
    assert isinstance(outcome, Sent)
    (mail,) = server.mails(1)
    assert "To: jörg@example.org" in mail.decode()


async def test_a_recipient_that_the_server_rejects(server: Server) -> None:
    if not server.is_postfix:
        return  # it takes all mail here
    fields = {
        **given_fields(given.message()),
        "recipients": (
            Recipient("to", Address("you", "example.org")),
            Recipient("to", Address("you", "elsewhere.example")),
        ),
    }
    strict = "smtpd_relay_restrictions=reject_unauth_destination"
    server.debian.run("postconf", "mynetworks=192.0.2.0/24", strict)
    server.debian.run("postfix", "reload")
    outcome = await server.submit(Message(**fields), "none")
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.transient) == ("recipient_rejected", False)
    assert server.names() == []
