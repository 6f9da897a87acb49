"""Removal: delete a message, clear a sendbox, delete an address.

Waiting messages are cancelled and their charges refunded. Finished messages lose their content at
once. Their rows are deleted a week after the messages finished; until then they are in no sendbox.
Messages that are being sent remain. Clearing a sendbox or deleting an address hides its messages at
once with few writes. The cron then removes the messages (``sendbox_purges``).
"""

import msgspec

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import ApiError, Conflict, NotFound, Unauthorized
from mail.delivery import SETTLED_WITHIN_MILLISECONDS
from mail.lifecycle import FINAL
from store.addresses import credential_check
from store.audit import audit_row, with_audit
from store.database import Database, Statement, quoted
from store.record import StatusUpdate, record, record_statements
from store.sendbox_generation import IN_ANY_CURRENT_SENDBOX
from store.step import Step
from store.webhooks import REMOVE_OF_REMOVED_ADDRESS

STEP_MESSAGES = 500

# The timeout of the provider.
_IN_FLIGHT_RETRY_SECONDS = 30

# The numbers of statements of _cancel() and of _removal().
_CANCEL_STATEMENTS = 8
_REMOVAL_STATEMENTS = 3

_FINAL = quoted(FINAL)

# How long the row of a deleted message stays after the message finished: as long as delivery events
# can settle it, and most arrive earlier. So deleting messages does not hide bounces and complaints.
# This is longer than the lifetime of an idempotency key (store/reserve.py).
DELETED_STAY_MILLISECONDS = SETTLED_WITHIN_MILLISECONDS

_REMOVE_TEXTS = f"""
DELETE FROM bodies WHERE message_id IN (
  SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value WHERE status IN ({_FINAL})
)
"""
_SET_ASIDE = f"""
UPDATE messages SET sendbox = NULL, subject = '', sender_name = NULL, details = NULL
WHERE id IN (SELECT value FROM json_each(?1)) AND status IN ({_FINAL}) AND finished_at > ?2
"""
_REMOVE_OLD = f"""
DELETE FROM messages
WHERE id IN (SELECT value FROM json_each(?1)) AND status IN ({_FINAL}) AND finished_at <= ?2
"""

_FIND = f"SELECT address_id, status FROM messages AS m WHERE id = ?1 AND {IN_ANY_CURRENT_SENDBOX}"
_IS_REMOVABLE = f"EXISTS ({_FIND} AND status <> 'sending')"

_HOLDS = """
id = ?1 AND name = ?2 AND credential_version = coalesce(?3, credential_version)
"""
_FIND_ADDRESS = f"SELECT 1 FROM addresses WHERE {_HOLDS}"
_ADDRESS_EXISTS = f"EXISTS ({_FIND_ADDRESS})"

_SCHEDULE_PURGE = f"""
INSERT INTO sendbox_purges (address_id, sendbox)
SELECT id, sendbox FROM addresses AS a WHERE {_HOLDS} AND {{condition}}
ON CONFLICT (address_id) DO UPDATE SET sendbox = excluded.sendbox
"""
_PURGE_REMOVED = _SCHEDULE_PURGE.format(
    condition="EXISTS (SELECT 1 FROM messages WHERE address_id = a.id AND sendbox <= a.sendbox)"
)

# Whether the sendbox of the address `a` has a message that can be removed. Otherwise clearing it
# writes nothing, so each clearing that writes follows a new message, and needs no limit.
_HAS_REMOVABLE = """
EXISTS (
  SELECT 1 FROM messages
  WHERE address_id = a.id AND messages.sendbox = a.sendbox AND status <> 'sending'
)
"""
_PURGE_CLEARED = _SCHEDULE_PURGE.format(condition=_HAS_REMOVABLE)

# Moves messages that are being sent to the next generation. The index messages_leased finds them,
# because few messages are being sent at any time.
_KEEP_IN_FLIGHT = f"""
UPDATE messages INDEXED BY messages_leased SET sendbox = sendbox + 1
WHERE lease_until > 0 AND address_id = ?1
  AND sendbox = (SELECT sendbox FROM addresses AS a WHERE {_HOLDS} AND {_HAS_REMOVABLE})
"""
_START_GENERATION = f"""
UPDATE addresses AS a SET sendbox = sendbox + 1 WHERE {_HOLDS} AND {_HAS_REMOVABLE}
"""

_REMOVE_ADDRESS = f"DELETE FROM addresses WHERE {_HOLDS}"

_WAITING = f"""
SELECT id FROM messages AS m
WHERE address_id = ?1 AND next_attempt_at IS NOT NULL
  AND NOT coalesce({IN_ANY_CURRENT_SENDBOX}, false)
LIMIT {STEP_MESSAGES}
"""

# Whether a sendbox of the purge `p` has a waiting message.
_WAITS = """
EXISTS (
  SELECT 1 FROM messages INDEXED BY messages_waiting
  WHERE address_id = p.address_id AND sendbox <= p.sendbox AND next_attempt_at IS NOT NULL
)
"""

# The messages of a step. Each row of `purges` gets the same share of STEP_MESSAGES.
_SHARES = f"""
WITH purges AS MATERIALIZED (SELECT * FROM sendbox_purges AS p WHERE {{which}})
SELECT m.id FROM purges AS p CROSS JOIN messages AS m ON m.id IN (
  SELECT id FROM messages INDEXED BY {{index}}
  WHERE address_id = p.address_id AND sendbox <= p.sendbox AND {{condition}}
  LIMIT (SELECT max(1, {STEP_MESSAGES} / count(*)) FROM purges)
)
LIMIT {STEP_MESSAGES}
"""
_TO_CANCEL = _SHARES.format(
    which=_WAITS, index="messages_waiting", condition="next_attempt_at IS NOT NULL"
)
# All waiting messages of a sendbox are cancelled before any message is removed. Messages that are
# being sent are left out: they must finish first, even if the address was removed.
_TO_PURGE = _SHARES.format(
    which=f"NOT {_WAITS}", index="messages_by_address", condition="status <> 'sending'"
)
_FINISH_PURGES = """
DELETE FROM sendbox_purges WHERE NOT EXISTS (
  SELECT 1 FROM messages
  WHERE address_id = sendbox_purges.address_id AND sendbox <= sendbox_purges.sendbox
)
"""


async def remove_message(
    database: Database, message_id: str, *, owner: Credential | None, by: Actor, now: int
) -> None:
    """Cancel the message if it is waiting, and remove it.

    :param owner: the address that must have sent the message; None for any address.
    :raises Unauthorized: ``invalid_credential``: ``owner`` is no longer valid.
    :raises NotFound: ``message_not_found``.
    :raises Conflict: ``message_in_flight``: the message is being sent.
    """
    find = Statement(_FIND, (message_id,))
    check = [credential_check(owner)] if owner else []
    *checked, rows = await database.batch([*check, find], repeatable=True)
    if [] in checked:
        raise Unauthorized("invalid_credential")
    if not rows or (owner and rows[0]["address_id"] != owner.address_id):
        raise NotFound("message_not_found")
    row = audit_row(
        by, "message.deleted", message_id, now, condition=_IS_REMOVABLE, parameters=(message_id,)
    )
    *_, remaining = await database.batch(
        [
            *([row] if by.is_administrator else []),
            *record_statements(_ended(message_id, now)),
            *_removal([message_id], now),
            find,
        ],
        repeatable=True,
    )
    if remaining:
        extra = {"message_status": remaining[0]["status"]}
        raise Conflict("message_in_flight", retry_after=_IN_FLIGHT_RETRY_SECONDS, extra=extra)


async def clear_sendbox(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Remove all messages of an address, except those that are being sent.

    :param owner: the credential of the address. For an administrator its version is ignored.
    :raises Unauthorized: ``invalid_credential``, if ``by`` is the owner.
    :raises NotFound: ``address_not_found``, if ``by`` is an administrator.
    """
    whose = _whose(owner, by)
    row = audit_row(
        by, "sendbox.cleared", owner.address, now, condition=_ADDRESS_EXISTS, parameters=whose
    )
    found, *_ = await database.batch(
        [
            Statement(_FIND_ADDRESS, whose),
            *([row] if by.is_administrator else []),
            *(
                Statement(sql, whose)
                for sql in (_PURGE_CLEARED, _KEEP_IN_FLIGHT, _START_GENERATION)
            ),
        ],
        repeatable=True,
    )
    if not found:
        raise _no_address(by)
    await _cancel_waiting(database, owner, now)


async def remove_address(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Remove an address with all its messages. Its credential becomes invalid.

    :raises Unauthorized, NotFound: as ``clear_sendbox`` does.
    """
    whose = _whose(owner, by)
    row = audit_row(
        by, "address.deleted", owner.address, now, condition=_ADDRESS_EXISTS, parameters=whose
    )
    change = (
        Statement(_PURGE_REMOVED, whose),
        Statement(_REMOVE_ADDRESS, whose),
        Statement(REMOVE_OF_REMOVED_ADDRESS, (owner.address_id,)),
    )
    if not await with_audit(database, row, *change):
        raise _no_address(by)
    await _cancel_waiting(database, owner, now)


def purge_steps(*, now: int) -> list[Step]:
    """The steps that remove messages of cleared sendboxes and removed addresses.

    The first step cancels waiting messages, the second step removes messages. In each step, every
    address gets the same share of ``STEP_MESSAGES``.
    """

    async def cancel_waiting(database: Database) -> int:
        (rows,) = await database.batch([Statement(_TO_CANCEL)], repeatable=True)
        await _cancel(database, [row["id"] for row in rows], now)
        return len(rows)

    async def remove(database: Database) -> int:
        _, rows = await database.batch(
            [Statement(_FINISH_PURGES), Statement(_TO_PURGE)], repeatable=True
        )
        if rows:
            await database.batch(_removal([row["id"] for row in rows], now), repeatable=True)
        return len(rows)

    return [
        Step("cancelled", 1 + _CANCEL_STATEMENTS, STEP_MESSAGES, cancel_waiting),
        Step("removed", 2 + _REMOVAL_STATEMENTS, STEP_MESSAGES, remove),
    ]


def _removal(ids: list[str], now: int) -> list[Statement]:
    """The statements that remove the finished messages among ``ids``."""
    these = (msgspec.json.encode(ids).decode(),)
    by_age = (*these, now - DELETED_STAY_MILLISECONDS)
    return [
        Statement(_REMOVE_TEXTS, these),
        Statement(_SET_ASIDE, by_age),
        Statement(_REMOVE_OLD, by_age),
    ]


def _whose(owner: Credential, by: Actor) -> tuple[int, str, int | None]:
    return owner.address_id, owner.address, None if by.is_administrator else owner.version


def _no_address(by: Actor) -> ApiError:
    if by.is_administrator:
        return NotFound("address_not_found")
    return Unauthorized("invalid_credential")


async def _cancel_waiting(database: Database, owner: Credential, now: int) -> None:
    # Cancels at most STEP_MESSAGES. Further messages are not sent either: the cron cancels them.
    waiting = Statement(_WAITING, (owner.address_id,))
    (rows,) = await database.batch([waiting], repeatable=True)
    await _cancel(database, [row["id"] for row in rows], now)


async def _cancel(database: Database, ids: list[str], now: int) -> None:
    if ids:
        await record(database, [one for message_id in ids for one in _ended(message_id, now)])


def _ended(message_id: str, now: int) -> list[StatusUpdate]:
    """The updates of which one ends a waiting message: the other one does not apply.

    A message is cancelled, unless its provider was to be asked again: it was perhaps sent.
    """
    return [
        StatusUpdate(id=message_id, event="cancelled", now=now),
        StatusUpdate(id=message_id, event="abandoned", now=now),
    ]
