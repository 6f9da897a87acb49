"""The sandbox: recipients at test.invalid. Their mail never leaves the Worker.

The local part chooses the outcome; a suffix after ``+`` distinguishes recipients.

    delivered@    accepted by the provider, then delivered
    bounced@      accepted, then bounced by the recipient's server
    complained@   accepted, delivered, then reported as spam
    suppressed@   rejected permanently: the recipient is on the suppression list
    ratelimited@  rejected transiently at the first attempt, accepted and delivered at the second
    slow@         no response in time, so the outcome is unknown; accepted five seconds later

If no caller waits, or if the messages are large, ``slow@`` waits neither for the timeout nor for
the late response. So these free messages delay no queued mail, and keep no memory.
"""

import uuid
from collections.abc import Awaitable, Callable

from mail.message import Message
from mail.sandbox_recipients import outcome_of
from transport.outcome import RESPONSE_SECONDS, Outcome, Rejected, Sent, Unknown

Sleep = Callable[[float], Awaitable[None]]

_LATE_SECONDS = 5


async def sandbox_outcome(message: Message, *, number: int, waits: bool, sleep: Sleep) -> Outcome:
    """The outcome of attempt ``number`` to send a message to sandbox recipients.

    :param waits: whether ``slow@`` waits as a slow provider does.
    :param sleep: waits for a number of seconds.
    """
    match outcome_of(message.recipients[0].address):
        case "suppressed":
            return Rejected("recipient_suppressed", "E_RECIPIENT_SUPPRESSED")
        case "ratelimited" if number == 1:
            return Rejected("throttled", "E_RATE_LIMIT_EXCEEDED", transient=True)
        case "slow":
            await sleep(RESPONSE_SECONDS if waits else 0)
            return Unknown(cause="timeout", late=_late(sleep, _LATE_SECONDS if waits else 0))
    return _sent()


async def _late(sleep: Sleep, seconds: float) -> Outcome:
    await sleep(seconds)
    return _sent()


def _sent() -> Sent:
    return Sent(f"<{uuid.uuid4()}@test.invalid>")
