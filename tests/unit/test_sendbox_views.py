"""A message in the views of the sendbox."""

import json
from typing import Any

import msgspec

from handlers.sendbox_views import detail, summary
from mail.addresses import parse_address
from mail.message import Header, Mailbox, Tag, encode_details
from store.database import Row
from store.sendbox import StoredMessage
from tests.unit import given
from tests.unit.given import NOW

RECIPIENT = {
    "kind": "to",
    "address": "you@example.org",
    "name": "You",
}


def page_row(**columns: Any) -> Row:
    return {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": None,
        "subject": "Hello",
        "status": "sent",
        "delivery_status": "delivered",
        "delivery_count": 1,
        "recipient_count": 1,
        "scheduled_at": None,
        "accepted_at": NOW,
        "recipient": "you@example.org",
        "recipient_name": "You",
        "body_kind": "text",
        "content": "Hi",
        "truncated": 0,
        **columns,
    }


def stored(
    events: tuple[Row, ...] = (), delivery_events: tuple[Row, ...] = (), **columns: Any
) -> StoredMessage:
    row = {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": "Me",
        "subject": "Hello",
        "status": "sent",
        "delivery_status": "sent",
        "delivery_count": 1,
        "recipient_count": 1,
        "attempt": 1,
        "transport": "send_email",
        "accepted_at": NOW,
        "next_attempt_at": None,
        "finished_at": NOW + 1,
        "provider_message_id": "<1@example.com>",
        "provider_code": None,
        "reason": None,
        "request_id": "r-1",
        "retry_of": None,
        "details": None,
        "scheduled_at": None,
        "retried_as": None,
        **columns,
    }
    bodies = [{"kind": "html", "content": part, "truncated": 0} for part in ("<p>", "Hi")]
    return StoredMessage(row, [RECIPIENT], list(events), list(delivery_events), bodies)


def encoded(value: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return decoded


def test_a_list_shows_the_fields_of_the_request_as_json_in_a_text() -> None:
    entry = encoded(summary(page_row()))
    assert json.loads(entry.pop("raw")) == {
        "from_name": "",
        "to_name": "You",
        "to_mail": "you@example.org",
        "subject": "Hello",
        "is_html": False,
        "content": "Hi",
        "status": "sent",
    }
    assert entry == {
        "id": "m1",
        "address": "me@example.com",
        "created_at": "2026-11-03 12:00:00",
        "status": "sent",
        "delivery_status": "delivered",
        "delivery_count": 1,
        "recipient_count": 1,
        "scheduled_at": None,
    }


def test_a_list_marks_a_shortened_content() -> None:
    assert encoded(summary(page_row(truncated=1)))["content_truncated"] is True


def test_a_message_with_few_fields_has_all_members() -> None:
    message = encoded(detail(stored(), "en"))
    assert json.loads(message["raw"])["content"] == "<p>Hi"
    assert (message["text"], message["html"]) == (None, "<p>Hi")
    assert (message["reply_to"], message["headers"]) == (None, {})
    assert (message["tags"], message["attachments"], message["scheduled_at"]) == ([], [], None)
    assert message["recipients"] == [
        {
            **RECIPIENT,
            **{"status": "sent", "code": None, "explanation": None},
            **{"delivery_status": "sent", "delivery_status_at": None, "permanent": None},
            **{"smtp_code": None, "enhanced_code": None, "smtp_response": None, "reason": None},
        }
    ]


def test_a_message_has_the_fields_of_its_request() -> None:
    file = given.file(b"abc")
    details = encode_details(
        given.message(
            reply_to=Mailbox(parse_address("help@example.com"), "Help"),
            headers=(Header("X-Order", "4711"),),
            tags=(Tag("kind", "welcome"),),
            attachments=(file,),
        )
    )
    message = encoded(detail(stored(details=details.decode(), scheduled_at=NOW), "en"))
    assert message["reply_to"] == {"address": "help@example.com", "name": "Help"}
    assert message["headers"] == {"X-Order": "4711"}
    assert message["tags"] == [{"name": "kind", "value": "welcome"}]
    assert message["attachments"] == [
        {
            "filename": "a.txt",
            "content_type": "application/octet-stream",
            "content_id": None,
            "size": 3,
            "sha256": file.sha256,
        }
    ]
    assert message["scheduled_at"] == "2026-11-03T12:00:00.000Z"


def test_the_history_begins_with_the_acceptance_and_names_single_recipients() -> None:
    sent = {"kind": "sent", "attempt": 1, "provider_code": None, "occurred_at": NOW + 1}
    bounced = {**sent, "kind": "bounced", "recipient": "you@example.org"}
    history = encoded(detail(stored((sent, bounced)), "en"))["history"]
    assert [event["event"] for event in history] == ["accepted", "sent", "bounced"]
    assert [event["attempt"] for event in history] == [0, 1, 1]
    assert [event.get("recipient") for event in history] == [None, None, "you@example.org"]
