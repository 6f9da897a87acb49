"""Suppressions: recipients that get no mail, because of the provider or an administrator."""

from accounts.actor import Actor
from errors import NotFound
from store.audit import audit_row, with_audit
from store.database import Database, Row, Statement, page

_PAGE = """
SELECT address, reason, since FROM suppressions WHERE ?1 IS NULL OR address = ?1
ORDER BY since DESC, address LIMIT ?2 OFFSET ?3
"""
_COUNT = "SELECT count(*) AS count FROM suppressions WHERE ?1 IS NULL OR address = ?1"

_ADD = """
INSERT INTO suppressions (address, reason, since) VALUES (?1, ?2, ?3)
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason WHERE reason <> excluded.reason
"""
_IS_NEW = "NOT EXISTS (SELECT 1 FROM suppressions WHERE address = ?1 AND reason = ?2)"

# Suppresses the recipients of new delivery events: of complaints, and of permanent bounces.
# ``events`` is a SELECT with the columns ``recipient``, ``kind`` and ``event``. A complaint counts
# more than a bounce, and a bounce more than the provider's own list. What an administrator has
# entered stays.
LEARN = """
INSERT INTO suppressions (address, reason, since)
SELECT
  recipient, iif(kind = 'complained', 'complaint', 'hard_bounce') AS reason,
  max(event ->> 'occurred_at') AS since
FROM ({events})
WHERE kind = 'complained' OR kind = 'bounced' AND event ->> 'is_permanent'
GROUP BY recipient, kind
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, since = excluded.since
WHERE reason = 'provider'
  OR reason = 'hard_bounce' AND excluded.reason = 'complaint'
  OR reason = excluded.reason AND since < excluded.since
"""

_EXISTS = "EXISTS (SELECT 1 FROM suppressions WHERE address = ?1)"
_REMOVE = "DELETE FROM suppressions WHERE address = ?1"


async def suppression_page(
    database: Database, *, address: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of suppressions, newest first, and the number of all that match.

    :param address: only the suppression of this address, in lower case; None for all.
    """
    return await page(
        database, Statement(_PAGE, (address, limit, offset)), Statement(_COUNT, (address,))
    )


async def add_suppression(
    database: Database, address: str, reason: str, *, by: Actor, now: int
) -> None:
    """Reject further mail to ``address`` (in lower case)."""
    row = audit_row(
        *(by, "suppression.added", address, now),
        details={"reason": reason},
        condition=_IS_NEW,
        parameters=(address, reason),
    )
    await database.batch([row, Statement(_ADD, (address, reason, now))], repeatable=True)


async def remove_suppression(database: Database, address: str, *, by: Actor, now: int) -> None:
    """Accept mail to ``address`` (in lower case) again.

    :raises NotFound: ``suppression_not_found``.
    """
    this = (address,)
    row = audit_row(by, "suppression.removed", address, now, condition=_EXISTS, parameters=this)
    if not await with_audit(database, row, Statement(_REMOVE, this)):
        raise NotFound("suppression_not_found")
