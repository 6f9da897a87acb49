"""The audit log: who did what to which object, when, and from which IP address.

A change and its audit row are written in one batch. Database triggers reject changes and deletions
of audit rows. A row must not contain secrets.
"""

import msgspec

from accounts.actor import Actor
from ids import AFTER_ALL_IDS, new_id
from store.bounded_page import bounded_page, page_of
from store.database import Database, Row, Statement

_INSERT = """
INSERT INTO audit (id, occurred_at, actor, action, object, source, details)
SELECT
  row ->> 'id', row ->> 'now', row ->> 'actor', row ->> 'action', row ->> 'object',
  row ->> 'source', coalesce(row -> 'details', {computed})
FROM (SELECT ?{place} AS row) WHERE {condition}
ON CONFLICT (id) DO NOTHING
"""

_PAGE = bounded_page(
    """
    SELECT id, occurred_at AS at, actor, action, object, source, details
    FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2
    """,
    columns=("details",),
    order="id DESC",
)

_WAS_WRITTEN = "SELECT 1 FROM audit WHERE id = ?1 ->> 'id'"


def audit_row(
    by: Actor,
    action: str,
    object: str,
    now: int,
    details: dict[str, object] | None = None,
    *,
    condition: str = "true",
    parameters: tuple[object, ...] = (),
    computed: str = "NULL",
) -> Statement:
    """The statement that writes one audit row. If it runs again, it writes no second row.

    :param action: like ``credential.rotated``.
    :param object: a mail address, a message's id or the name of a setting.
    :param details: additional information, without secrets.
    :param condition: an SQL expression. The row is written only if the expression is true. If the
        change has conditions, run this statement before the change, with the same conditions.
    :param parameters: bound to ``?1`` and so on in ``condition`` and ``computed``.
    :param computed: an SQL expression for the details, used if ``details`` is empty.
    """
    row = {
        "id": new_id(now),
        "now": now,
        "actor": by.name,
        "action": action,
        "object": object,
        "source": by.source,
        # A JSON null would be stored as the text "null".
        **({"details": details} if details else {}),
    }
    encoded = msgspec.json.encode(row).decode()
    sql = _INSERT.format(place=len(parameters) + 1, condition=condition, computed=computed)
    return Statement(sql, (*parameters, encoded))


async def with_audit(database: Database, row: Statement, *change: Statement) -> bool:
    """Run the audit ``row`` and then ``change``; return whether the condition of ``row`` was true.

    If D1's response is lost, the batch runs again and has nothing left to change. The audit row
    then shows that the first run made the change.
    """
    written = Statement(_WAS_WRITTEN, row.parameters[-1:])
    *_, found = await database.batch([row, *change, written], repeatable=True)
    return bool(found)


async def audit_page(
    database: Database, *, before: str | None, limit: int
) -> tuple[list[Row], bool]:
    """At most ``limit`` rows, newest first. A page of large rows is shorter (``bounded_page``).

    :param before: only rows older than this id, which need not exist; None to start with the
        newest row.
    :returns: the rows, and whether older rows follow.
    """
    page = Statement(_PAGE, (before or AFTER_ALL_IDS, limit + 1))
    (rows,) = await database.batch([page], repeatable=True)
    return page_of(rows, limit)
