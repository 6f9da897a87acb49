"""The one message type: whatever door a mail comes in by, behind it is a ``Message``."""

from dataclasses import dataclass, field
from typing import Literal

from mail.address import Address

RecipientKind = Literal["to", "cc", "bcc"]

# Mail to these never leaves the worker: the top-level domain is reserved (RFC 6761, section 6.4).
TEST_DOMAIN = "test.invalid"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail, and in which field of its header he stands.

    ``field`` is where the request names him (``to[2]``), for the refusal that tells of him.
    """

    kind: RecipientKind
    address: Address
    name: str | None = None
    field: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with its display name."""

    address: Address
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """One header field beside those that a message has of itself."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; an image inside of its HTML where there is a ``content_id``.

    ``sha256`` is that of ``content``, as hex.
    """

    filename: str
    content_type: str
    content: bytes
    sha256: str
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with a value, by which a client finds its messages again; it is not sent."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Message:
    """A mail that keeps every rule of ``mail/compose.py``.

    ``sender_name`` is the display name, ``text`` and ``html`` are the bodies, of which at least
    one is there and not empty. ``scheduled_at`` is when it is to be sent, in Unix milliseconds;
    None is at once.
    """

    sender: Address
    sender_name: str | None
    recipients: tuple[Recipient, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    reply_to: Mailbox | None = None
    headers: tuple[Header, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    tags: tuple[Tag, ...] = ()
    scheduled_at: int | None = None

    @property
    def is_test(self) -> bool:
        """Whether it goes to test recipients, which are never mixed with others."""
        return self.recipients[0].address.domain == TEST_DOMAIN
