"""Suppressions: recipients that get no mail, because of the provider or an administrator.

A suppression holds for one sending domain, its ``scope``, or for all if the scope is empty. Rows
whose end has passed do not count. The sweep removes them.
"""

from collections.abc import Sequence

import msgspec

from accounts.actor import Actor
from errors import NotFound
from mail.suppressions import Suppression
from store.audit import audit_row, with_audit
from store.database import Database, Row, Statement
from store.notify import NOTIFY, SUPPRESSION_FACTS
from store.reserve import IN_FORCE
from store.sendbox_generation import ADMINISTRATION

# Suppressions in the order of the primary key: all after the one with the address ?1 and the scope
# ?2; those of one address.
_PAGE = f"""
SELECT address, scope, reason, origin, since, expires_at FROM suppressions
WHERE {{range}} AND {IN_FORCE.format(now="?3")} ORDER BY address, scope LIMIT ?4
"""
_OF_ALL = _PAGE.format(range="(address, scope) > (?1, ?2)")
_OF_ADDRESS = _PAGE.format(range="address = ?1 AND (?2 IS NULL OR scope > ?2)")

# Adds the suppressions of ?1. One whose end has passed begins again.
_ADD = """
INSERT INTO suppressions (address, scope, reason, origin, since, expires_at)
SELECT
  value ->> 'address', value ->> 'scope', value ->> 'reason', ?2, ?3, value ->> 'expires_at'
FROM json_each(?1) WHERE true
ON CONFLICT (address, scope) DO UPDATE SET
  reason = excluded.reason, origin = excluded.origin, expires_at = excluded.expires_at,
  since = iif(expires_at <= excluded.since, excluded.since, since)
WHERE reason <> excluded.reason OR expires_at IS NOT excluded.expires_at
"""
_IS_CHANGE = """
EXISTS (
  SELECT 1 FROM json_each(?1) WHERE NOT EXISTS (
    SELECT 1 FROM suppressions
    WHERE address = value ->> 'address' AND scope = value ->> 'scope'
      AND reason = value ->> 'reason' AND expires_at IS value ->> 'expires_at'
  )
)
"""

# Webhooks of administrators hear of suppressions that administrators add or remove. Those of an
# import are too many.
_NOTIFY_OF_ADDED = NOTIFY.format(
    changes=f"""
    SELECT
      {ADMINISTRATION} AS address_id, CAST(?2 AS INTEGER) AS now, 'suppression.added' AS event,
      {
        SUPPRESSION_FACTS.format(
            now="CAST(?2 AS INTEGER)", origin="NULL", since="CAST(?2 AS INTEGER)"
        )
    } AS facts
    FROM (
      SELECT
        value ->> 'address' AS address, value ->> 'scope' AS scope, value ->> 'reason' AS reason,
        value ->> 'expires_at' AS expires_at
      FROM json_each(?1)
    ) AS s
    WHERE {_IS_CHANGE}
    """,
)
_NOTIFY_OF_REMOVED = NOTIFY.format(
    changes=f"""
    SELECT
      {ADMINISTRATION} AS address_id, CAST(?3 AS INTEGER) AS now, 'suppression.removed' AS event,
      {
        SUPPRESSION_FACTS.format(now="CAST(?3 AS INTEGER)", origin="s.origin", since="s.since")
    } AS facts
    FROM suppressions AS s WHERE address = ?1 AND scope = coalesce(?2, scope)
    """,
)

# Adds the suppressions that the SELECT ``learned`` returns, with the columns of the INSERT. If a
# recipient has one already, the one with the later end counts. So the order does not matter, and
# one that an administrator entered without an end stays.
LEARN = """
INSERT INTO suppressions (address, scope, reason, origin, since, expires_at)
{learned}
ON CONFLICT (address, scope) DO UPDATE SET
  reason = excluded.reason, origin = excluded.origin, since = excluded.since,
  expires_at = excluded.expires_at
WHERE expires_at < coalesce(excluded.expires_at, expires_at + 1)
  OR expires_at IS excluded.expires_at AND reason = excluded.reason AND since < excluded.since
"""

_THESE = "address = ?1 AND scope = coalesce(?2, scope)"
_EXISTS = f"EXISTS (SELECT 1 FROM suppressions WHERE {_THESE})"
_REMOVE = f"DELETE FROM suppressions WHERE {_THESE}"


async def suppression_page(
    database: Database,
    *,
    address: str | None = None,
    after: tuple[str, str] | None,
    now: int,
    limit: int,
) -> tuple[list[Row], bool]:
    """At most ``limit`` suppressions by address and scope, and whether more follow.

    :param address: only the suppressions of this address, in lower case; None for all.
    :param after: the address and the scope of the last suppression before the page, which need not
        exist; None for the first page.
    """
    if address is None:
        page = Statement(_OF_ALL, (*(after or ("", "")), now, limit + 1))
    else:
        page = Statement(_OF_ADDRESS, (address, after[1] if after else None, now, limit + 1))
    (rows,) = await database.batch([page], repeatable=True)
    return rows[:limit], len(rows) > limit


async def add_suppression(database: Database, one: Suppression, *, by: Actor, now: int) -> None:
    """Reject further mail to a recipient."""
    added = (msgspec.json.encode([one]).decode(),)
    row = audit_row(
        *(by, "suppression.added", one.address, now),
        details={
            "reason": one.reason,
            **({"scope": one.scope} if one.scope else {}),
            **({"expires_at": one.expires_at} if one.expires_at else {}),
        },
        condition=_IS_CHANGE,
        parameters=added,
    )
    notify = Statement(_NOTIFY_OF_ADDED, (*added, now))
    await database.batch([row, notify, Statement(_ADD, (*added, by.name, now))], repeatable=True)


async def import_suppressions(
    database: Database, rows: Sequence[Suppression], *, by: Actor, now: int
) -> None:
    """Reject further mail to these recipients. Each pair of address and scope is there once."""
    added = (msgspec.json.encode(rows).decode(),)
    row = audit_row(
        *(by, "suppressions.imported", "suppressions", now),
        details={"rows": len(rows)},
        condition=_IS_CHANGE,
        parameters=added,
    )
    await database.batch([row, Statement(_ADD, (*added, "import", now))], repeatable=True)


async def remove_suppression(
    database: Database, address: str, scope: str | None, *, by: Actor, now: int
) -> None:
    """Accept mail to ``address`` (in lower case) again.

    :param scope: remove only the suppression with this scope; None for any.
    :raises NotFound: ``suppression_not_found``.
    """
    these = (address, scope)
    row = audit_row(
        *(by, "suppression.removed", address, now),
        details={"scope": scope} if scope is not None else None,
        condition=_EXISTS,
        parameters=these,
    )
    notify = Statement(_NOTIFY_OF_REMOVED, (*these, now))
    if not await with_audit(database, row, notify, Statement(_REMOVE, these)):
        raise NotFound("suppression_not_found")
