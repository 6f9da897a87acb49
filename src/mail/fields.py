"""The request fields of a mail, with their descriptions for the API documentation."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from mail.scalars import Scalar


class MailboxField(Struct):
    """A mailbox as an object. A mailbox can also be a string: `Name <address>` or an address."""

    email: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name, at most 200 characters.")] = (
        None
    )


# PHP writes an empty object as an empty list. Decoding a tuple stops at the first item of a longer
# one.
Headers = dict[str, Scalar] | tuple[()] | None


class BufferField(Struct, tag_field="type", tag="Buffer"):
    """Bytes as Node.js writes a `Buffer` in JSON."""

    data: Annotated[
        list[Annotated[int, Meta(ge=0, le=255)]], Meta(description="The bytes, as numbers.")
    ]


Mailboxes = str | MailboxField | list[str | MailboxField] | None


class AttachmentField(Struct, kw_only=True):
    """An attached file."""

    filename: Annotated[
        str | None, Meta(description="The file name without a path, at most 255 bytes. Required.")
    ] = None
    content: Annotated[
        str | list[Annotated[int, Meta(ge=0, le=255)]] | BufferField | None,
        Meta(
            description="The content: base64, a list of bytes, or a `Buffer` of Node.js. A text "
            "that begins with `BEGIN:VCALENDAR`, of the type text/calendar, is the content itself. "
            "Required."
        ),
    ] = None
    content_type: Annotated[
        str | None, Meta(description="The media type. The default depends on the filename.")
    ] = None
    content_id: Annotated[
        str | None,
        Meta(description="Makes the file inline. The HTML refers to it as `cid:<content_id>`."),
    ] = None


class Base64Attachment(AttachmentField, kw_only=True):
    """An attached file with its content as base64."""

    content: Annotated[
        str | BufferField | None,
        Meta(
            description="The content as base64, empty for an empty file, or a `Buffer` of Node.js. "
            "A text that begins with `BEGIN:VCALENDAR`, of the type text/calendar, is the content "
            "itself. Required."
        ),
    ] = None


class MailFields(Struct, kw_only=True):
    """The fields of every request that sends a mail."""

    to: Annotated[
        Mailboxes,
        Meta(
            description="One recipient or a list. Each is `Name <address>`, only an address, or "
            "an object. At most 50 in `to`, `cc` and `bcc` together."
        ),
    ] = None
    cc: Annotated[Mailboxes, Meta(description="Recipients of a copy, in the form of `to`.")] = None
    bcc: Annotated[
        Mailboxes, Meta(description="Recipients of a blind copy, in the form of `to`.")
    ] = None
    reply_to: Annotated[
        Mailboxes,
        Meta(
            description="The mailbox for replies, in the form of `to`. Of several, in a list or "
            "separated by commas, only the first is used."
        ),
    ] = None
    subject: Annotated[
        str | None, Meta(description="1 to 998 characters, without line breaks. Required.")
    ] = None
    text: Annotated[
        str | None,
        Meta(
            description="The plain text. By default it is generated from `html`; an empty string "
            "disables this."
        ),
    ] = None
    html: Annotated[str | None, Meta(description="The HTML.")] = None
    headers: Annotated[
        Headers,
        Meta(
            description="Additional header fields: any `X-` name, and the names that the provider "
            "accepts. At most 2,048 bytes per value, 16 KiB in total. A number or a boolean stands "
            "for its text, and an empty list for an empty object. `Reply-To` stands for `reply_to`."
        ),
    ] = None
    attachments: Annotated[
        Sequence[AttachmentField] | None,
        Meta(description="At most 100 files. The mail has at most 5 MiB after MIME encoding."),
    ] = None


# A dict, because the name of its only member can be the name of the tag.
TagField = Annotated[dict[str, Scalar | None], Meta(min_length=1)]


class SubmissionFields(MailFields, kw_only=True):
    """The fields of a mail, and the fields that only this service uses."""

    tags: Annotated[
        list[TagField] | None,
        Meta(
            description="At most 50 tags that label the message. They are not part of the mail. "
            "Each is an object with `name` and `value`, or with one member, its name."
        ),
    ] = None
    scheduled_at: Annotated[
        str | None,
        Meta(
            description="The time to send the mail, in ISO 8601 (UTC by default), at most 30 days "
            "ahead. Without it the mail is sent at once."
        ),
    ] = None


class SendMail(SubmissionFields, kw_only=True):
    """A mail to send from the address of the credential."""

    attachments: Annotated[
        list[Base64Attachment] | None,
        Meta(description="At most 100 files. The mail has at most 5 MiB after MIME encoding."),
    ] = None

    from_name: Annotated[
        str | None,
        Meta(description="The display name of the sender."),
    ] = None
    to_mail: Annotated[
        str | None,
        Meta(
            description="The mail address of a recipient. Required unless `to`, `cc` or `bcc` "
            "has a recipient.",
            extra_json_schema={"format": "email"},
        ),
    ] = None
    to_name: Annotated[
        str | None, Meta(description="The display name of the recipient `to_mail`.")
    ] = None
    content: Annotated[
        str | None,
        Meta(
            description="The plain text, or the HTML if `is_html` is true. Required if both `text` "
            "and `html` are missing; otherwise ignored."
        ),
    ] = None
    is_html: Annotated[
        bool | None, Meta(description="Whether `content` is HTML. By default it is plain text.")
    ] = None
    adaptations: Annotated[
        list[str] | None,
        Meta(
            description="For relays: what the relay has changed in the mail, in at most 50 "
            "sentences of at most 200 characters. They are shown with the message. They are not "
            "part of the mail, and a repeated request may have others."
        ),
    ] = None
