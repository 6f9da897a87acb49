"""Suppressions: recipients that the provider no longer delivers to."""

from refusals import NotFound
from store.audit import Actor, audited, trail
from store.database import Database, Row, Statement

_PAGE = """
SELECT address, reason, since FROM suppressions WHERE ?1 IS NULL OR address = ?1
ORDER BY since DESC, address LIMIT ?2 OFFSET ?3
"""
_COUNT = "SELECT count(*) AS count FROM suppressions WHERE ?1 IS NULL OR address = ?1"

_ADD = """
INSERT INTO suppressions (address, reason, since) VALUES (?1, ?2, ?3)
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason
"""

_THERE = "EXISTS (SELECT 1 FROM suppressions WHERE address = ?1)"
_REMOVE = "DELETE FROM suppressions WHERE address = ?1"


async def suppression_page(
    database: Database, *, address: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """The suppressions, the newest first, or that of ``address``; and how many there are."""
    rows, counts = await database.batch(
        [Statement(_PAGE, (address, limit, offset)), Statement(_COUNT, (address,))],
        repeatable=True,
    )
    return rows, counts[0]["count"]


async def add_suppression(
    database: Database, address: str, reason: str, *, by: Actor, now: int
) -> None:
    """Refuse mail to ``address`` (in lower case) from now on, in Unix milliseconds."""
    row = trail(by, "suppression.added", address, now, {"reason": reason})
    await database.batch([row, Statement(_ADD, (address, reason, now))], repeatable=True)


async def remove_suppression(database: Database, address: str, *, by: Actor, now: int) -> None:
    """Take mail to ``address`` (in lower case) again; ``now`` in Unix milliseconds.

    :raises NotFound: ``suppression_not_found``.
    """
    done = await audited(
        database,
        by,
        "suppression.removed",
        address,
        now=now,
        condition=_THERE,
        parameters=(address,),
        change=[Statement(_REMOVE, (address,))],
    )
    if not done:
        raise NotFound("suppression_not_found")
