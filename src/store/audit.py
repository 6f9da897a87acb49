"""The audit log: actor, action, object, time and client address of each change.

The batch of a change also writes its row. The database prevents changes of rows. A row must not
contain secrets.
"""

import msgspec

from accounts.actor import Actor
from ids import AFTER_ALL_IDS, new_id
from store.database import Database, Row, Statement

_INSERT = """
INSERT INTO audit (id, occurred_at, actor, action, object, source, details)
SELECT
  row ->> 'id', row ->> 'now', row ->> 'actor', row ->> 'action', row ->> 'object',
  row ->> 'source', coalesce(row -> 'details', {computed})
FROM (SELECT ?{place} AS row) WHERE {condition}
ON CONFLICT (id) DO NOTHING
"""

_PAGE = """
SELECT id, occurred_at, actor, action, object, source, details
FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2
"""

_WAS_WRITTEN = "SELECT 1 FROM audit WHERE id = ?1"


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
    id: str | None = None,
) -> Statement:
    """Writes one row. A repetition writes no second row.

    :param action: like ``credential.rotated``.
    :param object: a mail address, a message's id or the name of a setting.
    :param now: Unix milliseconds.
    :param details: additional information, without secrets.
    :param condition: SQL. The row is written only if it is true. If the change has conditions, run
        this statement before it, with the same conditions.
    :param parameters: bound to ``?1`` and so on in ``condition`` and ``computed``.
    :param computed: SQL of the details, if only the database knows them.
    :param id: the id of the row, for a later check whether it was written.
    """
    row = {
        "id": id or new_id(now),
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


async def with_audit(
    database: Database,
    by: Actor,
    action: str,
    object: str,
    *,
    now: int,
    condition: str,
    parameters: tuple[object, ...],
    change: list[Statement],
) -> bool:
    """Run ``change`` with its audit row if ``condition`` is true; return whether it was true.

    When D1's response is lost, the batch runs again and has nothing left to change. The audit row
    then shows that the first run made the change.
    """
    id_ = new_id(now)
    row = audit_row(by, action, object, now, condition=condition, parameters=parameters, id=id_)
    *_, written = await database.batch(
        [row, *change, Statement(_WAS_WRITTEN, (id_,))], repeatable=True
    )
    return bool(written)


async def audit_page(database: Database, *, before: str | None, limit: int) -> list[Row]:
    """At most ``limit`` rows older than the id ``before``, which need not exist, or the newest."""
    page = Statement(_PAGE, (before or AFTER_ALL_IDS, limit))
    (rows,) = await database.batch([page], repeatable=True)
    return rows
