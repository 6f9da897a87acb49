"""Claim: one batch in which a worker takes over a due message and reads its content.

Only a waiting message can be claimed, so only one of two workers gets it. Each claim increments the
attempt number, and each result names its attempt, so the late result of an earlier attempt has no
effect.
"""

from mail.addresses import Address
from mail.message import Message, Recipient, decode_details, stored_message
from mail.submission import Attempt
from store.database import Database, Row, Statement
from store.message_content import body_of, contents_of
from store.record.claim import claim_statement

# False after a failed claim, so the statements below read nothing. For example, the second claim of
# a message that was enqueued twice fails.
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
) -> Attempt | None:
    """Take over the message if it is due and no other worker holds it.

    :param claimant: a unique id of this call.
    :returns: the attempt, or None if the message can't be claimed.
    """
    claimed, *content = await database.batch(
        [
            claim_statement(message_id, claimant=claimant, now=now, lease_until=lease_until),
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
    return Attempt(
        id=row["id"],
        number=row["attempt"],
        tried_from=row["tried_from"],
        request_id=row["request_id"],
        size=row["size"],
        message=read_message(row, *content),
    )


def read_message(
    row: Row, recipients: list[Row], bodies: list[Row], attachment_parts: list[Row] | None
) -> Message:
    """The message from its row in ``messages`` and its rows in the other tables.

    :param attachment_parts: None to leave out the contents of attachments.
    """
    details = decode_details(row["details"])
    return stored_message(
        details,
        None if attachment_parts is None else contents_of(details, attachment_parts),
        sender=_address(row["sender"]),
        sender_name=row["sender_name"],
        recipients=tuple(
            Recipient(one["kind"], _address(one["address"]), one["name"]) for one in recipients
        ),
        subject=row["subject"],
        text=body_of(bodies, "text"),
        html=body_of(bodies, "html"),
        scheduled_at=row["scheduled_at"],
    )


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain)
