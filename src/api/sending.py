"""Sending."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lifecycle import Status
from mail.fields import AttachmentField, Mailboxes, TagField


class SendMail(Struct):
    """A mail to be sent."""

    from_name: Annotated[
        str | None,
        Meta(description="The display name of the sender, whose address is the credential's."),
    ] = None
    to_mail: Annotated[
        str | None,
        Meta(
            description="The mail address of a recipient. Required, unless `to`, `cc` or `bcc` "
            "names one.",
            extra_json_schema={"format": "email"},
        ),
    ] = None
    to_name: Annotated[str | None, Meta(description="The display name of that recipient.")] = None
    subject: Annotated[
        str | None, Meta(description="1 to 998 characters, without line breaks. Required.")
    ] = None
    content: Annotated[
        str | None,
        Meta(
            description="The text, or the HTML where `is_html`. Required, unless there is `text` "
            "or `html`, which count instead of it."
        ),
    ] = None
    is_html: Annotated[
        bool | None, Meta(description="Whether `content` is HTML; plain text unless it is true.")
    ] = None
    to: Annotated[
        Mailboxes,
        Meta(
            description="Recipients beside `to_mail`: one or a list, each as `Name <address>`, "
            "an address alone, or an object. At most 50 in `to`, `cc` and `bcc` together."
        ),
    ] = None
    cc: Annotated[Mailboxes, Meta(description="Those who get a copy, given as in `to`.")] = None
    bcc: Annotated[
        Mailboxes, Meta(description="Those who get a copy that nobody sees, given as in `to`.")
    ] = None
    reply_to: Annotated[
        Mailboxes, Meta(description="Where answers go: one mailbox, given as in `to`.")
    ] = None
    text: Annotated[
        str | None,
        Meta(
            description="The mail as plain text. Without it one is made of `html`, unless it is "
            "the empty text."
        ),
    ] = None
    html: Annotated[str | None, Meta(description="The mail as HTML.")] = None
    headers: Annotated[
        dict[str, str] | None,
        Meta(
            description="Further header fields by their names: any `X-` name, and those that the "
            "provider takes. Values of at most 2,048 bytes, 16 KiB in all."
        ),
    ] = None
    attachments: Annotated[
        list[AttachmentField] | None,
        Meta(description="At most 100 files. The mail has at most 5 MiB after MIME encoding."),
    ] = None
    tags: Annotated[
        list[TagField] | None,
        Meta(description="At most 50 words by which you find the mail again. They are not sent."),
    ] = None
    scheduled_at: Annotated[
        str | None,
        Meta(
            description="When to send it, as ISO 8601 (UTC where it names no zone), up to 30 days "
            "ahead. Without it: at once."
        ),
    ] = None


class SendMailWithToken(SendMail):
    """A mail to be sent, with the credential beside it."""

    token: Annotated[str | None, Meta(description="The address JWT. It is not kept. Required.")] = (
        None
    )


class SendAnswer(Struct):
    """What became of a mail."""

    status: Annotated[
        Literal["ok"] | Status,
        Meta(description="`ok` where the provider took the mail, else the message's status."),
    ]
    id: Annotated[str, Meta(description="The id of the message here, for the sendbox.")]
    message_id: Annotated[
        str | UnsetType | None,
        Meta(description="The Message-ID that the provider gave the mail, once it is sent."),
    ] = UNSET
