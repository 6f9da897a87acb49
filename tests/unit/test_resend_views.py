"""A message in the views for clients of Resend."""

import json
from typing import Any, get_args

import msgspec
import pytest

from handlers.resend.views import LastEvent, detail, last_event, summary
from mail.addresses import parse_address
from mail.delivery import DeliveryKind
from mail.lifecycle import Status
from mail.mailbox import mailbox_text, parse_mailbox
from mail.message import Mailbox, Tag, encode_details
from store.database import Row
from tests.unit import given
from tests.unit.given import NOW
from transport.outcome import Reason

STATUSES = get_args(Status)


def row(**columns: Any) -> Row:
    return {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": None,
        "subject": "Hello",
        "status": "sent",
        "accepted_at": NOW,
        "scheduled_at": None,
        "provider_message_id": "<1@example.com>",
        "reason": None,
        "details": None,
        "delivery_status": None,
        "recipients": json.dumps([recipient("you@example.org")]),
        **columns,
    }


def recipient(address: str, kind: str = "to", name: str | None = None) -> dict[str, str | None]:
    return {"kind": kind, "address": address, "name": name}


def encoded(value: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return decoded


def test_a_mail_has_the_fields_of_resend() -> None:
    bodies = [{"kind": "html", "content": part, "truncated": 0} for part in ("<p>", "Hi")]
    assert encoded(detail(row(), bodies)) == {
        "object": "email",
        "id": "m1",
        "message_id": "<1@example.com>",
        "from": "me@example.com",
        "to": ["you@example.org"],
        "cc": [],
        "bcc": [],
        "reply_to": [],
        "subject": "Hello",
        "created_at": "2026-11-03T12:00:00.000Z",
        "scheduled_at": None,
        "last_event": "sent",
        "status": "sent",
        "text": None,
        "html": "<p>Hi",
        "tags": [],
    }


def test_a_mail_has_the_fields_of_its_request() -> None:
    reply_to = Mailbox(parse_address("answers@example.org"), "Answers")
    message = given.message(reply_to=reply_to, tags=(Tag("kind", "welcome"),))
    shown = encoded(
        detail(
            row(
                sender_name="Me",
                details=encode_details(message).decode(),
                scheduled_at=NOW + 1,
                recipients=json.dumps(
                    [
                        recipient("a@example.org", name="A"),
                        recipient("b@example.org", "cc"),
                        recipient("c@example.org", "bcc"),
                        recipient("d@example.org"),
                    ]
                ),
            ),
            [],
        )
    )
    assert shown["from"] == "Me <me@example.com>"
    assert shown["to"] == ["A <a@example.org>", "d@example.org"]
    assert (shown["cc"], shown["bcc"]) == (["b@example.org"], ["c@example.org"])
    assert shown["reply_to"] == ["Answers <answers@example.org>"]
    assert shown["tags"] == [{"name": "kind", "value": "welcome"}]
    assert shown["scheduled_at"] == "2026-11-03T12:00:00.001Z"


def test_a_list_leaves_out_bodies_and_tags() -> None:
    assert encoded(detail(row(), [])).keys() - encoded(summary(row())).keys() == {
        "object",
        "text",
        "html",
        "tags",
    }


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_status_of_resend(status: Status) -> None:
    assert last_event(status, None, None) in get_args(LastEvent)


@pytest.mark.parametrize(
    ("status", "reason", "delivery_status", "event"),
    [
        ("sending", None, None, "queued"),
        ("queued", "throttled", None, "queued"),
        ("scheduled", None, None, "scheduled"),
        ("sent", None, None, "sent"),
        ("cancelled", None, None, "canceled"),
        ("unknown", None, None, "delivery_delayed"),
        ("failed", "recipient_rejected", None, "failed"),
        ("failed", "recipient_suppressed", None, "suppressed"),
        ("sent", None, "delayed", "delivery_delayed"),
        ("sent", None, "delivered", "delivered"),
        ("sent", None, "rejected", "failed"),
        ("sent", None, "failed", "failed"),
        ("sent", None, "bounced", "bounced"),
        ("sent", None, "complained", "complained"),
        ("failed", "recipient_rejected", "rejected", "failed"),
    ],
)
def test_the_delivery_status_takes_precedence(
    status: Status, reason: Reason | None, delivery_status: DeliveryKind | None, event: str
) -> None:
    assert last_event(status, reason, delivery_status) == event


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (None, "a@example.com"),
        ("", "a@example.com"),
        ("A B", "A B <a@example.com>"),
        ("名 é", "名 é <a@example.com>"),
        ("Doe, J.", '"Doe, J." <a@example.com>'),
        ('say "hi" \\', '"say \\"hi\\" \\\\" <a@example.com>'),
    ],
)
def test_a_mailbox_as_a_text_parses_to_itself(name: str | None, text: str) -> None:
    assert mailbox_text("a@example.com", name) == text
    assert parse_mailbox(text).name == (name or None)
