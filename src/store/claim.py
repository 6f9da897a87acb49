"""Claim: one batch by which a worker takes over a message that is due, and reads it.

The attempt number grows with each claim, and news of an attempt name its number: so of two
workers that were woken for one message one gets it, and what an earlier one says later is
news of an earlier attempt.
"""

from typing import Any

import msgspec

from lifecycle import steps_on
from mail.address import Address
from mail.message import Header, Mailbox, Message, Recipient, Tag
from store.database import Database, Row, Statement
from store.parts import body_of, stored_attachments
from store.pauses import OWNER_IS_PAUSED
from store.sendboxes import LIES_ANYWHERE


class Claim(msgspec.Struct, frozen=True):
    """What a worker holds: attempt ``attempt`` of message ``id``.

    ``tried_from`` is its acceptance, or the time that it was scheduled for, in Unix milliseconds;
    ``request_id`` is that of the request that made it; ``size`` its bytes after MIME encoding.
    """

    id: str
    attempt: int
    tried_from: int
    request_id: str | None
    size: int


_WAITING = ", ".join(f"'{status}'" for status in steps_on("claimed"))

# A claimant that finds its own claim is told of it again: D1's first answer was lost. What lies in
# no present sendbox any more is on its way to be cancelled; what a paused address has queued waits
# until the pause is lifted.
_CLAIM = f"""
UPDATE messages AS m
SET
  status = 'sending', attempt = attempt + (status <> 'sending'), claimed_by = ?4,
  lease_until = ?3, next_attempt_at = NULL, provider_code = NULL
WHERE id = ?1 AND {LIES_ANYWHERE} AND NOT {OWNER_IS_PAUSED} AND (
  status IN ({_WAITING}) AND next_attempt_at <= ?2 OR status = 'sending' AND claimed_by = ?4
)
RETURNING
  id, attempt, coalesce(scheduled_at, accepted_at) AS tried_from, request_id, size,
  sender, sender_name, subject, reply_to, headers, attachments, tags
"""

# Most claims of a message that others were woken for too come to nothing, and read nothing.
_IS_MINE = "EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND claimed_by = ?2)"

_RECIPIENTS = f"""
SELECT kind, address, name FROM deliveries WHERE message_id = ?1 AND {_IS_MINE} ORDER BY position
"""

_BODIES = f"""
SELECT kind, content FROM bodies WHERE message_id = ?1 AND {_IS_MINE} ORDER BY kind, part
"""

_ATTACHMENT_PARTS = f"""
SELECT position, content FROM attachment_parts
WHERE message_id = ?1 AND {_IS_MINE} ORDER BY position, part
"""


async def claim(
    database: Database, message_id: str, *, claimant: str, now: int, lease_until: int
) -> tuple[Claim, Message] | None:
    """Take over the message if it is due and nobody holds it; times in Unix milliseconds.

    :param claimant: who asks; another word for each call.
    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    claimed, *parts = await database.batch(
        [
            Statement(_CLAIM, (message_id, now, lease_until, claimant)),
            *(
                Statement(sql, (message_id, claimant))
                for sql in (_RECIPIENTS, _BODIES, _ATTACHMENT_PARTS)
            ),
        ],
        repeatable=True,
    )
    if not claimed:
        return None
    (row,) = claimed
    held = Claim(row["id"], row["attempt"], row["tried_from"], row["request_id"], row["size"])
    return held, stored_message(row, *parts)


def stored_message(
    row: Row, recipients: list[Row], bodies: list[Row], attachment_parts: list[Row]
) -> Message:
    """What is to be sent for a row of ``messages`` and the rows that belong to it."""
    reply_to = _decoded(row["reply_to"])
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
        reply_to=Mailbox(_address(reply_to["address"]), reply_to["name"]) if reply_to else None,
        headers=tuple(Header(**header) for header in _decoded(row["headers"]) or ()),
        attachments=stored_attachments(_decoded(row["attachments"]) or [], attachment_parts),
        tags=tuple(Tag(**tag) for tag in _decoded(row["tags"]) or ()),
    )


def _decoded(column: str | None) -> Any:
    return None if column is None else msgspec.json.decode(column)


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain)
