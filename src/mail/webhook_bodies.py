"""The bodies of webhook events, made of the facts of a change.

The transaction that writes a change also writes its facts (migrations/0004_webhooks.sql). The body
is made of them at the first attempt, and then kept. Bodies have the form of Resend's webhooks, and
contain nothing of the content of a mail.
"""

import hashlib
import re
from typing import Any, Literal

import msgspec

from clock import iso_time
from mail.mailbox import mailbox_text
from mail.message import MessageDetails
from mail.suppressions import SuppressionReason
from mail.webhook_events import WebhookEvent


class DeliveryFacts(msgspec.Struct, frozen=True):
    """The facts of a delivery event: those columns of ``delivery_events`` that a body has."""

    is_permanent: Literal[0, 1] | None = None
    smtp_code: str | None = None
    enhanced_code: str | None = None
    response: str | None = None
    reason: str | None = None


class EmailFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a change of a message.

    ``recipients`` are those that the change concerns. ``message_id`` is the Message-ID that the
    provider assigned. Times are in Unix milliseconds.
    """

    occurred_at: int
    email_id: str
    accepted_at: int
    sender: str
    sender_name: str | None = None
    recipients: tuple[str, ...]
    subject: str
    message_id: str | None = None
    scheduled_at: int | None = None
    details: MessageDetails | None = None
    reason: str | None = None
    provider_code: str | None = None
    delivery: DeliveryFacts | None = None


class SuppressionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a suppression that was added or removed.

    ``origin`` is the id of the message that caused it, or where else it comes from.
    """

    occurred_at: int
    address: str
    scope: str
    reason: SuppressionReason
    origin: str | None = None
    since: int
    expires_at: int | None = None


class PauseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of an address that was paused."""

    occurred_at: int
    address: str


_decode_email = msgspec.json.Decoder(EmailFacts).decode
_decode_suppression = msgspec.json.Decoder(SuppressionFacts).decode
_decode_pause = msgspec.json.Decoder(PauseFacts).decode

_ORIGINS: dict[SuppressionReason, str] = {
    "manual": "manual",
    "hard_bounce": "bounce",
    "soft_bounce": "bounce",
    "complaint": "complaint",
    "provider": "provider",
}

# The subtype of a bounce by its enhanced status code (RFC 3463): subject and detail.
_SUBTYPES = {
    "1.1": "NoEmail",
    "1.2": "NoEmail",
    "1.3": "NoEmail",
    "1.6": "NoEmail",
    "2.1": "NoEmail",
    "2.2": "MailboxFull",
    "2.3": "MessageTooLarge",
    "3.4": "MessageTooLarge",
    "6.0": "ContentRejected",
    "6.1": "AttachmentRejected",
    "7.1": "ContentRejected",
}

# The id of a message. The origin of a suppression may also be the name of an administrator.
_IS_ID = re.compile("[0-9a-f-]{36}")


def body_of(event: WebhookEvent, facts: str) -> str:
    """The body of an event, as JSON.

    :param facts: ``EmailFacts``, ``SuppressionFacts`` or ``PauseFacts`` as JSON.
    """
    if event == "address.paused":
        pause = _decode_pause(facts)
        return _body(event, pause.occurred_at, {"address": pause.address})
    if event.startswith("suppression."):
        suppression = _decode_suppression(facts)
        return _body(event, suppression.occurred_at, _suppression_data(suppression))
    email = _decode_email(facts)
    return _body(event, email.occurred_at, _email_data(event, email))


def _body(event: WebhookEvent, occurred_at: int, data: dict[str, Any]) -> str:
    body = {"type": event, "created_at": iso_time(occurred_at), "data": data}
    return msgspec.json.encode(body).decode()


def _email_data(event: WebhookEvent, facts: EmailFacts) -> dict[str, Any]:
    data: dict[str, Any] = {
        "email_id": facts.email_id,
        "created_at": iso_time(facts.accepted_at),
        "from": mailbox_text(facts.sender, facts.sender_name),
        "to": facts.recipients,
        "subject": facts.subject,
        "message_id": facts.message_id,
    }
    details = facts.details or MessageDetails()
    if details.tags:
        data["tags"] = {tag.name: tag.value for tag in details.tags}
    if details.headers:
        data["headers"] = details.headers
    if event == "email.scheduled" and facts.scheduled_at is not None:
        data["scheduled_at"] = iso_time(facts.scheduled_at)
    delivery = facts.delivery or DeliveryFacts()
    if event == "email.bounced":
        data["bounce"] = _bounce(delivery)
    elif event == "email.failed":
        data["failed"] = {"reason": delivery.reason or facts.reason or "provider_error"}
        if facts.provider_code:
            data["failed"]["code"] = facts.provider_code
    elif event == "email.suppressed":
        data["suppressed"] = {
            "diagnosticCode": _codes(delivery),
            "message": "The mail provider suppresses the recipient",
            "reason": "provider",
            "type": "OnAccountSuppressionList",
        }
    return data


def _bounce(delivery: DeliveryFacts) -> dict[str, Any]:
    types = {1: "Permanent", 0: "Transient", None: "Undetermined"}
    _, _, detail = (delivery.enhanced_code or "").partition(".")
    general = "Undetermined" if delivery.enhanced_code is None else "General"
    return {
        "diagnosticCode": _codes(delivery),
        "message": delivery.response or delivery.reason or "The mail bounced",
        "type": types[delivery.is_permanent],
        "subType": _SUBTYPES.get(detail, general),
    }


def _codes(delivery: DeliveryFacts) -> list[str]:
    """What the receiving server responded, as an SMTP reply."""
    response = delivery.response or ""
    parts = [delivery.smtp_code, delivery.enhanced_code, response]
    if delivery.smtp_code and response.startswith(delivery.smtp_code):
        parts = [response]
    text = " ".join(part for part in parts if part)
    return [f"smtp; {text}"] if text else []


def _suppression_data(facts: SuppressionFacts) -> dict[str, Any]:
    return {
        "id": _suppression_id(facts.address, facts.scope),
        "email": facts.address,
        "scope": facts.scope,
        "origin": _ORIGINS[facts.reason],
        "source_id": facts.origin if _IS_ID.fullmatch(facts.origin or "") else None,
        "created_at": iso_time(facts.since),
        "expires_at": None if facts.expires_at is None else iso_time(facts.expires_at),
    }


def _suppression_id(address: str, scope: str) -> str:
    """An id in the form of a UUID: always the same one for this recipient and scope."""
    digest = hashlib.sha256(f"{address} {scope}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
