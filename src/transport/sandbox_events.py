"""The delivery events of sandbox recipients (``transport/sandbox.py``), in the provider's form."""

import uuid
from typing import Any

from mail.delivery import DeliveryKind
from mail.message import Message
from mail.sandbox_recipients import outcome_of
from transport.delivery_events import event_form

_KINDS: dict[str, tuple[DeliveryKind, ...]] = {
    "bounced": ("bounced",),
    "complained": ("delivered", "complained"),
}

# What the events of each kind say beside their kind.
MEMBERS: dict[DeliveryKind, dict[str, Any]] = {
    "delivered": {
        "delivery": {
            "smtpStatusCode": "250",
            "smtpEnhancedStatusCode": "2.0.0",
            "smtpResponse": "250 2.0.0 OK",
        }
    },
    "bounced": {
        "delivery": {
            "smtpStatusCode": "550",
            "smtpEnhancedStatusCode": "5.1.1",
            "smtpResponse": "550 5.1.1 The mailbox does not exist",
        },
        "bounce": {"type": "hard", "classification": "permanent_failure", "reason": "no mailbox"},
    },
    "complained": {"complaint": {"type": "abuse"}},
}


def delivery_events(message: Message, message_id: str, *, now: int) -> list[dict[str, Any]]:
    """The delivery events of a sent message, in the provider's form.

    :param message_id: the Message-ID with which the sandbox accepted the message.
    """
    kinds = _KINDS.get(outcome_of(message.recipients[0].address), ("delivered",))
    return [
        event_form(
            kind,
            event_id=str(uuid.uuid4()),
            message_id=message_id,
            sender=str(message.sender),
            recipient=str(recipient.address),
            occurred_at=now,
            **MEMBERS[kind],
        )
        for kind in kinds
        for recipient in message.recipients
    ]
