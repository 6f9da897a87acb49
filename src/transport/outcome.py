"""What is known after a transport was asked to send: there are three answers, not two."""

from dataclasses import dataclass
from typing import Protocol

from mail.message import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the mail under this Message-ID."""

    provider_message_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider certainly did not take the mail; ``temporary`` if it may do so later."""

    provider_code: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider was called, and whether it took the mail is not known."""

    provider_code: str | None = None


Outcome = Sent | Refused | Unknown


class Transport(Protocol):
    async def send(self, message: Message) -> Outcome:
        """Hand ``message`` to the provider, once. Every failure is an ``Outcome``."""
        ...
