"""Removal: of a message, of all that lies in a sendbox, and of an address.

What waits is cancelled, and its charge given back. What has come to its end loses its text at
once; its row goes too, or, until a day after its end, lies in no sendbox until the sweep comes by.
What is being sent right now stays. A cleared sendbox is out of sight with one row written; the
sweep empties it (``leftovers``).
"""

import msgspec

from accounts.credentials import Credential
from lifecycle import FINAL, steps_on
from refusals import Conflict, NotFound, Refusal, Unauthorized
from store.addresses import holds_statement
from store.audit import Actor, audited, trail
from store.confirm import Confirmation, confirm, confirm_statements
from store.database import Database, Statement
from store.sendboxes import LIES_ANYWHERE

STEP_MESSAGES = 500

# The provider's 30 s, and what is written before and after.
_IN_FLIGHT_RETRY_SECONDS = 30

_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))

# Longer than an idempotency key is its request's (store/reserve.py), and than an answer of the
# provider may be late.
_DAY = 86_400_000

_REMOVE_TEXTS = f"""
DELETE FROM bodies WHERE message_id IN (
  SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value WHERE status IN ({_FINAL})
)
"""
_SET_ASIDE = f"""
UPDATE messages SET sendbox = NULL
WHERE id IN (SELECT value FROM json_each(?1)) AND status IN ({_FINAL}) AND finished_at > ?2
"""
_REMOVE_OLD = f"""
DELETE FROM messages
WHERE id IN (SELECT value FROM json_each(?1)) AND status IN ({_FINAL}) AND finished_at <= ?2
"""

_FIND = f"SELECT address_id, status FROM messages AS m WHERE id = ?1 AND {LIES_ANYWHERE}"
_IS_REMOVABLE = f"EXISTS ({_FIND} AND status <> 'sending')"

_HOLDS = """
id = ?1 AND name = ?2 AND credential_version = coalesce(?3, credential_version)
"""
_HELD = f"SELECT 1 FROM addresses WHERE {_HOLDS}"
_THERE = f"EXISTS ({_HELD})"

_LEAVE_SENDBOX = f"""
INSERT INTO leftovers (address_id, sendbox)
SELECT id, sendbox FROM addresses AS a WHERE {_HOLDS}
  AND EXISTS (SELECT 1 FROM messages WHERE address_id = a.id AND sendbox <= a.sendbox)
ON CONFLICT (address_id) DO UPDATE SET sendbox = excluded.sendbox
"""

# Few are being sent at any time, of one address or of all.
_TAKE_ALONG = f"""
UPDATE messages INDEXED BY messages_leased SET sendbox = sendbox + 1
WHERE lease_until > 0 AND address_id = ?1
  AND sendbox = (SELECT sendbox FROM addresses WHERE {_HOLDS})
"""
_BEGIN_SENDBOX = f"UPDATE addresses SET sendbox = sendbox + 1 WHERE {_HOLDS}"

_REMOVE_ADDRESS = f"DELETE FROM addresses WHERE {_HOLDS}"

_WAITING = f"""
SELECT id FROM messages AS m
WHERE address_id = ?1 AND next_attempt_at IS NOT NULL AND NOT coalesce({LIES_ANYWHERE}, false)
LIMIT {STEP_MESSAGES}
"""

# What was being sent when its address was removed comes to its end first.
_LEFT = f"""
SELECT m.id, m.status
FROM leftovers AS l CROSS JOIN messages AS m
  ON m.address_id = l.address_id AND m.sendbox <= l.sendbox
WHERE m.status <> 'sending' LIMIT {STEP_MESSAGES}
"""
_FINISH = """
DELETE FROM leftovers WHERE NOT EXISTS (
  SELECT 1 FROM messages
  WHERE address_id = leftovers.address_id AND sendbox <= leftovers.sendbox
)
"""


async def remove_message(
    database: Database, message_id: str, *, owner: Credential | None, by: Actor, now: int
) -> None:
    """Cancel the message if it waits, and remove it.

    :param owner: whose message it must be; None for anybody's.
    :param now: Unix milliseconds.
    :raises Unauthorized: where the credential no longer holds.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``message_in_flight``.
    """
    find = Statement(_FIND, (message_id,))
    held = [holds_statement(owner)] if owner else []
    *holders, rows = await database.batch([*held, find], repeatable=True)
    if [] in holders:
        raise Unauthorized("invalid_credential")
    if not rows or (owner and rows[0]["address_id"] != owner.address_id):
        raise NotFound("message_not_found")
    row = trail(
        by, "message.deleted", message_id, now, condition=_IS_REMOVABLE, parameters=(message_id,)
    )
    *_, left = await database.batch(
        [
            *([row] if by.is_administrator else []),
            *confirm_statements([_cancelled(message_id, now)]),
            *_removal([message_id], now),
            find,
        ],
        repeatable=True,
    )
    if left:
        extra = {"message_status": left[0]["status"]}
        raise Conflict("message_in_flight", retry_after=_IN_FLIGHT_RETRY_SECONDS, extra=extra)


async def clear_sendbox(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Remove all messages of an address, except those that are being sent right now.

    :param owner: the credential of the address; to an administrator its version is all the same.
    :param now: Unix milliseconds.
    :raises Unauthorized: ``invalid_credential``.
    :raises NotFound: ``address_not_found``, to an administrator.
    """
    whose = _whose(owner, by)
    row = trail(by, "sendbox.cleared", owner.address, now, condition=_THERE, parameters=whose)
    found, *_ = await database.batch(
        [
            Statement(_HELD, whose),
            *([row] if by.is_administrator else []),
            *(Statement(sql, whose) for sql in (_LEAVE_SENDBOX, _TAKE_ALONG, _BEGIN_SENDBOX)),
        ],
        repeatable=True,
    )
    if not found:
        raise _no_address(by)
    await _cancel_waiting(database, owner, now)


async def remove_address(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Remove an address with all its messages; its credential is worth nothing from then on.

    :raises Unauthorized, NotFound: as ``clear_sendbox`` does.
    """
    whose = _whose(owner, by)
    done = await audited(
        database,
        by,
        "address.deleted",
        owner.address,
        now=now,
        condition=_THERE,
        parameters=whose,
        change=[Statement(_LEAVE_SENDBOX, whose), Statement(_REMOVE_ADDRESS, whose)],
    )
    if not done:
        raise _no_address(by)
    await _cancel_waiting(database, owner, now)


async def empty_leftovers(database: Database, *, now: int) -> int:
    """Remove the next messages of cleared sendboxes and removed addresses; return how many.

    :param now: Unix milliseconds.
    :raises DatabaseUnavailable: it goes on in the next minute.
    """
    _, rows = await database.batch([Statement(_FINISH), Statement(_LEFT)], repeatable=True)
    open_ = steps_on("cancelled")
    await _cancel(database, [row["id"] for row in rows if row["status"] in open_], now)
    if rows:
        await database.batch(_removal([row["id"] for row in rows], now), repeatable=True)
    return len(rows)


def _removal(ids: list[str], now: int) -> list[Statement]:
    """Removes those of the messages that have come to their end."""
    these = (msgspec.json.encode(ids).decode(),)
    by_age = (*these, now - _DAY)
    return [
        Statement(_REMOVE_TEXTS, these),
        Statement(_SET_ASIDE, by_age),
        Statement(_REMOVE_OLD, by_age),
    ]


def _whose(owner: Credential, by: Actor) -> tuple[int, str, int | None]:
    return owner.address_id, owner.address, None if by.is_administrator else owner.version


def _no_address(by: Actor) -> Refusal:
    if by.is_administrator:
        return NotFound("address_not_found")
    return Unauthorized("invalid_credential")


async def _cancel_waiting(database: Database, owner: Credential, now: int) -> None:
    # What is more than one step takes is not sent either, and the sweep cancels it.
    waiting = Statement(_WAITING, (owner.address_id,))
    (rows,) = await database.batch([waiting], repeatable=True)
    await _cancel(database, [row["id"] for row in rows], now)


async def _cancel(database: Database, ids: list[str], now: int) -> None:
    if ids:
        await confirm(database, [_cancelled(message_id, now) for message_id in ids])


def _cancelled(message_id: str, now: int) -> Confirmation:
    return Confirmation(id=message_id, news="cancelled", now=now)
