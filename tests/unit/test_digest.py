"""The digest of a message: equal for equal messages, different for different messages."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from mail.addresses import Address
from mail.digest import message_digest
from mail.message import (
    Attachment,
    AttachmentInfo,
    Header,
    Mailbox,
    Message,
    MessageDetails,
    Recipient,
    Tag,
)

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

FILE = Attachment(
    filename="a.txt", content_type="text/plain", size=5, sha256="sha-256 of Hello", content=b"Hello"
)

CHANGES: list[dict[str, Any]] = [
    {"sender": Address("Me", "example.com")},
    {"sender": Address("me", "example.org")},
    {"sender_name": None},
    {"sender_name": ""},
    {"recipients": (YOU,)},
    {"recipients": (THEY, YOU)},
    {"recipients": (YOU, dataclasses.replace(THEY, name="They"))},
    {"recipients": (YOU, dataclasses.replace(THEY, kind="cc"))},
    {"recipients": (YOU, dataclasses.replace(THEY, kind="bcc"))},
    {"subject": "Hello "},
    {"text": None},
    {"text": "How are you? "},
    {"html": None},
    {"html": "How are you?", "text": "<p>How are you?</p>"},
    {"reply_to": Mailbox(Address("you", "example.org"))},
    {"reply_to": Mailbox(Address("you", "example.org"), "You")},
    {"headers": (Header("X-A", "1"),)},
    {"headers": (Header("X-A", "2"),)},
    {"headers": (Header("X-B", "1"),)},
    {"headers": (Header("X-A", "1"), Header("X-B", "2"))},
    {"attachments": (FILE,)},
    {"attachments": (replace(FILE, filename="b.txt"),)},
    {"attachments": (replace(FILE, content_type="text/html"),)},
    {"attachments": (replace(FILE, size=6),)},
    {"attachments": (replace(FILE, sha256="another"),)},
    {"attachments": (replace(FILE, content_id="a"),)},
    {"tags": (Tag("a", "1"),)},
    {"tags": (Tag("a", "2"),)},
    {"tags": (Tag("b", "1"),)},
    {"scheduled_at": 1},
]


def test_a_message_without_details_keeps_its_digest_when_details_are_added_to_the_code() -> None:
    # Stored digests are compared with those of repeated requests, even after an upgrade.
    digest = "526fbee40bcd5f90ce717c600f19eecdf4ad240df3293cc9d1bb9c31f73629ea"
    assert message_digest(MESSAGE) == digest


def test_an_attachment_is_represented_by_its_own_digest() -> None:
    message = replace(MESSAGE, attachments=(FILE,))
    same = replace(MESSAGE, attachments=(replace(FILE, content=b"not looked at"),))
    assert message_digest(same) == message_digest(message)


def test_the_same_message_has_the_same_digest() -> None:
    again = replace(
        MESSAGE, sender=Address("me", "example.com"), recipients=(YOU, dataclasses.replace(THEY))
    )
    assert message_digest(again) == message_digest(MESSAGE)
    assert len(message_digest(MESSAGE)) == 64


def test_a_newer_relay_may_describe_its_changes_in_other_words() -> None:
    for adaptations in ((), ("Delivered-To left out",), ("Return-Path left out",)):
        message = replace(MESSAGE, adaptations=adaptations)
        assert message_digest(message) == message_digest(MESSAGE)


def test_a_version_that_computes_another_size_makes_the_same_digest() -> None:
    assert message_digest(replace(MESSAGE, size=9)) == message_digest(MESSAGE)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: ", ".join(change))
def test_another_message_has_another_digest(change: dict[str, Any]) -> None:
    assert message_digest(replace(MESSAGE, **change)) != message_digest(MESSAGE)


def test_all_digests_differ() -> None:
    digests = {message_digest(replace(MESSAGE, **change)) for change in CHANGES}
    assert len(digests) == len(CHANGES)


def test_every_field_but_the_adaptations_and_the_size_changes_the_digest() -> None:
    changed = {name for change in CHANGES for name in change}
    assert set(Message.__struct_fields__) - {"adaptations", "size"} == changed
    assert set(MessageDetails.__struct_fields__) <= set(Message.__struct_fields__)


def test_every_field_of_an_attachment_but_its_content_changes_the_digest() -> None:
    files = [change["attachments"][0] for change in CHANGES if "attachments" in change]
    changed = {
        name
        for name in Attachment.__struct_fields__
        if any(getattr(file, name) != getattr(FILE, name) for file in files)
    }
    assert changed == set(AttachmentInfo.__struct_fields__)
