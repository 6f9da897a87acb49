"""The digest: the same for the same message, another one for every other."""

from dataclasses import fields, replace
from typing import Any

import pytest

from mail.address import Address
from mail.digest import message_digest
from mail.message import Attachment, Header, Mailbox, Message, Recipient, Tag

YOU = Recipient("to", Address("you", "example.org"), "You")
THEY = Recipient("to", Address("they", "example.org"))
MESSAGE = Message(
    sender=Address("me", "example.com"),
    sender_name="Me",
    recipients=(YOU, THEY),
    subject="Hello",
    text="How are you?",
    html="<p>How are you?</p>",
)

FILE = Attachment("a.txt", "text/plain", b"Hello", "sha-256 of Hello")

CHANGES: list[dict[str, Any]] = [
    {"sender": Address("Me", "example.com")},
    {"sender": Address("me", "example.org")},
    {"sender_name": None},
    {"sender_name": ""},
    {"recipients": (YOU,)},
    {"recipients": (THEY, YOU)},
    {"recipients": (YOU, replace(THEY, name="They"))},
    {"recipients": (YOU, replace(THEY, kind="cc"))},
    {"recipients": (YOU, replace(THEY, kind="bcc"))},
    {"subject": "Hello "},
    {"text": None},
    {"text": "How are you? "},
    {"html": None},
    {"html": "How are you?", "text": "<p>How are you?</p>"},
    {"reply_to": Mailbox(Address("you", "example.org"))},
    {"reply_to": Mailbox(Address("you", "example.org"), "You")},
    {"headers": (Header("X-A", "1"),)},
    {"headers": (Header("X-A", "1"), Header("X-B", "2"))},
    {"attachments": (FILE,)},
    {"attachments": (replace(FILE, filename="b.txt"),)},
    {"attachments": (replace(FILE, content_type="text/html"),)},
    {"attachments": (replace(FILE, sha256="another"),)},
    {"attachments": (replace(FILE, content_id="a"),)},
    {"tags": (Tag("a", "1"),)},
    {"tags": (Tag("a", "2"),)},
    {"scheduled_at": 1},
]


def test_the_digest_of_a_message_of_the_first_version_is_still_that_of_the_first_version() -> None:
    digest = "83e013bfe7f57db789eb00eaeef5a92efcf94448b692a67556b75bd2c83aeded"
    assert message_digest(MESSAGE) == digest


def test_an_attachment_counts_by_its_own_digest() -> None:
    message = replace(MESSAGE, attachments=(FILE,))
    same = replace(MESSAGE, attachments=(replace(FILE, content=b"not looked at"),))
    assert message_digest(same) == message_digest(message)


def test_the_same_message_has_the_same_digest() -> None:
    again = replace(MESSAGE, sender=Address("me", "example.com"), recipients=(YOU, replace(THEY)))
    assert message_digest(again) == message_digest(MESSAGE)
    assert len(message_digest(MESSAGE)) == 64


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: ", ".join(change))
def test_another_message_has_another_digest(change: dict[str, Any]) -> None:
    assert message_digest(replace(MESSAGE, **change)) != message_digest(MESSAGE)


def test_no_two_of_them_have_the_same() -> None:
    digests = {message_digest(replace(MESSAGE, **change)) for change in CHANGES}
    assert len(digests) == len(CHANGES)


def test_every_field_counts() -> None:
    assert {field.name for field in fields(Message)} == {name for c in CHANGES for name in c}
