"""Claim: one batch in which a worker takes over due messages and reads their content.

Only a waiting message can be claimed, so only one of two workers gets it. Each claim increments the
attempt number, and each result names its attempt, so the late result of an earlier attempt has no
effect.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from mail.addresses import Address
from mail.message import Message, Recipient, decode_details, stored_message
from mail.submission import Attempt
from store.database import Database, Row, Statement
from store.message_content import body_of, contents_of
from store.record.claim import claim_statement, unclaimed_statement

# Finds only the messages that this claim has taken over, so the statements below read nothing of
# other messages. For example, the second claim of a message that was enqueued twice fails.
_MINE = "json_each(?1) JOIN messages AS m ON m.id = value AND m.claimed_by = ?2"

_RECIPIENTS = f"""
SELECT d.message_id, kind, address, name
FROM {_MINE} JOIN deliveries AS d ON d.message_id = m.id ORDER BY d.message_id, position
"""

_BODIES = f"""
SELECT b.message_id, kind, content
FROM {_MINE} JOIN bodies AS b ON b.message_id = m.id ORDER BY b.message_id, kind, part
"""

_ATTACHMENT_PARTS = f"""
SELECT a.message_id, position, content
FROM {_MINE} JOIN attachment_parts AS a ON a.message_id = m.id ORDER BY a.message_id, position, part
"""

# The number of statements of a claim.
CLAIM_STATEMENTS = 5


async def claim(
    database: Database,
    message_ids: list[str],
    *,
    claimant: str,
    now: int,
    lease_until: int,
    max_messages: int,
    max_bytes: int,
    max_first: int,
    keyed: Sequence[str] = (),
    ask_until: int = 0,
    is_routed: bool = False,
) -> tuple[list[Attempt], list[str]]:
    """Take over the messages that are due and that no other worker holds.

    The messages are claimed in the order of ``message_ids``, until a maximum is reached.

    :param claimant: a unique id of this call.
    :param max_bytes: the maximum size of several messages together.
    :param max_first: the maximum size of the first message, if this is more.
    :param keyed: the transports whose providers have idempotency keys.
    :param ask_until: until when they may be asked again with the key of an attempt.
    :param is_routed: whether the deployment has other transports than the binding.
    :returns: the attempts, and the ids of the due messages that were not claimed.
    """
    ids = msgspec.json.encode(message_ids).decode()
    claimed, unclaimed, *contents = await database.batch(
        [
            claim_statement(
                ids,
                claimant=claimant,
                now=now,
                lease_until=lease_until,
                max_messages=max_messages,
                max_bytes=max_bytes,
                max_first=max_first,
                keyed=keyed,
                ask_until=ask_until,
                is_routed=is_routed,
            ),
            unclaimed_statement(ids, now=now),
            *(Statement(sql, (ids, claimant)) for sql in (_RECIPIENTS, _BODIES, _ATTACHMENT_PARTS)),
        ],
        repeatable=True,
    )
    recipients, bodies, attachment_parts = map(_by_message, contents)
    attempts = [
        _attempt(
            row, recipients[row["id"]], bodies[row["id"]], attachment_parts[row["id"]], ask_until
        )
        for row in sorted(claimed, key=lambda row: message_ids.index(row["id"]))
    ]
    return attempts, [row["id"] for row in unclaimed]


def _by_message(rows: list[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["message_id"]].append(row)
    return found


def _attempt(
    row: Row,
    recipients: list[Row],
    bodies: list[Row],
    attachment_parts: list[Row],
    ask_until: int,
) -> Attempt:
    return Attempt(
        id=row["id"],
        number=row["attempt"],
        tried_from=row["tried_from"],
        request_id=row["request_id"],
        message=read_message(row, recipients, bodies, attachment_parts),
        webhooks=tuple(msgspec.json.decode(row["webhooks"])),
        transport=row["transport"],
        ask_until=row["ask_until"],
        skipped=tuple(msgspec.json.decode(row["skipped"] or "[]")),
        asks_again=row["ask_until"] not in (None, ask_until),
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
        size=row["size"],
    )


def _address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain)
