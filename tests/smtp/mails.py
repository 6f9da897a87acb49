"""Messages for the relay, and how the provider received them."""

import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from tests.e2e.api import Api, Sender
from tests.smtp.relay import RelayProcess

EVERY_BYTE = bytes(range(256)) * 8
LOGO = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
TEXT = "Grüße aus 北京\r\n.\r\n..zwei Punkte\r\n"
HTML = "<p>Grüße <img src='cid:logo@test'></p>\r\n"


def full_mail(subject: str = "Grüße 你好 😀") -> EmailMessage:
    """A message with everything that the relay supports: two recipients in To, one in Cc."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = "Zoë Sender <someone@else.example>"
    mail["To"] = "Bób <to1@example.net>, to2@example.net"
    mail["Cc"] = '"Carol, Esq." <cc@example.net>'
    mail["Subject"] = subject
    mail["X-Campaign"] = "spring"
    mail.set_content(TEXT.replace("\r\n", "\n"))
    mail.add_alternative(HTML.replace("\r\n", "\n"), subtype="html")
    html = list(mail.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(LOGO, "image", "png", cid="<logo@test>", filename="logo.png")
    mail.add_attachment(EVERY_BYTE, "application", "octet-stream", filename="Grüße, 😀.bin")
    return mail


ENVELOPE = ["to1@example.net", "to2@example.net", "cc@example.net", "hidden@example.net"]


@dataclass(frozen=True)
class Left:
    """One sent message: what the provider received, and its bodies."""

    form: dict[str, Any]
    text: str | None
    html: str | None
    attachments: tuple[bytes, ...]

    @property
    def files(self) -> list[tuple[str, str, str, bytes]]:
        """The filename, type, disposition and bytes of each attachment."""
        described = [tuple(about.values())[:3] for about in self.form["attachments"]]
        return [
            (*about, content) for about, content in zip(described, self.attachments, strict=True)
        ]


def left(api: Api, sender: Sender, *, start: int = 0) -> list[Left]:
    """The messages that the provider received from ``sender``, oldest first, from ``start`` on."""
    mails = []
    for form in api.sent_by(sender)[start:]:
        bodies = api.server.mail_bodies(form)
        mails.append(Left(form, bodies.text, bodies.html, bodies.attachments))
    return mails


def check_full_mail(api: Api, sender: Sender, subject: str = "Grüße 你好 😀") -> None:
    """Check that only ``full_mail`` was sent for ``sender``, with all its content."""
    (mail,) = left(api, sender)
    assert mail.form["from"] == f'"Zoë Sender" <{sender.address}>'
    assert mail.form["replyTo"] == '"Zoë Sender" <someone@else.example>'
    assert mail.form["to"] == ['"Bób" <to1@example.net>', "to2@example.net"]
    assert mail.form["cc"] == ['"Carol, Esq." <cc@example.net>']
    assert mail.form["bcc"] == ["hidden@example.net"]
    assert mail.form["subject"] == subject
    assert mail.form["headers"]["X-Campaign"] == "spring"
    assert (mail.text, mail.html) == (TEXT, HTML)
    assert mail.files == [
        ("logo.png", "image/png", "inline", LOGO),
        ("Grüße, 😀.bin", "application/octet-stream", "attachment", EVERY_BYTE),
    ]


def reply_to(relay: RelayProcess, sender: Sender, *recipients: str, **fields: str) -> str:
    """Send a ``short_mail`` on a new connection; return the reply."""
    to = recipients or ("recipient@example.net",)
    content = short_mail(to=", ".join(to), **fields)
    with relay.client(sender) as smtp:
        smtp.mail(sender.address)
        for recipient in to:
            code, _ = smtp.rcpt(recipient)
            assert code == 250
        code, text = smtp.data(content)
        # The session continues after every reply.
        assert smtp.rset()[0] == 250
    return f"{code} {text.decode('ascii')}"


def short_mail(**fields: str) -> bytes:
    """A message with these header fields. ``text`` is its body, not a header field."""
    text = fields.pop("text", "A text")
    named = {"subject": "A subject", **fields}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", text]).encode()
