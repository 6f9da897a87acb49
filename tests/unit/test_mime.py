"""A message as a mail, parsed again and compared with what was asked."""

import email
import email.policy
import hashlib
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from mail.addresses import Address, parse_address
from mail.limits import encoded_size
from mail.message import Attachment, Header, Mailbox, Message, Recipient
from tests.unit import given
from transport.mime import mime_bytes, needs_smtputf8

MESSAGE_ID = "<0193-7@example.com>"
LINE_END = re.compile("\r\n|\r|\n")


def mail_of(message: Message, **options: Any) -> bytes:
    return mime_bytes(message, message_id=MESSAGE_ID, date=given.NOW, **options)


def parsed(content: bytes) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail.defects == []
    return mail


def unfolded(content: bytes, name: str) -> str:
    """The body of the field as it is, without its line ends."""
    head = content.partition(b"\r\n\r\n")[0].decode()
    (body,) = re.findall(rf"^{name}: ([^\r]*(?:\r\n [^\r]*)*)", head, re.MULTILINE)
    return str(body.replace("\r\n", ""))


# What compose lets through: no control characters, no encoded words in names.
plain = st.characters(categories=("L", "M", "N", "P", "S", "Zs"))
texts = st.text(plain, min_size=1).map(lambda text: text.strip(" ")).filter(bool)
ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)
values = texts | ascii_texts.map(lambda text: text.strip(" ")).filter(bool)
labels = st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True)
locals_ = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}", fullmatch=True)
addresses = st.builds(Address, locals_, st.sampled_from(["example.com", "xn--bcher-kva.example"]))
names = st.none() | values.filter(lambda text: "=?" not in text)
recipients = st.builds(Recipient, st.sampled_from(["to", "cc", "bcc"]), addresses, names)
header_names = st.from_regex(r"X-[A-Za-z0-9_-]{1,90}", fullmatch=True)
bodies = st.text(min_size=1) | st.text("aé\n\r\x00 .=\t", min_size=1)


_TYPES = ("image/png", 'text/plain; charset="latin1"', 'a/b; c="d"')


@st.composite
def files(draw: st.DrawFn) -> Attachment:
    content = draw(st.binary(max_size=300))
    return Attachment(
        filename=draw(values.filter(lambda name: "=?" not in name)),
        content_type=draw(st.sampled_from(_TYPES)),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=draw(st.none() | st.from_regex(r"[!-;=?-~]{1,128}", fullmatch=True)),
        content=content,
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    text, html = draw(st.none() | bodies), draw(st.none() | bodies)
    return Message(
        sender=draw(addresses),
        sender_name=draw(names),
        recipients=tuple(draw(st.lists(recipients, min_size=1, max_size=6))),
        subject=draw(values),
        text=text if text or html else "x",
        html=html,
        reply_to=draw(st.none() | st.builds(Mailbox, addresses, names)),
        headers=tuple(
            draw(
                st.lists(
                    st.builds(Header, header_names, values),
                    max_size=3,
                    unique_by=lambda header: header.name.lower(),
                )
            )
        ),
        attachments=tuple(draw(st.lists(files(), max_size=3))),
    )


def mailboxes(content: bytes, name: str) -> list[tuple[str, str]]:
    """The display names and addresses of a field.

    The parser of ``policy.default`` puts spaces between encoded words in names (Python 3.11).
    """
    field = email.message_from_bytes(content)[name]
    found = getaddresses([field.replace("\r\n", "")]) if field else []
    return [(str(make_header(decode_header(shown))), address) for shown, address in found]


def of_kind(message: Message, kind: str) -> list[tuple[str, str]]:
    return [(one.name or "", str(one.address)) for one in message.recipients if one.kind == kind]


def canonical(text: str) -> str:
    """A text as a mail has it: with CR LF after each line."""
    lines = LINE_END.sub("\r\n", text.encode(errors="replace").decode())
    return lines if lines.endswith("\r\n") else lines + "\r\n"


def body(mail: EmailMessage, kind: str) -> str | None:
    parts = [
        part
        for part in mail.walk()
        if part.get_content_type() == f"text/{kind}" and not part.get_content_disposition()
    ]
    if not parts:
        return None
    (part,) = parts
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


@settings(max_examples=300, deadline=None)
@for_all(message=messages(), eight_bit=st.booleans())
def test_a_mail_has_everything_that_the_message_has(message: Message, eight_bit: bool) -> None:
    content = mail_of(message, eight_bit=eight_bit)
    mail = parsed(content)
    assert mailboxes(content, "From") == [(message.sender_name or "", str(message.sender))]
    assert mailboxes(content, "To") == of_kind(message, "to")
    assert mailboxes(content, "Cc") == of_kind(message, "cc")
    reply_to = message.reply_to
    assert mailboxes(content, "Reply-To") == (
        [(reply_to.name or "", str(reply_to.address))] if reply_to else []
    )
    assert mail["Subject"] == message.subject
    assert mail["Message-ID"] == MESSAGE_ID
    assert mail["Date"].datetime == datetime.fromtimestamp(given.NOW / 1000, UTC)
    assert [(name, mail[name]) for name, _ in mail.items() if name.startswith("X-")] == [
        (header.name, header.value) for header in message.headers
    ]
    assert body(mail, "plain") == (message.text and canonical(message.text))
    assert body(mail, "html") == (message.html and canonical(message.html))
    found = [part for part in mail.walk() if part.get_content_disposition()]
    inline_first = sorted(
        message.attachments, key=lambda file: not (file.content_id and message.html)
    )
    assert [
        (part.get_filename(), part.get_payload(decode=True), part["Content-ID"]) for part in found
    ] == [
        (file.filename, file.content, f"<{file.content_id}>" if file.content_id else None)
        for file in inline_first
    ]
    assert [part["Content-Type"] for part in found] == [f.content_type for f in inline_first]


@settings(max_examples=300, deadline=None)
@for_all(message=messages(), eight_bit=st.booleans())
def test_a_mail_can_pass_every_server(message: Message, eight_bit: bool) -> None:
    content = mail_of(message, eight_bit=eight_bit)
    assert content.endswith(b"\r\n")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    assert [line for line in lines if b"\r" in line or b"\n" in line or b"\0" in line] == []
    assert max(map(len, lines)) <= 998
    assert content.isascii() or eight_bit
    head = content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert [line for line in head.split(b"\r\n") if not line.strip()] == []
    assert b"\r\nbcc:" not in content.lower()


@for_all(messages())
def test_blind_recipients_are_not_in_the_mail(message: Message) -> None:
    secret = Recipient("bcc", parse_address("secret.person@hidden.example"), "Hidden Person")
    content = mail_of(
        Message(**{**given_fields(message), "recipients": (*message.recipients, secret)})
    )
    assert b"hidden" not in content.lower()
    assert b"secret.person" not in content


def given_fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__struct_fields__}


def test_a_mail_with_plain_texts_is_readable() -> None:
    message = given.message(
        "you@example.org", subject="Your invoice", sender_name="Acme, Inc.", text="Hello\nYou"
    )
    assert mail_of(message).decode() == (
        'From: "Acme, Inc." <me@example.com>\r\n'
        "To: you@example.org\r\n"
        "Subject: Your invoice\r\n"
        "Date: Tue, 03 Nov 2026 12:00:00 +0000\r\n"
        f"Message-ID: {MESSAGE_ID}\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Hello\r\n"
        "You\r\n"
    )


def test_inline_files_are_beside_the_html() -> None:
    message = given.message(
        text="a",
        html="<img src='cid:logo'>",
        attachments=(given.file(content_id="logo"), given.file(b"%PDF", "b.pdf")),
    )
    assert [part.get_content_type() for part in parsed(mail_of(message)).walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "application/octet-stream",
        "application/octet-stream",
    ]


@pytest.mark.parametrize(
    ("text", "eight_bit", "encoding"),
    [
        ("Hello", False, "7bit"),
        ("a" * 998, False, "7bit"),
        ("a" * 999, False, "quoted-printable"),
        ("Grüße aus dem Urlaub", False, "quoted-printable"),
        ("Grüße aus dem Urlaub", True, "8bit"),
        ("é" * 500, True, "base64"),
        ("你好", False, "base64"),
        ("a\0", True, "quoted-printable"),
        ("a\nFrom me", True, "base64"),
        ("From me", False, "base64"),
        ("Not From me", False, "7bit"),
    ],
)
def test_a_text_has_the_simplest_encoding(text: str, eight_bit: bool, encoding: str) -> None:
    mail = parsed(mail_of(given.message(text=text), eight_bit=eight_bit))
    assert mail["Content-Transfer-Encoding"] == encoding
    assert body(mail, "plain") == canonical(text)


def test_a_long_subject_is_folded_between_words() -> None:
    subject = " ".join(["word"] * 100) + "  two spaces"
    content = mail_of(given.message(subject=subject))
    assert parsed(content)["Subject"] == subject
    assert max(map(len, content.split(b"\r\n"))) <= 78


def test_a_word_that_no_line_can_have_is_encoded() -> None:
    subject = "a" * 998
    content = mail_of(given.message(subject=subject, headers=(Header("X-Key", "b" * 2048),)))
    mail = parsed(content)
    assert (mail["Subject"], mail["X-Key"]) == (subject, "b" * 2048)
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_a_long_uri_of_a_list_stays_a_uri() -> None:
    value = f"<https://example.com/{'a' * 1900}>, <mailto:stop@example.com>"
    content = mail_of(given.message(headers=(Header("List-Unsubscribe", value),)))
    assert unfolded(content, "List-Unsubscribe").replace(" ", "") == value.replace(" ", "")
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("text", ["a\r\nBcc: x@example.net", "a\nb", "a\rb", "a\u2028b", "\ud800"])
def test_no_text_ends_its_field(text: str) -> None:
    """``compose`` rejects these. They would be harmless even if it did not."""
    recipient = Recipient("to", parse_address("you@example.org"), text)
    message = given.message(subject=text, sender_name=text, headers=(Header("X-A", text),))
    fields = {**given_fields(message), "recipients": (recipient,)}
    file = given.file(filename=text)
    names = parsed(mail_of(Message(**{**fields, "attachments": (file,)}))).keys()
    assert names == [
        *("From", "To", "Subject", "Date", "Message-ID", "X-A", "MIME-Version", "Content-Type")
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"sender": Address("me\r\nBcc: x", "example.com")},
        {"reply_to": Mailbox(Address("a\n b", "example.com"))},
        {"headers": (Header("X-A\r\nBcc", "x@example.net"),)},
        {"headers": (Header("X A", "x"),)},
    ],
)
def test_what_can_not_be_encoded_is_no_mail(fields: dict[str, Any]) -> None:
    message = Message(**{**given_fields(given.message()), **fields})
    with pytest.raises(ValueError, match="can't be written"):
        mail_of(message)


def test_a_file_with_a_dangerous_type_is_no_mail() -> None:
    kind = "text/plain\r\nBcc: x@example.net"
    file = Attachment(filename="a", content_type=kind, size=0, sha256="")
    with pytest.raises(ValueError, match="can't be written"):
        mail_of(given.message(attachments=(file,)))


def test_an_attached_mail_keeps_every_byte() -> None:
    content = b"Subject: a\n\nb\r\n.\r\n"
    file = Attachment(
        filename="a.eml",
        content_type="message/rfc822",
        size=len(content),
        sha256="",
        content=content,
    )
    (part,) = parsed(mail_of(given.message(attachments=(file,)))).iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True)) == ("a.eml", content)


def test_international_addresses() -> None:
    message = given.message("jörg@bücher.example".replace("ö", "oe"))
    assert b"To: joerg@xn--bcher-kva.example\r\n" in mail_of(message)
    assert not needs_smtputf8(message)
    fields = {
        **given_fields(message),
        "recipients": (Recipient("to", Address("jörg", "example.org"), "Jörg"),),
    }
    utf8 = Message(**fields)
    assert needs_smtputf8(utf8)
    assert "<jörg@example.org>".encode() in mail_of(utf8)


def test_a_mail_is_not_larger_than_computed() -> None:
    for text in ("a" * 100_000, "é" * 50_000, "é\n" * 50_000, "aé " * 40_000, " \n" * 10_000):
        message = given.message(
            text=text, html=text, subject="é" * 900, attachments=(given.file(b"a" * 50_000),)
        )
        assert len(mail_of(message)) <= encoded_size(message)
