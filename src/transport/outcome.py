"""The outcome of an attempt: sent, rejected or unknown.

A transport maps the provider's codes to ``Reason``s. The original codes are kept only for display.
"""

from collections.abc import Awaitable
from typing import Literal, Protocol

import msgspec

from mail.message import Message

# The maximum time for a response of the provider. A slower response counts as a timeout.
RESPONSE_SECONDS = 30
# The maximum further time for a late response. Workers may end the invocation of a request half a
# minute after the response, and then nothing that still waits would be released.
LATE_SECONDS = 27

Reason = Literal[
    "recipient_suppressed",  # the provider's suppression list has the recipient
    "recipient_rejected",  # the recipient can't be reached
    "sender_not_allowed",  # the provider does not send for this sender
    "content_rejected",  # the provider rejects this content
    "throttled",  # too many messages right now
    "quota_reached",  # too many messages today
    "provider_error",  # any other definite rejection
]


class Sent(msgspec.Struct, frozen=True):
    """The provider accepted the mail under this Message-ID."""

    provider_message_id: str | None


class Rejected(msgspec.Struct, frozen=True):
    """The provider rejected the mail.

    ``transient`` is true if the provider may accept the same mail later (RFC 3463).
    ``provider_code`` is the provider's own code.
    """

    reason: Reason
    provider_code: str
    transient: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """The provider was called, but it is unknown whether it accepted the mail.

    ``provider_code`` is the provider's own code, if it sent one. ``cause``, for the log, is
    ``timeout`` or the kind of an exception. After a timeout, awaiting ``late`` returns the outcome
    when the late response arrives.
    """

    provider_code: str | None = None
    cause: str | None = None
    late: "Awaitable[Outcome] | None" = None


Outcome = Sent | Rejected | Unknown


class Transport(Protocol):
    """Sends mail through a provider."""

    async def send(self, message: Message) -> Outcome:
        """Hand ``message`` to the provider, once, and wait at most 30 s for a response.

        Failures are returned as an ``Outcome``, never raised.
        """
        ...
