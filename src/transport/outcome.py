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

# The name of the transport that is the ``send_email`` binding.
BINDING = "send_email"

# How long a provider with idempotency keys is asked again with the same key. Resend keeps a key for
# 24 hours; the margin is for clocks that differ.
KEY_MILLISECONDS = 23 * 3_600_000

Reason = Literal[
    "recipient_suppressed",  # the provider's suppression list has the recipient
    "recipient_rejected",  # the recipient can't be reached
    "sender_not_allowed",  # the provider does not send for this sender
    "content_rejected",  # the provider rejects this content
    "throttled",  # too many messages right now
    "quota_reached",  # too many messages today
    "credentials_rejected",  # the provider does not accept the key or the password
    "unreachable",  # nothing was sent, because there is no connection to the provider
    "provider_error",  # any other definite rejection
]

# The reasons that concern the transport and neither the recipient nor the content, so that another
# transport may accept the mail.
ABOUT_TRANSPORT: frozenset[Reason] = frozenset(
    {"sender_not_allowed", "throttled", "quota_reached", "credentials_rejected", "unreachable"}
)
# Those of them for which the transport accepts no mail at all for now.
FAILS_FOR_ALL: frozenset[Reason] = frozenset(
    {"quota_reached", "credentials_rejected", "unreachable"}
)


class Sent(msgspec.Struct, frozen=True):
    """The provider accepted the mail under this Message-ID."""

    provider_message_id: str | None


class Rejected(msgspec.Struct, frozen=True):
    """The provider rejected the mail.

    ``transient`` is true if the provider may accept the same mail later (RFC 3463).
    ``provider_code`` is the provider's own code. ``detail`` explains it to administrators. It does
    not quote the mail.
    """

    reason: Reason
    provider_code: str
    transient: bool = False
    detail: str | None = None


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
