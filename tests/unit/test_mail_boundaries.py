"""Limits, tables and forms of ``mail``, at both sides of each boundary."""

import base64
import hashlib
import json
import uuid
from email.headerregistry import HeaderRegistry
from email.policy import SMTP
from typing import Any

import msgspec
import pytest

from clock import iso_time
from errors import ApiError
from mail.fields import AttachmentField, BufferField, MailboxField, TagField
from mail.lifecycle import TRANSITIONS
from mail.limits import body_size, encoded_size
from mail.mailbox import MAX_MAILBOX_CHARACTERS
from mail.reply_to import read_reply_to
from mail.sending_dns import dmarc_names
from mail.suppressions import entered
from mail.webhook_bodies import DeliveryFacts, EmailFacts, SuppressionFacts, body_of
from mail.webhook_events import WebhookEvent
from mail.webhook_examples import example_body
from tests.unit import given
from tests.unit.given import NOW

END_OF_9999 = "9999-12-31T23:59:59.999Z"


def test_each_charge_is_refunded_once() -> None:
    """A message that was not sent costs nothing."""
    costs_nothing = ("failed", "cancelled")
    for (source, _), transition in TRANSITIONS.items():
        expected = (transition.target in costs_nothing) - (source in costs_nothing)
        assert transition.refunds == expected, source


@pytest.mark.parametrize("size", [*range(60), 76, 77, 113, 114, 115, 1000, 5700, 57_001])
def test_a_body_is_counted_as_base64(size: int) -> None:
    body = base64.encodebytes(b"a" * size + b"\r\n").replace(b"\n", b"\r\n")
    assert body_size("a" * size) == 256 + len(body)


@pytest.mark.parametrize("text", ["a " * 490, "ab " * 300, "word " * 150, "é" * 400, "é a" * 200])
def test_a_folded_header_is_not_longer_than_counted(text: str) -> None:
    written = HeaderRegistry()("Subject", text).fold(policy=SMTP)
    counted = encoded_size(given.message(subject=text)) - encoded_size(given.message(subject=""))
    assert len(written.encode()) - len("Subject: \r\n") <= counted


@pytest.mark.parametrize(("byte", "is_valid"), [(-1, False), (0, True), (255, True), (256, False)])
def test_a_byte_is_a_number_up_to_255(byte: int, *, is_valid: bool) -> None:
    for form, kind in (
        ({"content": [byte]}, AttachmentField),
        ({"content": {"type": "Buffer", "data": [byte]}}, AttachmentField),
        ({"type": "Buffer", "data": [byte]}, BufferField),
    ):
        if is_valid:
            msgspec.convert(form, kind)
            continue
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(form, kind)


def test_a_tag_is_not_empty() -> None:
    assert msgspec.convert({"a": "b"}, TagField) == {"a": "b"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({}, TagField)


def test_a_text_up_to_the_longest_is_split_at_commas() -> None:
    texts = "a@example.org, " + "b@example.org, " * 132
    longest = texts.ljust(MAX_MAILBOX_CHARACTERS)
    assert len(longest) == MAX_MAILBOX_CHARACTERS
    found = read_reply_to("reply_to", longest, {})
    assert found.mailbox is not None
    assert (str(found.mailbox.address), found.ignored) == ("a@example.org", "reply_to")
    with pytest.raises(ApiError) as caught:
        read_reply_to("reply_to", f"{longest} ", {})
    assert caught.value.errors[0].code == "mailbox_too_long"


def test_a_mailbox_object_is_not_split() -> None:
    found = read_reply_to("reply_to", MailboxField("a@example.org", "Doe, Jane"), {})
    assert found.mailbox is not None
    assert found.mailbox.name == "Doe, Jane"


def test_dmarc_records_of_at_most_three_parents() -> None:
    labels = ["a", "b", "c", "d", "e", "f"]
    for count in range(2, 7):
        domain = ".".join(labels[-count:])
        parents = [".".join(labels[start:]) for start in range(7 - count, 5)]
        assert dmarc_names(domain) == [f"_dmarc.{name}" for name in [domain, *parents[-3:]]]


def test_a_suppression_ends_before_the_year_10000() -> None:
    def ends(at: str) -> Any:
        one = entered("a@example.org", scope="", reason="manual", expires_at=at, now=NOW)
        return one.expires_at

    assert iso_time(ends(END_OF_9999)) == END_OF_9999
    assert ends("9999-12-31") == ends("9999-12-31T00:00Z")
    for later in ("9999-12-31T23:59:00-00:01", "9999-12-31T23:59:59-23:59"):
        with pytest.raises(ApiError) as caught:
            ends(later)
        assert caught.value.code == "expires_at_invalid"


def test_a_suppression_ends_after_now() -> None:
    fields: dict[str, Any] = {"scope": "", "reason": "manual", "now": NOW}
    with pytest.raises(ApiError) as caught:
        entered("a@example.org", expires_at=iso_time(NOW), **fields)
    assert caught.value.code == "expires_at_in_past"
    assert entered("a@example.org", expires_at=iso_time(NOW + 1), **fields).expires_at == NOW + 1


# Webhooks

FACTS = EmailFacts(
    occurred_at=NOW,
    accepted_at=NOW,
    email_id="m1",
    sender=given.ME,
    recipients=(given.YOU,),
    subject="Hello",
)


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        (DeliveryFacts(response="550 No", reason="blocked"), "550 No"),
        (DeliveryFacts(reason="blocked"), "blocked"),
        (DeliveryFacts(), "The mail bounced"),
        (None, "The mail bounced"),
    ],
)
def test_a_bounce_always_has_a_message(delivery: DeliveryFacts | None, message: str) -> None:
    facts = msgspec.structs.replace(FACTS, delivery=delivery)
    body = json.loads(body_of("email.bounced", msgspec.json.encode(facts).decode()))
    assert body["data"]["bounce"]["message"] == message


def test_the_id_of_a_suppression_is_a_uuid_of_its_recipient_and_scope() -> None:
    facts = SuppressionFacts(
        occurred_at=NOW, address="you@example.org", scope="b.example", reason="manual", since=NOW
    )
    body = json.loads(body_of("suppression.added", msgspec.json.encode(facts).decode()))
    id_ = uuid.UUID(body["data"]["id"])
    assert str(id_) == body["data"]["id"]
    assert (id_.variant, id_.version) == (uuid.RFC_4122, 8)
    digest = hashlib.sha256(b"you@example.org b.example").hexdigest()
    from_digest = [*range(12), *range(13, 16), *range(17, 32)]
    assert [id_.hex[at] for at in from_digest] == [digest[at] for at in from_digest]


@pytest.mark.parametrize("scheduled_at", [None, NOW + 5])
def test_only_the_event_of_scheduling_has_the_scheduled_time(scheduled_at: int | None) -> None:
    facts = msgspec.structs.replace(FACTS, scheduled_at=scheduled_at)
    events: list[WebhookEvent] = ["email.scheduled", "email.sent", "email.cancelled"]
    for event in events:
        body = json.loads(body_of(event, msgspec.json.encode(facts).decode()))
        has_time = event == "email.scheduled" and scheduled_at is not None
        assert body["data"].get("scheduled_at") == (iso_time(NOW + 5) if has_time else None)
        assert ("scheduled_at" in body["data"]) == has_time


def test_an_example_has_the_times_of_now() -> None:
    body = json.loads(example_body("email.scheduled", now=NOW))
    times = (body["created_at"], body["data"]["created_at"], body["data"]["scheduled_at"])
    assert times == (iso_time(NOW),) * 3
    for event in ("suppression.added", "suppression.removed"):
        body = json.loads(example_body(event, now=NOW))
        assert (body["created_at"], body["data"]["created_at"]) == (iso_time(NOW),) * 2
        assert body["data"]["expires_at"] == iso_time(NOW + 7 * given.DAY)


def test_the_example_of_a_bounce_is_permanent() -> None:
    body = json.loads(example_body("email.bounced", now=NOW))
    bounce = body["data"]["bounce"]
    assert (bounce["type"], bounce["subType"]) == ("Permanent", "NoEmail")
