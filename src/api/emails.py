"""Mails as clients of Resend write and read them."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from api.problems import FieldProblem
from lifecycle import Status
from mail.fields import Mailboxes, MailboxField, TagField

MAX_BATCH = 100
MAX_PAGE = 100

# What is refused need not be made into Python values first, which may be many. Null is no value.
Unread = Raw | UnsetType
_NOTHING = {"type": "null"}

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


class EmailAttachment(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file that goes with a mail."""

    content: Annotated[
        str | list[Annotated[int, Meta(ge=0, le=255)]] | None,
        Meta(description="What is in the file: base64, or a list of its bytes. Required."),
    ] = None
    filename: Annotated[
        str | None, Meta(description="Its name, of at most 255 bytes and no path. Required.")
    ] = None
    content_type: Annotated[
        str | None, Meta(description="The media type; without one the filename tells it.")
    ] = None
    content_id: Annotated[
        str | None,
        Meta(description="The name by which the HTML shows it, as `cid:` and this; then inline."),
    ] = None
    inline_content_id: Annotated[str | None, Meta(description="Another name of `content_id`.")] = (
        None
    )
    path: Annotated[
        Unread,
        Meta(
            description="Refused: no file is fetched from elsewhere. Give its `content`.",
            extra_json_schema=_NOTHING,
        ),
    ] = UNSET


class NewEmail(Struct, kw_only=True, forbid_unknown_fields=True):
    """A mail to be sent."""

    sender: Annotated[
        str | MailboxField | None,
        Meta(
            description="The address of the API key, alone or as `Name <address>`, "
            "with any display name. Required."
        ),
    ] = msgspec.field(default=None, name="from")
    to: Annotated[
        Mailboxes,
        Meta(
            description="One recipient or a list of them, each as `Name <address>`, an address "
            "alone, or an object. At most 50 in `to`, `cc` and `bcc` together. Required."
        ),
    ] = None
    cc: Annotated[Mailboxes, Meta(description="Those who get a copy, given as in `to`.")] = None
    bcc: Annotated[
        Mailboxes, Meta(description="Those who get a copy that nobody sees, given as in `to`.")
    ] = None
    reply_to: Annotated[
        Mailboxes, Meta(description="Where answers go: one mailbox, given as in `to`.")
    ] = None
    subject: Annotated[
        str | None, Meta(description="1 to 998 characters, without line breaks. Required.")
    ] = None
    text: Annotated[
        str | None,
        Meta(
            description="The mail as plain text. Without it one is made of `html`, unless it is "
            "the empty text. Required without `html`."
        ),
    ] = None
    html: Annotated[str | None, Meta(description="The mail as HTML. Required without `text`.")] = (
        None
    )
    headers: Annotated[
        dict[str, str] | None,
        Meta(
            description="Further header fields by their names: any `X-` name, and those that the "
            "provider takes. Values of at most 2,048 bytes, 16 KiB in all."
        ),
    ] = None
    attachments: Annotated[
        list[EmailAttachment] | None,
        Meta(
            description="At most 100 files. The mail has at most 5 MiB after MIME encoding. "
            "Refused in a batch."
        ),
    ] = None
    tags: Annotated[
        list[TagField] | None,
        Meta(description="At most 50 words by which you find the mail again. They are not sent."),
    ] = None
    scheduled_at: Annotated[
        str | None,
        Meta(
            description="When to send it, as ISO 8601 (UTC where it names no zone), up to 30 days "
            "ahead. Without it: at once. Refused in a batch."
        ),
    ] = None
    template: Annotated[
        Unread,
        Meta(description="Refused: there are no templates.", extra_json_schema=_NOTHING),
    ] = UNSET
    topic_id: Annotated[
        Unread, Meta(description="Refused: there are no topics.", extra_json_schema=_NOTHING)
    ] = UNSET


class NewTime(Struct, kw_only=True, forbid_unknown_fields=True):
    """Another time for a scheduled mail."""

    scheduled_at: Annotated[
        str | None, Meta(description="When to send it, as ISO 8601, up to 30 days ahead. Required.")
    ] = None
    id: Annotated[str | None, Meta(description="The id in the path, where it is repeated.")] = None


class EmailId(Struct):
    """A mail that was accepted."""

    id: Annotated[str, Meta(description="The id of the mail; ids sort by time.")]


class EmailObject(Struct, tag_field="object", tag="email"):
    """A mail that was changed."""

    id: Annotated[str, Meta(description="The id of the mail.")]


class BatchError(Struct):
    """A mail of a batch that was refused."""

    index: Annotated[int, Meta(description="Its place in the request, counted from 0.")]
    message: Annotated[str, Meta(description="What is wrong with it.")]


class Batch(Struct):
    """What became of a batch."""

    data: Annotated[
        list[EmailId], Meta(description="The mails that were accepted, in their order.")
    ]
    errors: Annotated[
        list[BatchError] | UnsetType,
        Meta(description="Those that were not. Only with `x-batch-validation: permissive`."),
    ] = UNSET


class ListedEmail(Struct, kw_only=True):
    """A mail as lists show it."""

    id: Annotated[str, Meta(description="The id of the mail; ids sort by time.")]
    message_id: Annotated[
        str | None, Meta(description="The Message-ID that the provider gave it, once it is sent.")
    ]
    sender: Annotated[str, Meta(description="Who sent it, as `Name <address>`.")] = msgspec.field(
        name="from"
    )
    to: Annotated[list[str], Meta(description="The recipients.")]
    cc: Annotated[list[str], Meta(description="Those who got a copy.")]
    bcc: Annotated[list[str], Meta(description="Those who got a copy that nobody saw.")]
    reply_to: Annotated[list[str], Meta(description="Where answers go.")]
    subject: Annotated[str, Meta(description="The subject.")]
    created_at: Annotated[str, Meta(description="When it was accepted, as ISO 8601 in UTC.")]
    scheduled_at: Annotated[
        str | None, Meta(description="When it was to be sent, where that was not at once.")
    ]
    last_event: Annotated[
        LastEvent,
        Meta(
            description="What became of it. `delivery_delayed` stands for `unknown` as well: "
            "nobody knows whether it left."
        ),
    ]
    status: Annotated[Status, Meta(description="What became of it, in this service's own words.")]


class Email(ListedEmail, kw_only=True, tag_field="object", tag="email"):
    """A mail, all of it."""

    text: Annotated[str | None, Meta(description="The plain text, as long as it is kept.")]
    html: Annotated[str | None, Meta(description="The HTML, as long as it is kept.")]
    tags: Annotated[list[TagField], Meta(description="Its tags.")]


class EmailPage(Struct, kw_only=True, tag_field="object", tag="list"):
    """Mails, newest first."""

    has_more: Annotated[bool, Meta(description="Whether there are more in this direction.")]
    data: Annotated[list[ListedEmail], Meta(description="The mails of this page.")]


class EmailProblem(Struct, kw_only=True):
    """An error, as clients of Resend get it."""

    status: Annotated[int, Meta(description="The HTTP status.")] = msgspec.field(name="statusCode")
    name: Annotated[str, Meta(description="What is wrong, in one of Resend's words.")]
    message: Annotated[
        str, Meta(description="What is wrong, for people, with the fields at fault named.")
    ]
    code: Annotated[str, Meta(description="What is wrong, in one of this service's words.")]
    request_id: Annotated[str, Meta(description="The id of the request, as in `X-Request-Id`.")]
    errors: Annotated[list[FieldProblem] | UnsetType, Meta(description="The fields at fault.")] = (
        UNSET
    )
    id: Annotated[str | UnsetType, Meta(description="The id of the mail, where one was kept.")] = (
        UNSET
    )
    message_status: Annotated[str | UnsetType, Meta(description="The status of that mail.")] = UNSET
