"""The one message type: whatever door a mail comes in by, behind it is a ``Message``."""

from dataclasses import dataclass
from typing import Literal

from mail.address import Address

RecipientKind = Literal["to", "cc", "bcc"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail, and in which field of its header he stands."""

    kind: RecipientKind
    address: Address
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A mail that keeps every rule of ``mail/compose.py``.

    ``sender_name`` is the display name, ``text`` and ``html`` are the bodies, of which at least
    one is there and not empty.
    """

    sender: Address
    sender_name: str | None
    recipients: tuple[Recipient, ...]
    subject: str
    text: str | None = None
    html: str | None = None
