"""Test recipients: what clients are told of mails to them, without a mail.

The local part says what happens; what comes after a ``+`` in it tells recipients apart.

    delivered@    taken by the provider, then delivered
    bounced@      taken, then returned by the recipient's server
    complained@   taken, delivered, then reported as spam
    suppressed@   refused for good: the recipient is on the suppression list
    ratelimited@  refused for now at the first attempt, taken and delivered at the second
    slow@         no answer in time, so the outcome is unknown; taken five seconds later. Where
                  no client waits for it any more, it does not keep the worker waiting either
"""

import asyncio
import uuid
from typing import Literal

from mail.message import Message
from mail.test_recipients import outcome_of
from transport.outcome import ANSWER_SECONDS, Outcome, Refused, Sent, Unknown

DeliveryNews = Literal["delivered", "bounced", "complained"]

_LATE_SECONDS = 5

_DELIVERY_NEWS: dict[str, tuple[DeliveryNews, ...]] = {
    "bounced": ("bounced",),
    "complained": ("delivered", "complained"),
}


async def rehearse(message: Message, *, attempt: int, waited: bool) -> Outcome:
    """The outcome that attempt number ``attempt`` to send a test message has.

    :param waited: its client was answered before.
    """
    match outcome_of(message.recipients[0].address):
        case "suppressed":
            return Refused("E_RECIPIENT_SUPPRESSED", temporary=False)
        case "ratelimited" if attempt == 1:
            return Refused("E_RATE_LIMIT_EXCEEDED", temporary=True)
        case "slow":
            await asyncio.sleep(0 if waited else ANSWER_SECONDS)
            return Unknown(late=_late())
    return _sent()


def delivery_news(message: Message) -> tuple[DeliveryNews, ...]:
    """What comes of a test message after it was sent, for each of its recipients."""
    return _DELIVERY_NEWS.get(outcome_of(message.recipients[0].address), ("delivered",))


async def _late() -> Outcome:
    await asyncio.sleep(_LATE_SECONDS)
    return _sent()


def _sent() -> Sent:
    return Sent(f"<{uuid.uuid4()}@test.invalid>")
