"""The types of Resend's API: requests and responses."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from mail.fields import AttachmentField, MailboxField, SubmissionFields

MAX_BATCH = 100

# The type of fields that are rejected. They stay raw JSON, so that large values are not decoded.
# Null counts as a missing field.
Unread = Raw | UnsetType
_NOTHING = {"type": "null"}


class EmailAttachment(AttachmentField, kw_only=True, forbid_unknown_fields=True):
    """An attached file."""

    inline_content_id: Annotated[str | None, Meta(description="Another name for `content_id`.")] = (
        None
    )
    path: Annotated[
        Unread,
        Meta(
            description="Rejected: the service fetches no files. Use `content`.",
            extra_json_schema=_NOTHING,
        ),
    ] = UNSET


class NewEmail(SubmissionFields, kw_only=True, forbid_unknown_fields=True):
    """A mail to send."""

    sender: Annotated[
        str | MailboxField | None,
        Meta(
            description="The address of the API key, alone or as `Name <address>` with any display "
            "name. Required."
        ),
    ] = msgspec.field(default=None, name="from")
    attachments: Annotated[
        list[EmailAttachment] | None,
        Meta(
            description="At most 100 files. The mail has at most 5 MiB after MIME encoding. "
            "Rejected in a batch."
        ),
    ] = None
    template: Annotated[
        Unread,
        Meta(description="Rejected: templates are not supported.", extra_json_schema=_NOTHING),
    ] = UNSET
    topic_id: Annotated[
        Unread, Meta(description="Rejected: topics are not supported.", extra_json_schema=_NOTHING)
    ] = UNSET


# The body of `send_batch` in the API description. `send_batch` decodes each email separately, so
# that a permissive batch can accept the others if one is invalid.
NewBatch = Annotated[list[NewEmail], Meta(min_length=1, max_length=MAX_BATCH)]


# The items of a batch as raw JSON, at most MAX_BATCH + 1: one more shows that a batch is too long.
# Further items of the array are skipped, because the struct has no fields for them. A list would
# have an object for each item, and the array may have millions.
FirstItems: type[Struct] = msgspec.defstruct(
    "FirstItems",
    [(f"item_{number}", Unread, UNSET) for number in range(MAX_BATCH + 1)],
    array_like=True,
)


def first_items(items: Struct) -> list[Raw]:
    """The items in the fields of ``items``, which is a ``FirstItems``."""
    return [item for item in msgspec.structs.astuple(items) if item is not UNSET]


class NewTime(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new time for a scheduled mail."""

    scheduled_at: Annotated[
        str | None, Meta(description="The time in ISO 8601, at most 30 days ahead. Required.")
    ] = None
    id: Annotated[
        str | None, Meta(description="If given, the same id as in the path. Optional.")
    ] = None


class EmailId(Struct):
    """A mail that was accepted."""

    id: Annotated[str, Meta(description="The id of the mail. Ids sort by time.")]


class EmailObject(Struct, tag_field="object", tag="email"):
    """A mail that was changed."""

    id: Annotated[str, Meta(description="The id of the mail.")]


class BatchError(Struct):
    """A rejected mail of a batch."""

    index: Annotated[int, Meta(description="The position in the request, starting at 0.")]
    message: Annotated[str, Meta(description="The error, as a sentence.")]


class Batch(Struct):
    """The accepted mails of a batch and, in a permissive batch, the errors."""

    data: Annotated[
        list[EmailId], Meta(description="The accepted mails, in the order of the request.")
    ]
    errors: Annotated[
        list[BatchError] | UnsetType,
        Meta(description="The rejected mails. Only with `x-batch-validation: permissive`."),
    ] = UNSET
