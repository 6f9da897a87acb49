"""The bodies of webhooks."""

import json
from typing import Any

import msgspec
import pytest

from clock import iso_time
from mail.message import Header, MessageDetails, Tag
from mail.webhook_bodies import DeliveryFacts, EmailFacts, SuppressionFacts, body_of
from mail.webhook_events import EVENTS, WebhookEvent
from mail.webhook_examples import example_body
from tests.unit.given import NOW

MESSAGE_ID = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"
FACTS = EmailFacts(
    occurred_at=NOW,
    email_id="m1",
    accepted_at=NOW - 1000,
    sender="me@example.com",
    recipients=("you@example.org",),
    subject="Hello",
)


def data(event: WebhookEvent, facts: msgspec.Struct = FACTS, **changed: Any) -> dict[str, Any]:
    changed_facts = msgspec.structs.replace(facts, **changed)
    body = json.loads(body_of(event, msgspec.json.encode(changed_facts).decode()))
    assert (body["type"], body["created_at"]) == (event, iso_time(NOW))
    found: dict[str, Any] = body["data"]
    return found


def test_a_body_has_the_members_of_resends() -> None:
    assert data("email.sent", message_id="<1@x>", sender_name="Doe, J") == {
        "email_id": "m1",
        "created_at": iso_time(NOW - 1000),
        "from": '"Doe, J" <me@example.com>',
        "to": ["you@example.org"],
        "subject": "Hello",
        "message_id": "<1@x>",
    }


def test_tags_and_headers_are_there_if_the_mail_has_them() -> None:
    details = MessageDetails(tags=(Tag("a", "b"),), headers=(Header("X-A", "1"),))
    found = data("email.delivered", details=details)
    assert found["tags"] == {"a": "b"}
    assert found["headers"] == [{"name": "X-A", "value": "1"}]


@pytest.mark.parametrize(
    ("delivery", "kind", "subtype"),
    [
        ({"is_permanent": 1, "enhanced_code": "5.1.1"}, "Permanent", "NoEmail"),
        ({"is_permanent": 0, "enhanced_code": "4.2.2"}, "Transient", "MailboxFull"),
        ({"is_permanent": 1, "enhanced_code": "5.3.4"}, "Permanent", "MessageTooLarge"),
        ({"is_permanent": 1, "enhanced_code": "5.7.1"}, "Permanent", "ContentRejected"),
        ({"is_permanent": 1, "enhanced_code": "5.9.9"}, "Permanent", "General"),
        ({}, "Undetermined", "Undetermined"),
    ],
)
def test_a_bounce_has_its_type(delivery: dict[str, Any], kind: str, subtype: str) -> None:
    bounce = data("email.bounced", delivery=DeliveryFacts(**delivery))["bounce"]
    assert (bounce["type"], bounce["subType"]) == (kind, subtype)


def test_a_bounce_has_the_reply_of_the_server() -> None:
    delivery = DeliveryFacts(smtp_code="550", enhanced_code="5.1.1", response="550 No")
    bounce = data("email.bounced", delivery=delivery)["bounce"]
    assert bounce["diagnosticCode"] == ["smtp; 550 No"]
    assert bounce["message"] == "550 No"
    delivery = DeliveryFacts(smtp_code="550", enhanced_code="5.1.1", response="No")
    bounce = data("email.bounced", delivery=delivery)["bounce"]
    assert bounce["diagnosticCode"] == ["smtp; 550 5.1.1 No"]
    assert data("email.bounced")["bounce"]["diagnosticCode"] == []


def test_a_failure_has_its_reason() -> None:
    found = data("email.failed", reason="quota_reached", provider_code="E_X")["failed"]
    assert found == {"reason": "quota_reached", "code": "E_X"}
    delivery = DeliveryFacts(reason="blocked")
    assert data("email.failed", delivery=delivery)["failed"] == {"reason": "blocked"}
    assert data("email.suppressed")["suppressed"]["reason"] == "provider"


def test_a_suppression_always_has_the_same_id() -> None:
    facts = SuppressionFacts(
        occurred_at=NOW,
        address="you@example.org",
        scope="example.com",
        reason="hard_bounce",
        origin=MESSAGE_ID,
        since=NOW,
    )
    found = data("suppression.added", facts)
    assert found["email"] == "you@example.org"
    assert found["origin"] == "bounce"
    assert found["source_id"] == MESSAGE_ID
    assert data("suppression.added", facts, origin="admin#1")["source_id"] is None
    assert found["id"] == data("suppression.removed", facts)["id"]
    assert found["id"] != data("suppression.added", facts, scope="")["id"]


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_an_example(event: WebhookEvent) -> None:
    body = json.loads(example_body(event, now=NOW))
    assert body["type"] == event
    assert body["data"]
