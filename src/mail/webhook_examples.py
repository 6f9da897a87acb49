"""Examples of the events of webhooks, for tests of a receiver and for the documentation."""

import msgspec

from mail.message import MessageDetails, Tag
from mail.webhook_bodies import DeliveryFacts, EmailFacts, PauseFacts, SuppressionFacts, body_of
from mail.webhook_events import WebhookEvent

_EXAMPLE_EMAIL = EmailFacts(
    occurred_at=0,
    email_id="019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f",
    accepted_at=0,
    sender="alice@example.com",
    sender_name="Alice",
    recipients=("bob@example.org",),
    subject="Your order",
    message_id="<0100019a9f607c3e@example.com>",
    details=MessageDetails(tags=(Tag("kind", "order"),)),
)
_EXAMPLE_DELIVERIES: dict[str, DeliveryFacts] = {
    "email.bounced": DeliveryFacts(
        is_permanent=1,
        smtp_code="550",
        enhanced_code="5.1.1",
        response="550 5.1.1 No such user",
    ),
    "email.delivered": DeliveryFacts(smtp_code="250", enhanced_code="2.0.0"),
}


def example_body(event: WebhookEvent, *, now: int) -> str:
    """The body of an example of ``event``, which happens ``now`` (Unix milliseconds)."""
    facts: msgspec.Struct
    if event == "address.paused":
        facts = PauseFacts(occurred_at=now, address=_EXAMPLE_EMAIL.sender)
    elif event.startswith("suppression."):
        facts = SuppressionFacts(
            occurred_at=now,
            address="bob@example.org",
            scope="example.com",
            reason="hard_bounce",
            origin=_EXAMPLE_EMAIL.email_id,
            since=now,
            expires_at=now + 7 * 86_400_000,
        )
    else:
        facts = msgspec.structs.replace(
            _EXAMPLE_EMAIL,
            occurred_at=now,
            accepted_at=now,
            scheduled_at=now,
            reason="recipient_rejected",
            delivery=_EXAMPLE_DELIVERIES.get(event),
        )
    return body_of(event, msgspec.json.encode(facts).decode())
