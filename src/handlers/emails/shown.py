"""From the rows of a message to a mail as clients of Resend read it."""

import re

import msgspec

from api.emails import Email, LastEvent, ListedEmail
from clock import iso_time
from lifecycle import Status
from mail.fields import TagField
from store.database import Row
from store.parts import body_of

# Resend's word for a status. It has none for an outcome that nobody knows: neither a success nor
# a failure comes next to it.
_BY_STATUS: dict[Status, LastEvent] = {
    "scheduled": "scheduled",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "failed": "failed",
    "unknown": "delivery_delayed",
    "cancelled": "canceled",
}

# What is known of single recipients says more than the message's status; the worst counts.
_BY_DELIVERY: tuple[LastEvent, ...] = ("complained", "bounced", "delivered")

# What can stand in a display name without quotes: atoms and spaces (RFC 5322, section 3.2.3).
_PLAIN_NAME = re.compile(r"[^()<>\[\]:;@\\,.\"]*")

_read_recipients = msgspec.json.Decoder(list[Row]).decode
_read_reply_to = msgspec.json.Decoder(Row).decode
_read_tags = msgspec.json.Decoder(list[TagField]).decode


def listed(row: Row) -> ListedEmail:
    """A row of ``store.emails.email_page`` as lists show it."""
    return ListedEmail(**_common(row))


def whole(row: Row, bodies: list[Row]) -> Email:
    """A row of ``store.emails.find_email`` with all its details."""
    return Email(
        **_common(row),
        text=body_of(bodies, "text"),
        html=body_of(bodies, "html"),
        tags=_read_tags(row["tags"]) if row["tags"] else [],
    )


def last_event(status: Status, provider_code: str | None, deliveries: set[str | None]) -> LastEvent:
    """Resend's word for what became of a message.

    :param deliveries: the statuses of its recipients, as far as there is news of them.
    """
    for event in _BY_DELIVERY:
        if event in deliveries:
            return event
    if status == "failed" and provider_code == "E_RECIPIENT_SUPPRESSED":
        return "suppressed"
    return _BY_STATUS[status]


def mailbox_text(address: str, name: str | None) -> str:
    """``Name <address>``, the name in quotes where it needs them (RFC 5322, section 3.4).

    >>> mailbox_text("a@example.com", "Doe, J")
    '"Doe, J" <a@example.com>'
    """
    if not name:
        return address
    if not _PLAIN_NAME.fullmatch(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{address}>"


def _common(row: Row) -> Row:
    recipients = _read_recipients(row["recipients"])
    reply_to = _read_reply_to(row["reply_to"]) if row["reply_to"] else None
    by_kind: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
    for recipient in recipients:
        by_kind[recipient["kind"]].append(mailbox_text(recipient["address"], recipient["name"]))
    statuses = {recipient["status"] for recipient in recipients}
    scheduled_at = row["scheduled_at"]
    return {
        "id": row["id"],
        "message_id": row["provider_message_id"],
        "sender": mailbox_text(row["sender"], row["sender_name"]),
        **by_kind,
        "reply_to": [mailbox_text(reply_to["address"], reply_to["name"])] if reply_to else [],
        "subject": row["subject"],
        "created_at": iso_time(row["accepted_at"]),
        "scheduled_at": iso_time(scheduled_at) if scheduled_at is not None else None,
        "last_event": last_event(row["status"], row["provider_code"], statuses),
        "status": row["status"],
    }
