"""The message type ``Message``, common to all endpoints, and its stored form.

``MessageDetails`` has the fields that no SQL filters by. The database stores them in one JSON
column. A new field needs only a line here. Storing, claiming and the digest then include it.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from mail.addresses import Address

RecipientKind = Literal["to", "cc", "bcc"]

# Mail to this domain never leaves the Worker. The top-level domain is reserved (RFC 6761, section
# 6.4).
SANDBOX_DOMAIN = "test.invalid"


class Mailbox(msgspec.Struct, frozen=True):
    """An address with its display name."""

    address: Address
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient. ``kind`` is the header field that contains the recipient.

    ``field`` is the field of the request that contained the recipient, like ``to[2]``, for error
    messages. It is None for a stored message.
    """

    kind: RecipientKind
    address: Address
    name: str | None = None
    field: str | None = dataclasses.field(default=None, compare=False)


class Header(msgspec.Struct, frozen=True):
    """One custom header field."""

    name: str
    value: str


class Tag(msgspec.Struct, frozen=True):
    """A name and a value that label a message. Tags are not part of the mail."""

    name: Annotated[
        str,
        Meta(description="1 to 256 letters, digits, `_` and `-`. Each tag has a different name."),
    ]
    value: Annotated[str, Meta(description="1 to 256 letters, digits, `_` and `-`.")]


class AttachmentInfo(msgspec.Struct, frozen=True):
    """The description of an attachment. It is kept when the content is removed."""

    filename: Annotated[str, Meta(description="The file name.")]
    content_type: Annotated[str, Meta(description="The media type.")]
    size: Annotated[int, Meta(description="The size in bytes.")]
    sha256: Annotated[str, Meta(description="The SHA-256 of the content, in hex.")]
    content_id: Annotated[
        str | None, Meta(description="The name by which the HTML refers to an inline file.")
    ] = None


class Attachment(AttachmentInfo, frozen=True):
    """An attachment with its content."""

    content: bytes = b""

    @property
    def info(self) -> AttachmentInfo:
        """The description without the content."""
        return AttachmentInfo(
            self.filename, self.content_type, self.size, self.sha256, self.content_id
        )


class MessageDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of a message that no index has. Only the filter by tag reads them in SQL."""

    reply_to: Mailbox | None = None
    headers: tuple[Header, ...] = ()
    tags: tuple[Tag, ...] = ()
    attachments: tuple[AttachmentInfo, ...] = ()
    adaptations: tuple[str, ...] = ()


class Message(MessageDetails, frozen=True, kw_only=True):
    """A mail that satisfies every rule of ``mail/compose.py``.

    ``sender_name`` is the display name of the sender. At least one of ``text`` and ``html`` is
    present and not empty. ``scheduled_at`` is the time to send the mail, in Unix milliseconds; None
    means at once. ``adaptations`` says how the mail differs from the one that the sender wrote.
    ``size`` is the ``encoded_size`` in bytes, which ``compose`` computes once and SQL stores.
    """

    sender: Address
    sender_name: str | None = None
    recipients: tuple[Recipient, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    scheduled_at: int | None = None
    attachments: tuple[Attachment, ...] = ()
    size: int = 0

    @property
    def is_sandbox(self) -> bool:
        """Whether the recipients are sandbox recipients: either all of them are, or none."""
        return self.recipients[0].address.domain == SANDBOX_DOMAIN

    @property
    def mailboxes(self) -> Iterator[Mailbox]:
        """The mailboxes of the sender, of each recipient, and for replies."""
        yield Mailbox(self.sender, self.sender_name)
        yield from (Mailbox(one.address, one.name) for one in self.recipients)
        if self.reply_to:
            yield self.reply_to

    @property
    def bodies(self) -> Iterator[tuple[str, str]]:
        """The kind (``text`` or ``html``) and the content of each body."""
        for kind, body in (("text", self.text), ("html", self.html)):
            if body is not None:
                yield kind, body


_DETAILS = MessageDetails.__struct_fields__
_decode_details = msgspec.json.Decoder(MessageDetails).decode


def encode_details(message: Message) -> bytes:
    """The details of ``message`` as JSON; ``{}`` if there are none."""
    fields: dict[str, Any] = {name: getattr(message, name) for name in _DETAILS}
    fields["attachments"] = tuple(file.info for file in message.attachments)
    return msgspec.json.encode(MessageDetails(**fields))


def decode_details(column: str | None) -> MessageDetails:
    """The details from a column written by ``encode_details``; None means no details."""
    return _decode_details(column) if column else MessageDetails()


def stored_message(
    details: MessageDetails, contents: Iterable[bytes] | None, **columns: Any
) -> Message:
    """The message that was stored as ``details``, ``contents`` and ``columns``.

    :param contents: the contents of the attachments, in order; None if they were removed.
    :param columns: the fields of ``Message`` outside of ``MessageDetails``.
    """
    infos = details.attachments
    kept = [b""] * len(infos) if contents is None else contents
    attachments = tuple(
        Attachment(**asdict(info), content=content)
        for info, content in zip(infos, kept, strict=True)
    )
    return Message(**{**asdict(details), "attachments": attachments}, **columns)
