"""The sendbox: what an address has sent."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lifecycle import Status
from mail.fields import TagField
from mail.message import RecipientKind

# What became of a mail to one recipient: news of it where there are, else the message's status.
DeliveryStatus = Status | Literal["delivered", "bounced", "complained"]

EventKind = Literal[
    "accepted",
    "rescheduled",
    "deferred",
    "sent",
    "failed",
    "unknown",
    "cancelled",
    "delivered",
    "bounced",
    "complained",
]


class SentMail(Struct):
    """A message in the fields of the request that it came by, and its status."""

    from_name: str
    to_name: str
    to_mail: str
    subject: str
    is_html: bool
    content: str
    status: Status


class SendboxEntry(Struct, kw_only=True):
    """A message as lists show it."""

    id: Annotated[str, Meta(description="The id of the message; ids sort by time.")]
    address: Annotated[str, Meta(description="The address that sent it.")]
    raw: Annotated[
        str,
        Meta(
            description="JSON in a text: `from_name`, `to_name`, `to_mail`, `subject`, `is_html`, "
            "`content` and `status` of the message.",
            extra_json_schema={"contentMediaType": "application/json"},
        ),
    ]
    created_at: Annotated[
        str, Meta(description="When it was accepted, as `YYYY-MM-DD HH:MM:SS` in UTC.")
    ]
    status: Annotated[Status, Meta(description="What became of it.")]
    content_truncated: Annotated[
        bool | UnsetType,
        Meta(
            description="True where `content`, being over 64 KiB, is only its first 16,384 "
            "characters."
        ),
    ] = UNSET


class SendboxPage(Struct, kw_only=True):
    """Messages, newest first."""

    results: Annotated[list[SendboxEntry], Meta(description="The messages of this page.")]
    count: Annotated[
        int | UnsetType,
        Meta(
            description="How many messages there are in all; of a search, or of all addresses, at "
            "most 1000. Only without `cursor`."
        ),
    ] = UNSET
    next_cursor: Annotated[
        str | UnsetType | None,
        Meta(description="The `cursor` of the next page, null on the last. Only with `cursor`."),
    ] = UNSET


class SentMailbox(Struct):
    """A mailbox of a message."""

    address: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name.")]


class SentAttachment(Struct):
    """What is kept of a file that went with a message."""

    filename: Annotated[str, Meta(description="Its name.")]
    content_type: Annotated[str, Meta(description="Its media type.")]
    content_id: Annotated[
        str | None, Meta(description="The name by which the HTML shows it, where it does.")
    ]
    size: Annotated[int, Meta(description="Its bytes.")]
    sha256: Annotated[str, Meta(description="The SHA-256 of these, as hex.")]


class SentTo(Struct):
    """A recipient of a message."""

    kind: Annotated[RecipientKind, Meta(description="The field of the mail that names it.")]
    address: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name.")]
    status: Annotated[
        DeliveryStatus, Meta(description="What became of the mail to this recipient.")
    ]
    code: Annotated[str | None, Meta(description="The provider's word for why.")]


class Event(Struct):
    """Something that happened to a message."""

    event: Annotated[EventKind, Meta(description="What happened.")]
    at: Annotated[str, Meta(description="When, as ISO 8601 in UTC.")]
    attempt: Annotated[
        int, Meta(description="The attempt that it is about; 0 before the first one.")
    ]
    code: Annotated[str | None, Meta(description="The provider's word for why.")]
    recipient: Annotated[
        str | UnsetType, Meta(description="The recipient, where it is about only one.")
    ] = UNSET


class SendboxMessage(SendboxEntry, kw_only=True):
    """One message, with its recipients and its whole history."""

    message_id: Annotated[str | None, Meta(description="The Message-ID that the provider gave it.")]
    request_id: Annotated[str | None, Meta(description="The id of the request that ordered it.")]
    retry_of: Annotated[str | None, Meta(description="The message that this one repeats.")]
    retried_as: Annotated[str | None, Meta(description="The message that repeats this one.")]
    code: Annotated[str | None, Meta(description="The provider's word for why it failed.")]
    attempts: Annotated[int, Meta(description="How often it was tried.")]
    next_attempt_at: Annotated[
        str | None, Meta(description="When it is tried next, as ISO 8601 in UTC.")
    ]
    finished_at: Annotated[
        str | None, Meta(description="When it came to its end, as ISO 8601 in UTC.")
    ]
    scheduled_at: Annotated[
        str | None, Meta(description="When it was to be sent, where that was not at once.")
    ]
    reply_to: Annotated[SentMailbox | None, Meta(description="Where answers go.")]
    headers: Annotated[dict[str, str], Meta(description="Further header fields, by their names.")]
    tags: Annotated[list[TagField], Meta(description="Its tags.")]
    attachments: Annotated[
        list[SentAttachment], Meta(description="Its files, without what is in them.")
    ]
    text: Annotated[str | None, Meta(description="The plain text, as long as it is kept.")]
    html: Annotated[str | None, Meta(description="The HTML, as long as it is kept.")]
    recipients: Annotated[list[SentTo], Meta(description="The recipients, as they were given.")]
    history: Annotated[list[Event], Meta(description="What happened to it, oldest first.")]
