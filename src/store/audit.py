"""The audit trail: who did what, on what, when and from where.

A row is written in the batch that makes the change, and the database lets nobody change it. What
it says must not be secret.
"""

from typing import NamedTuple

import msgspec

from store.database import Database, Row, Statement
from store.ids import new_id

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

_BEHIND_ALL_IDS = "~"


class Actor(NamedTuple):
    """Who does something, and from which client address.

    ``name`` is ``admin#1`` (the place of the password in ``ADMIN_PASSWORDS``), ``admin`` where no
    password is asked for, a mail address, or ``anybody``.
    """

    name: str
    source: str | None
    is_administrator: bool = False


def trail(
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
    """What writes one row; run twice, it writes it once.

    :param action: ``credential.rotated`` and the like.
    :param object: what it was done to: a mail address, a message's id, the name of a setting.
    :param now: Unix milliseconds.
    :param details: what else is to be known, where that is not secret.
    :param condition: SQL; without it being true nothing is written. Where the change has
        conditions, put this statement in front of it, with the same ones.
    :param parameters: what is bound to ``?1`` and so on of ``condition`` and ``computed``.
    :param computed: SQL that gives the details, where only the database knows them.
    :param id: the id of the row, for whoever asks afterwards whether it was written.
    """
    row = {
        "id": id or new_id(now),
        "now": now,
        "actor": by.name,
        "action": action,
        "object": object,
        "source": by.source,
        # A null of JSON would be kept as the text "null".
        **({"details": details} if details else {}),
    }
    encoded = msgspec.json.encode(row).decode()
    sql = _INSERT.format(place=len(parameters) + 1, condition=condition, computed=computed)
    return Statement(sql, (*parameters, encoded))


async def audited(
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
    """Run ``change`` where ``condition`` holds, with its row; whether it held.

    A second run, after a lost answer, finds nothing to be changed any more; the row tells that it
    was this order that did it.
    """
    id_ = new_id(now)
    row = trail(by, action, object, now, condition=condition, parameters=parameters, id=id_)
    *_, written = await database.batch(
        [row, *change, Statement(_WAS_WRITTEN, (id_,))], repeatable=True
    )
    return bool(written)


async def audit_page(database: Database, *, before: str | None, limit: int) -> list[Row]:
    """At most ``limit`` rows older than the row ``before``, there or not, or the newest."""
    page = Statement(_PAGE, (before or _BEHIND_ALL_IDS, limit))
    (rows,) = await database.batch([page], repeatable=True)
    return rows
