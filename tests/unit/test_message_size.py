"""The computed size of a message: never below the real size, and exact at the limit."""

import base64
import bisect
import hashlib
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from errors import PayloadTooLarge
from mail.addresses import Address
from mail.characters import has_control, has_deceptive
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import AttachmentField, SendMail
from mail.limits import MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, encoded_size
from mail.message import Attachment, Header, Message, Recipient
from mail.message import Mailbox as ReplyTo

ME = Address("me", "example.com")


def simple(text: str = "Hello", *, subject: str = "Hello", name: str | None = None) -> Message:
    recipient = Recipient("to", Address("you", "example.org"), name)
    return Message(sender=ME, sender_name=name, recipients=(recipient,), subject=subject, text=text)


def built(message: Message, encoding: str | None = "base64") -> bytes:
    """``message`` encoded by the standard library, with the headers that a provider adds."""
    email = EmailMessage(policy=SMTP)
    email["From"] = Mailbox(message.sender_name or "", addr_spec=str(message.sender))
    for kind in ("To", "Cc"):
        mailboxes = [
            Mailbox(recipient.name or "", addr_spec=str(recipient.address))
            for recipient in message.recipients
            if recipient.kind == kind.lower()
        ]
        if mailboxes:
            email[kind] = mailboxes
    email["Subject"] = message.subject
    email["Date"] = "Tue, 03 Nov 2026 12:00:00 +0000"
    email["Message-ID"] = f"<{'0' * 36}@{message.sender.domain}>"
    if message.reply_to:
        name, address = message.reply_to.name, str(message.reply_to.address)
        email["Reply-To"] = Mailbox(name or "", addr_spec=address)
    for header in message.headers:
        email[header.name] = header.value
    if message.text is not None:
        email.set_content(message.text, charset="utf-8", cte=encoding)
    if message.html is not None:
        add = email.set_content if message.text is None else email.add_alternative
        add(message.html, subtype="html", charset="utf-8", cte=encoding)
    for file in message.attachments:
        add_file(email, file)
    return email.as_bytes()


def add_file(email: EmailMessage, file: Attachment) -> None:
    """Add ``file``. A file with a content id is added to the body, in a multipart/related."""
    maintype, _, subtype = file.content_type.partition("/")
    about: dict[str, Any] = {"maintype": maintype, "subtype": subtype, "filename": file.filename}
    if file.content_id:
        body = cast(EmailMessage, email.get_body(("related", "html", "plain")))
        body.add_related(file.content, cid=f"<{file.content_id}>", disposition="inline", **about)
    else:
        email.add_attachment(file.content, **about)


def attachment(
    content: bytes,
    filename: str = "a.bin",
    content_type: str = "image/png",
    content_id: str | None = None,
) -> Attachment:
    digest = hashlib.sha256(content).hexdigest()
    return Attachment(filename, content_type, len(content), digest, content_id, content)


def sized(characters: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """Short texts, and repetitions of a text, up to ``most`` characters."""
    repeated = st.builds(
        lambda text, times: (text * times)[:most],
        st.text(characters, min_size=1, max_size=8),
        st.integers(1, most),
    )
    return st.text(characters, max_size=40) | repeated


# Without characters that compose() rejects, or that EmailMessage treats as a line end.
visible = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]).filter(
    lambda character: not has_control(character) and not has_deceptive(character)
)
bodies = sized(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\na "), 5000)
domains = st.sampled_from(["example.com", "a" * 63 + ".example", "xn--bcher-kva.example"])
addresses = st.builds(
    Address, st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64), domains
)
names = st.none() | sized(visible, 200)
words = st.text("abcXYZ019-", min_size=1, max_size=100)
headers = st.builds(Header, words.map(lambda word: f"X-{word}"[:100]), sized(visible, 600))
attachments = st.builds(
    attachment,
    st.binary(max_size=2000),
    sized(visible, 63).map(lambda name: name.replace("/", "-")),
    st.sampled_from(["image/png", "application/" + "x" * 200]),
    st.none() | words,
)
messages = st.builds(
    Message,
    sender=addresses,
    sender_name=names,
    recipients=st.lists(
        st.builds(Recipient, st.sampled_from(["to", "cc"]), addresses, names),
        min_size=1,
        max_size=4,
    ).map(tuple),
    subject=sized(visible, MAX_SUBJECT_CHARACTERS).filter(bool),
    text=st.none() | bodies,
    html=bodies,
    reply_to=st.none() | st.builds(ReplyTo, addresses, names),
    headers=st.lists(headers, max_size=3, unique_by=lambda header: header.name.lower()).map(tuple),
    # Inline files first: the standard library cannot add them after other files.
    attachments=st.lists(attachments, max_size=4).map(
        lambda files: tuple(sorted(files, key=lambda file: file.content_id is None))
    ),
)


@pytest.mark.parametrize("encoding", ["base64", None], ids=["base64", "chosen by the builder"])
@settings(max_examples=15)
@given(message=messages)
@example(message=simple("\n" * 2000))
@example(message=simple("\r" * 2000))
@example(message=simple("é\n" * 2000))
@example(message=simple("a\r\n" * 2000))
@example(message=simple(subject="😀" * 998))
@example(message=simple(subject="😀" * 998, name="😀" * 200))
@example(message=simple(subject="é" * 998, name="é" * 200))
@example(message=replace(simple(), attachments=(attachment(b"", "😀" * 63),) * 100))
@example(message=replace(simple(), attachments=(attachment(b"", "a" * 255, "a/" + "b" * 253),)))
@example(message=replace(simple(), headers=(Header("X-" + "a" * 98, "😀" * 512),)))
def test_the_computed_size_is_never_below_the_real_size(
    encoding: str | None, message: Message
) -> None:
    assert encoded_size(message) >= len(built(message, encoding))


@pytest.mark.parametrize("content", ["a" * 100_000, "é" * 100_000, "Hello, world!\r\n" * 10_000])
def test_the_computed_size_is_close_to_the_real_size(content: str) -> None:
    message = simple(content)
    assert encoded_size(message) <= len(built(message)) + 2048


def of_size(size: int) -> SendMail:
    """Fields whose message has exactly ``size`` bytes after encoding."""

    def measured(fields: SendMail) -> int:
        return encoded_size(
            Message(
                sender=ME,
                recipients=(Recipient("to", Address(*(fields.to_mail or "").split("@"))),),
                subject=fields.subject or "",
                text=fields.content,
            )
        )

    fields = SendMail(to_mail="y@example.org", subject="Hello", content="")
    short, long = 0, size
    while long - short > 1:
        middle = (short + long) // 2
        if measured(replace(fields, content="a" * middle)) <= size:
            short = middle
        else:
            long = middle
    fields = replace(fields, content="a" * short)
    local = "y" * (1 + size - measured(fields))  # adds the remaining bytes
    fields = replace(fields, to_mail=f"{local}@example.org")
    assert measured(fields) == size
    return fields


POLICY = SenderPolicy(("example.com",), ())
SENDER = Origin(address=str(ME))


def test_a_message_of_exactly_five_mebibytes_is_accepted() -> None:
    message = compose(of_size(5 * 1024 * 1024), SENDER, POLICY)
    assert message.size == MAX_MESSAGE_BYTES == 5_242_880


def test_one_more_byte_is_rejected() -> None:
    with pytest.raises(PayloadTooLarge) as caught:
        compose(of_size(5 * 1024 * 1024 + 1), SENDER, POLICY)
    assert caught.value.code == "message_too_large"
    assert caught.value.values == {"size": 5_242_881, "limit": 5_242_880}


def test_each_line_end_counts_as_two_bytes() -> None:
    size = encoded_size(simple("a\r\n" * 3000))
    for line_end in ("\n", "\r"):
        assert encoded_size(simple(f"a{line_end}" * 3000)) == size
    assert encoded_size(simple("aaa" * 3000)) == size


def test_size_is_counted_in_bytes() -> None:
    assert encoded_size(simple("é" * 3000)) == encoded_size(simple("aa" * 3000))
    assert encoded_size(simple("😀" * 3000)) == encoded_size(simple("aaaa" * 3000))


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, 0),
        ({"reply_to": ReplyTo(Address("a", "b.example"))}, 31),
        ({"attachments": (attachment(b"a" * 300, "é.png", content_id="logo"),)}, 1459),
    ],
)
def test_a_field_counts_only_in_a_message_that_has_it(fields: dict[str, Any], size: int) -> None:
    # If a number changed, the limit for callers would change.
    assert encoded_size(replace(simple("Hello"), **fields)) == 1351 + size


def with_file(size: int) -> SendMail:
    """Fields with an attachment, whose message has exactly ``size`` bytes after encoding."""
    fields = SendMail(to_mail="y@example.org", subject="Hello", text="Hello")

    def measured(content: int) -> int:
        return encoded_size(replace(simple(), attachments=(attachment(bytes(content)),)))

    base = encoded_size(compose(fields, SENDER, POLICY)) - encoded_size(simple())
    content = bisect.bisect_right(range(size), size, key=lambda content: base + measured(content))
    local = "y" * (1 + size - base - measured(content - 1))  # adds the remaining bytes
    file = AttachmentField(
        filename="a.bin",
        content=base64.b64encode(bytes(content - 1)).decode(),
        content_type="image/png",
    )
    return replace(fields, to_mail=f"{local}@example.org", attachments=[file])


def test_an_attachment_may_fill_the_message_exactly() -> None:
    assert compose(with_file(MAX_MESSAGE_BYTES), SENDER, POLICY).size == MAX_MESSAGE_BYTES
    with pytest.raises(PayloadTooLarge) as caught:
        compose(with_file(MAX_MESSAGE_BYTES + 1), SENDER, POLICY)
    assert caught.value.values == {"size": MAX_MESSAGE_BYTES + 1, "limit": MAX_MESSAGE_BYTES}


def test_both_bodies_and_every_recipient_count() -> None:
    one = simple("a" * 3000)
    both = replace(one, html="a" * 3000)
    assert encoded_size(both) >= encoded_size(one) + 4000
    two = replace(one, recipients=one.recipients * 2)
    assert encoded_size(two) >= encoded_size(one) + len("you@example.org")
