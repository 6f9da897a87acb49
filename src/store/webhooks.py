"""Webhooks: create, list, change and remove them, and replace their secrets.

The owner of a webhook is an address, or the administrators (None). A removed webhook is
hidden from its owner, and stays until the cron has removed its deliveries.
"""

from collections.abc import Sequence
from secrets import randbelow
from typing import Literal

import msgspec

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.webhook_endpoints import host_of
from errors import BadRequest, NotFound, Unauthorized
from ids import AFTER_ALL_IDS, new_id
from store.addresses import HOLDS
from store.audit import audit_row, with_audit
from store.database import Database, Row, Statement
from store.sendbox_generation import ADMINISTRATION

MAX_OF_ADDRESS, MAX_OF_ADMINISTRATORS = 10, 20
_MAX_VERSION = 2**31

# ?1 to ?3 are the id and name of the address and the version of its credential. The name of
# administrators is NULL.
_MAY = f"(?2 IS NULL OR EXISTS ({HOLDS}))"
_CHECK = f"SELECT 1 WHERE {_MAY}"

_COLUMNS = """
hook.id, hook.address_id, hook.endpoint, hook.events, hook.disabled_by, hook.secret_version,
hook.previous_version, hook.rotated_at, hook.created_at, hook.failing_since
"""
_PRESENT = "hook.disabled_by IS NOT 'removed'"
_MINE = f"hook.id = ?4 AND hook.address_id = ?1 AND {_PRESENT}"
_EXISTS = f"{_MAY} AND EXISTS (SELECT 1 FROM webhooks AS hook WHERE {_MINE})"

_NUMBER = f"(SELECT count(*) FROM webhooks AS hook WHERE hook.address_id = ?1 AND {_PRESENT})"
_IS_NEW = f"{_MAY} AND {_NUMBER} < ?5 AND NOT EXISTS (SELECT 1 FROM webhooks WHERE id = ?4)"
_INSERT = f"""
INSERT INTO webhooks (id, address_id, endpoint, events, created_at)
SELECT ?4, ?1, ?6, ?7, ?8 WHERE {_IS_NEW}
"""

# The pages, read together with _CHECK.
_OLDER = f"""
SELECT {_COLUMNS} FROM webhooks AS hook
WHERE hook.address_id = ?1 AND hook.id < ?4 AND {_PRESENT} ORDER BY hook.id DESC LIMIT ?5
"""
_NEWER = f"""
SELECT {_COLUMNS} FROM webhooks AS hook
WHERE hook.address_id = ?1 AND hook.id > ?4 AND {_PRESENT} ORDER BY hook.id LIMIT ?5
"""
_FIND = f"SELECT {_COLUMNS} FROM webhooks AS hook WHERE {_MINE}"

# The disabled webhooks of all owners, found by the index webhooks_disabled.
_DISABLED = f"""
SELECT {_COLUMNS}, (SELECT name FROM addresses WHERE id = hook.address_id) AS address
FROM webhooks AS hook WHERE hook.disabled_by IS NOT NULL AND {_PRESENT} AND hook.id < ?1
ORDER BY hook.id DESC LIMIT ?2
"""

# A request that changes nothing writes no audit row.
_CHANGES = """
(
  ?5 <> hook.endpoint OR ?6 <> hook.events OR (?7 = 'disabled' AND hook.disabled_by IS NULL)
  OR (?7 = 'enabled' AND coalesce(hook.disabled_by, hook.failing_since) IS NOT NULL)
)
"""
_IS_CHANGED = f"""
{_MAY} AND EXISTS (SELECT 1 FROM webhooks AS hook WHERE {_MINE} AND {_CHANGES})
"""
_UPDATE = f"""
UPDATE webhooks AS hook SET
  endpoint = coalesce(?5, endpoint),
  events = coalesce(?6, events),
  disabled_by = CASE ?7
    WHEN 'enabled' THEN NULL WHEN 'disabled' THEN coalesce(disabled_by, 'owner') ELSE disabled_by
  END,
  failing_since = CASE WHEN ?5 <> endpoint OR ?7 = 'enabled' THEN NULL ELSE failing_since END
WHERE {_MINE} AND {_MAY}
"""
_REMOVE = f"UPDATE webhooks AS hook SET disabled_by = 'removed' WHERE {_MINE} AND {_MAY}"
_ROTATE = f"""
UPDATE webhooks AS hook SET previous_version = secret_version, secret_version = ?5, rotated_at = ?6
WHERE {_MINE} AND {_MAY} AND secret_version <> ?5
"""

# After the removal of an address.
REMOVE_OF_REMOVED_ADDRESS = """
UPDATE webhooks SET disabled_by = 'removed'
WHERE address_id = ?1 AND NOT EXISTS (SELECT 1 FROM addresses WHERE id = ?1)
"""


def of_owner(owner: Credential | None) -> tuple[int, str | None, int | None]:
    """The parameters ``?1`` to ``?3`` of the statements about the webhooks of an owner."""
    return owner.key if owner else (ADMINISTRATION, None, None)


async def has_webhooks(database: Database) -> bool:
    """Whether there is a webhook. A removed one counts until its deliveries are removed."""
    (found,) = await database.batch([Statement("SELECT 1 FROM webhooks LIMIT 1")], repeatable=True)
    return bool(found)


async def create_webhook(
    database: Database,
    owner: Credential | None,
    *,
    endpoint: str,
    events: Sequence[str],
    by: Actor,
    now: int,
) -> Row:
    """Create a webhook; return its row.

    :raises Unauthorized: ``invalid_credential``.
    :raises BadRequest: ``too_many_webhooks``.
    """
    webhook_id, whose = new_id(now), of_owner(owner)
    most = MAX_OF_ADDRESS if owner else MAX_OF_ADMINISTRATORS
    row = audit_row(
        *(by, "webhook.created", webhook_id, now),
        details={"host": host_of(endpoint), "events": list(events)},
        condition=_IS_NEW,
        parameters=(*whose, webhook_id, most),
    )
    encoded = msgspec.json.encode(events).decode()
    insert = Statement(_INSERT, (*whose, webhook_id, most, endpoint, encoded, now))
    found, _, _, created = await database.batch(
        [Statement(_CHECK, whose), row, insert, Statement(_FIND, (*whose, webhook_id))],
        repeatable=True,
    )
    _check(found)
    if not created:
        raise BadRequest("too_many_webhooks", limit=most)
    return created[0]


async def webhook_page(
    database: Database,
    owner: Credential | None,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> tuple[list[Row], bool]:
    """At most ``limit`` webhooks, newest first, and whether there are more.

    :param after: an id; return webhooks older than it.
    :param before: an id; return webhooks newer than it. Not together with ``after``.
    :raises Unauthorized: ``invalid_credential``.
    """
    whose = of_owner(owner)
    sql = _OLDER if before is None else _NEWER
    cursor = (after or AFTER_ALL_IDS) if before is None else before
    found, rows = await database.batch(
        [Statement(_CHECK, whose), Statement(sql, (*whose, cursor, limit + 1))], repeatable=True
    )
    _check(found)
    page = rows[:limit]
    return page if before is None else page[::-1], len(rows) > limit


async def disabled_webhooks(
    database: Database, *, after: str | None, limit: int
) -> tuple[list[Row], bool]:
    """The disabled webhooks of all owners, newest first, and whether there are more.

    :param after: the id of the last webhook of the page before; None for the first page.
    """
    page = Statement(_DISABLED, (after or AFTER_ALL_IDS, limit + 1))
    (rows,) = await database.batch([page], repeatable=True)
    return rows[:limit], len(rows) > limit


async def find_webhook(database: Database, owner: Credential | None, webhook_id: str) -> Row:
    """The webhook with this id.

    :raises Unauthorized: ``invalid_credential``.
    :raises NotFound: ``webhook_not_found``.
    """
    whose = of_owner(owner)
    found, rows = await database.batch(
        [Statement(_CHECK, whose), Statement(_FIND, (*whose, webhook_id))], repeatable=True
    )
    _check(found)
    if not rows:
        raise NotFound("webhook_not_found")
    return rows[0]


async def update_webhook(
    database: Database,
    owner: Credential | None,
    webhook_id: str,
    *,
    endpoint: str | None,
    events: Sequence[str] | None,
    status: Literal["enabled", "disabled"] | None,
    by: Actor,
    now: int,
) -> None:
    """Change a webhook. None leaves a value as it is.

    :raises NotFound: ``webhook_not_found``. :raises Unauthorized: ``invalid_credential``.
    """
    these = (*of_owner(owner), webhook_id)
    encoded = None if events is None else msgspec.json.encode(events).decode()
    details = {
        "host": host_of(endpoint) if endpoint else None,
        "events": None if events is None else list(events),
        "status": status,
    }
    values = (*these, endpoint, encoded, status)
    row = audit_row(
        *(by, "webhook.updated", webhook_id, now),
        details={name: value for name, value in details.items() if value is not None},
        condition=_IS_CHANGED,
        parameters=values,
    )
    find = [Statement(_CHECK, these[:3]), Statement(_FIND, these)]
    found, rows, *_ = await database.batch(
        [*find, row, Statement(_UPDATE, values)], repeatable=True
    )
    _check(found)
    if not rows:
        raise NotFound("webhook_not_found")


async def remove_webhook(
    database: Database, owner: Credential | None, webhook_id: str, *, by: Actor, now: int
) -> None:
    """Remove a webhook. Its waiting deliveries are not sent.

    :raises NotFound: ``webhook_not_found``. :raises Unauthorized: ``invalid_credential``.
    """
    these = (*of_owner(owner), webhook_id)
    row = audit_row(*(by, "webhook.removed", webhook_id, now), condition=_EXISTS, parameters=these)
    await _changed(database, owner, row, Statement(_REMOVE, these))


async def rotate_secret(
    database: Database, owner: Credential | None, webhook_id: str, *, by: Actor, now: int
) -> int:
    """Replace the secret of a webhook; return its version. The previous one signs for a day.

    :raises NotFound: ``webhook_not_found``. :raises Unauthorized: ``invalid_credential``.
    """
    these, version = (*of_owner(owner), webhook_id), 2 + randbelow(_MAX_VERSION)
    row = audit_row(
        *(by, "webhook.secret_rotated", webhook_id, now), condition=_EXISTS, parameters=these
    )
    await _changed(database, owner, row, Statement(_ROTATE, (*these, version, now)))
    return version


async def _changed(
    database: Database, owner: Credential | None, row: Statement, change: Statement
) -> None:
    if not await with_audit(database, row, change):
        (found,) = await database.batch([Statement(_CHECK, of_owner(owner))], repeatable=True)
        _check(found)
        raise NotFound("webhook_not_found")


def _check(found: list[Row]) -> None:
    if not found:
        raise Unauthorized("invalid_credential")
