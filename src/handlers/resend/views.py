"""The responses of ``/emails``: their types, and the conversion of rows."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from clock import iso_time
from mail.delivery import DeliveryKind
from mail.lifecycle import Status
from mail.mailbox import mailbox_text
from mail.message import Tag, decode_details
from store.database import Row
from store.message_content import body_of
from store.shown_bodies import is_truncated
from transport.outcome import Reason

LastEvent = Literal[
    "queued",
    "scheduled",
    "sent",
    "delivered",
    "delivery_delayed",
    "bounced",
    "complained",
    "suppressed",
    "failed",
    "canceled",
]


class ListedEmail(Struct, kw_only=True):
    """A mail in a list."""

    id: Annotated[str, Meta(description="The id of the mail. Ids sort by time.")]
    message_id: Annotated[
        str | None,
        Meta(description="The Message-ID that the provider assigned, if it accepted the mail."),
    ]
    sender: Annotated[str, Meta(description="The sender, as `Name <address>`.")] = msgspec.field(
        name="from"
    )
    to: Annotated[list[str], Meta(description="The recipients.")]
    cc: Annotated[list[str], Meta(description="The recipients of a copy.")]
    bcc: Annotated[list[str], Meta(description="The recipients of a blind copy.")]
    reply_to: Annotated[
        list[str], Meta(description="The mailbox for replies, in a list of at most one.")
    ]
    subject: Annotated[str, Meta(description="The subject.")]
    created_at: Annotated[str, Meta(description="The time of acceptance, in ISO 8601 (UTC).")]
    scheduled_at: Annotated[
        str | None, Meta(description="The scheduled time, in ISO 8601 (UTC), if it has one.")
    ]
    last_event: Annotated[
        LastEvent,
        Meta(
            description="The last event, as a name that Resend defines. After `sent`, it is the "
            "highest status among the recipients: `delivery_delayed`, `delivered`, `failed`, "
            "`bounced` or `complained`, in this order. `delivery_delayed` also means that the "
            "status is `unknown`: the mail may or may not have been sent."
        ),
    ]
    status: Annotated[Status, Meta(description="The status of the mail, as in the sendbox.")]


class Email(ListedEmail, kw_only=True, tag_field="object", tag="email"):
    """A mail with its content and tags."""

    text: Annotated[
        str | None, Meta(description="The plain text; null if there is none or it was deleted.")
    ]
    html: Annotated[
        str | None, Meta(description="The HTML; null if there is none or it was deleted.")
    ]
    tags: Annotated[list[Tag], Meta(description="The tags.")]
    content_truncated: Annotated[
        bool | UnsetType,
        Meta(
            description="`true` if `text` and `html` are not complete, otherwise missing. If "
            "together they exceed 1 MiB, each has only its first 100,000 characters. They are "
            "measured as JSON within JSON, as in `raw` of `GET /api/sendbox/{id}`."
        ),
    ] = UNSET


class EmailPage(Struct, kw_only=True, tag_field="object", tag="list"):
    """A page of mails, newest first."""

    has_more: Annotated[
        bool, Meta(description="Whether there are older mails or, with `before`, newer mails.")
    ]
    data: Annotated[list[ListedEmail], Meta(description="The mails of this page.")]


# Resend's event for each status. Resend has none for an unknown outcome; `delivery_delayed` is the
# closest, because it means neither success nor failure.
_BY_STATUS: dict[Status, LastEvent] = {
    "scheduled": "scheduled",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "failed": "failed",
    "unknown": "delivery_delayed",
    "cancelled": "canceled",
}

# The delivery status, if there is one, takes precedence over the message status.
_BY_DELIVERY: dict[DeliveryKind, LastEvent] = {
    "delayed": "delivery_delayed",
    "delivered": "delivered",
    "rejected": "failed",
    "failed": "failed",
    "bounced": "bounced",
    "complained": "complained",
}

_read_recipients = msgspec.json.Decoder(list[Row]).decode


def summary(row: Row) -> ListedEmail:
    """The list entry for a row of ``store.emails.email_page``."""
    return ListedEmail(**_common(row))


def detail(row: Row, bodies: list[Row]) -> Email:
    """The full view of a row of ``store.emails.find_email``."""
    return Email(
        **_common(row),
        text=body_of(bodies, "text"),
        html=body_of(bodies, "html"),
        tags=list(decode_details(row["details"]).tags),
        content_truncated=True if is_truncated(bodies) else UNSET,
    )


def last_event(
    status: Status, reason: Reason | None, delivery_status: DeliveryKind | None
) -> LastEvent:
    """Resend's event for the state of a message.

    :param delivery_status: the highest status among its recipients, None without delivery events.
    """
    if delivery_status is not None:
        return _BY_DELIVERY[delivery_status]
    if status == "failed" and reason == "recipient_suppressed":
        return "suppressed"
    return _BY_STATUS[status]


def _common(row: Row) -> Row:
    recipients = _read_recipients(row["recipients"])
    reply_to = decode_details(row["details"]).reply_to
    by_kind: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
    for recipient in recipients:
        by_kind[recipient["kind"]].append(mailbox_text(recipient["address"], recipient["name"]))
    scheduled_at = row["scheduled_at"]
    return {
        "id": row["id"],
        "message_id": row["provider_message_id"],
        "sender": mailbox_text(row["sender"], row["sender_name"]),
        **by_kind,
        "reply_to": [mailbox_text(str(reply_to.address), reply_to.name)] if reply_to else [],
        "subject": row["subject"],
        "created_at": iso_time(row["accepted_at"]),
        "scheduled_at": iso_time(scheduled_at) if scheduled_at is not None else None,
        "last_event": last_event(row["status"], row["reason"], row["delivery_status"]),
        "status": row["status"],
    }
