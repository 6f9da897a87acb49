"""What is known after a transport was asked to send: there are three answers, not two."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from mail.message import Message

# A provider that takes longer has not answered in time.
ANSWER_SECONDS = 30

# By these the provider refuses what it may take later: its own limits are reached.
TEMPORARY_CODES = frozenset({"E_RATE_LIMIT_EXCEEDED", "E_DAILY_LIMIT_EXCEEDED"})


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
    """The provider was called, and whether it took the mail is not known.

    ``late`` is there when it has not answered in time: what it may still answer.
    """

    provider_code: str | None = None
    late: "Awaitable[Outcome] | None" = None


Outcome = Sent | Refused | Unknown


class Transport(Protocol):
    """A way for mails to leave."""

    async def send(self, message: Message) -> Outcome:
        """Hand ``message`` to the provider, once, and wait at most 30 s for its answer.

        Every failure is an ``Outcome``.
        """
        ...
