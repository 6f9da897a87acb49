"""What becomes of a sent mail: the delivery events of its recipients, and their sum.

A recipient has the status of its event with the highest rank. So events change nothing if they
arrive again, late, or in another order.
"""

from typing import Literal, get_args

import msgspec

from mail.message import SANDBOX_DOMAIN

DeliveryKind = Literal["delayed", "delivered", "rejected", "failed", "bounced", "complained"]

# The delivery status of a message or a recipient: ``sent`` before the first event.
DeliveryStatus = Literal["sent", DeliveryKind]

# In ascending rank. `rejected`, `failed` and `bounced` are equally final, and the provider reports
# one of them. If it reports several, the last one in this list counts, so the order of events does
# not matter.
KINDS: tuple[DeliveryKind, ...] = get_args(DeliveryKind)

# The kinds that mean that the provider did not send the mail to this recipient.
NOT_SENT: frozenset[DeliveryKind] = frozenset({"rejected", "failed"})

# The kinds that prove that the provider sent the mail. An event of such a kind outweighs all events
# of NOT_SENT, of any recipient of the message.
PROOFS: frozenset[DeliveryKind] = frozenset({"delivered", "bounced", "complained"})

# The time in which an event can settle the unknown outcome of a message, after its attempt. The
# clocks of the provider and of this service differ by at most CLOCK_ERROR_MILLISECONDS.
SETTLED_WITHIN_MILLISECONDS = 7 * 86_400_000
CLOCK_ERROR_MILLISECONDS = 5 * 60_000


class DeliveryEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of one recipient.

    ``provider_ids`` are the forms of the Message-ID that the provider assigned: with and without
    angle brackets. ``sender`` and ``recipient`` are in the form of ``Address.key``. ``occurred_at``
    is in Unix milliseconds. ``is_permanent`` is whether a bounce is permanent ("hard"), None if it
    is not known. ``smtp_code`` and ``enhanced_code`` (RFC 3463) and ``response`` come from the
    receiving server. ``reason`` is the provider's word for the cause. ``provider`` is the receiving
    mail service.
    """

    id: str
    kind: DeliveryKind
    provider_ids: tuple[str, str]
    sender: str
    recipient: str
    occurred_at: int
    is_permanent: bool | None = None
    smtp_code: str | None = None
    enhanced_code: str | None = None
    response: str | None = None
    reason: str | None = None
    provider: str | None = None

    @property
    def is_sandbox(self) -> bool:
        """Whether it is an event of a sandbox recipient. It counts for nothing but its message."""
        return self.recipient.endswith(f"@{SANDBOX_DOMAIN}")


def rank(kind: DeliveryKind) -> int:
    """The rank of ``kind``: the status of a recipient never changes to a lower one."""
    return KINDS.index(kind)
