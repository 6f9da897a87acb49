"""Claim: one batch by which a worker takes over a message that is due, and reads it.

The attempt number grows with each claim, and news of an attempt name its number: so of two
workers that were woken for one message one gets it, and what an earlier one says later is
news of an earlier attempt.
"""

import msgspec

from lifecycle import steps_on
from mail.address import Address
from mail.message import Message, Recipient
from store.database import Database, Row, Statement


class Claim(msgspec.Struct, frozen=True):
    """What a worker holds: attempt ``attempt`` of message ``id``.

    ``accepted_at`` is in Unix milliseconds; ``request_id`` is that of the request that made it.
    """

    id: str
    attempt: int
    accepted_at: int
    request_id: str | None


_WAITING = ", ".join(f"'{status}'" for status in steps_on("claimed"))

# A claimant that finds its own claim is told of it again: D1's first answer was lost.
_CLAIM = f"""
UPDATE messages
SET
  status = 'sending', attempt = attempt + (status <> 'sending'), claimed_by = ?4,
  lease_until = ?3, next_attempt_at = NULL, provider_code = NULL
WHERE id = ?1 AND (
  status IN ({_WAITING}) AND next_attempt_at <= ?2 OR status = 'sending' AND claimed_by = ?4
)
RETURNING id, attempt, accepted_at, request_id, sender, sender_name, subject
"""

_RECIPIENTS = "SELECT kind, address, name FROM deliveries WHERE message_id = ?1 ORDER BY position"

_BODIES = "SELECT kind, content FROM bodies WHERE message_id = ?1 ORDER BY kind, part"


async def claim(
    database: Database, message_id: str, *, claimant: str, now: int, lease_until: int
) -> tuple[Claim, Message] | None:
    """Take over the message if it is due and nobody holds it; times in Unix milliseconds.

    :param claimant: who asks; another word for each call.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    claimed, recipients, bodies = await database.batch(
        [
            Statement(_CLAIM, (message_id, now, lease_until, claimant)),
            Statement(_RECIPIENTS, (message_id,)),
            Statement(_BODIES, (message_id,)),
        ],
        repeatable=True,
    )
    if not claimed:
        return None
    (row,) = claimed
    held = Claim(row["id"], row["attempt"], row["accepted_at"], row["request_id"])
    return held, stored_message(row, recipients, bodies)


def stored_message(row: Row, recipients: list[Row], bodies: list[Row]) -> Message:
    """The message of a row of ``messages`` and of its rows in ``deliveries`` and ``bodies``."""
    return Message(
        sender=_address(row["sender"]),
        sender_name=row["sender_name"],
        recipients=tuple(
            Recipient(recipient["kind"], _address(recipient["address"]), recipient["name"])
            for recipient in recipients
        ),
        subject=row["subject"],
        text=body_of(bodies, "text"),
        html=body_of(bodies, "html"),
    )


def body_of(bodies: list[Row], kind: str) -> str | None:
    """The whole body of this kind from its parts, or None where there is none."""
    parts = [row["content"] for row in bodies if row["kind"] == kind]
    return "".join(parts) if parts else None


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain)
