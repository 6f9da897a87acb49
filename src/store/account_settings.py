"""Settings that administrators change at run time: the lists and the send limits."""

from typing import NamedTuple

import msgspec

from accounts.actor import Actor
from accounts.lists import LISTS, MAX_LIST_BYTES, checked_limits, too_large
from store.audit import audit_row
from store.database import Database, Statement

# The audit log names at most this many added and this many removed entries of a change. It names
# them in the form for comparison, because the length of that form is bounded.
_NAMED = 100


class ListEntry(NamedTuple):
    """An entry of a list: the form for comparison, and the form that the administrator gave."""

    value: str
    given: str


_ENTRIES = """
SELECT list, coalesce(given, value) AS given FROM list_entries ORDER BY list, position, value
"""
_LIMITS = "SELECT value FROM settings WHERE key = 'send_limits'"

_IS_REMOVED = "list = ?1 AND value NOT IN (SELECT value ->> 0 FROM json_each(?2))"
_REMOVED = f"FROM list_entries WHERE {_IS_REMOVED}"
_ADDED = """
FROM json_each(?2) AS new
WHERE NOT EXISTS (SELECT 1 FROM list_entries WHERE list = ?1 AND value = new.value ->> 0)
"""
# Whether the new list differs from the stored list, even if only the spelling or the order of
# entries differs.
_IS_CHANGED = f"""
EXISTS (SELECT 1 {_REMOVED}) OR EXISTS (
  SELECT 1 FROM json_each(?2) AS new WHERE NOT EXISTS (
    SELECT 1 FROM list_entries
    WHERE list = ?1 AND value = new.value ->> 0 AND given IS new.value ->> 1 AND position = new.key
  )
)
"""
# The details for the audit log, computed before the change: the numbers of entries, and the first
# added and removed entries.
_CHANGE = f"""
json_object(
  'entries', json_array_length(?2),
  'added', (SELECT count(*) {_ADDED}),
  'removed', (SELECT count(*) {_REMOVED}),
  'first_added', json((
    SELECT json_group_array(value) FROM (SELECT new.value ->> 0 AS value {_ADDED} LIMIT {_NAMED})
  )),
  'first_removed', json((
    SELECT json_group_array(value) FROM (SELECT value {_REMOVED} ORDER BY value LIMIT {_NAMED})
  ))
)
"""

_REMOVE_OTHERS = f"DELETE FROM list_entries WHERE {_IS_REMOVED}"
# Writes only new, changed or moved entries.
_ADD = """
INSERT INTO list_entries (list, value, given, position)
SELECT ?1, value ->> 0, value ->> 1, key FROM json_each(?2) WHERE true
ON CONFLICT (list, value) DO UPDATE SET given = excluded.given, position = excluded.position
WHERE given IS NOT excluded.given OR position <> excluded.position
"""
# Whether the limits ?1 differ from the stored limits. If none are stored, the default ?2 applies.
_LIMITS_CHANGE = f"coalesce(({_LIMITS}), ?2) <> ?1"
_SET_LIMITS = f"""
INSERT INTO settings (key, value) SELECT 'send_limits', ?1 WHERE {_LIMITS_CHANGE}
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


async def read_account_settings(database: Database) -> tuple[dict[str, list[str]], str | None]:
    """The entries of each list, by its name in the API, and the limits.

    The limits are JSON, or None if they were never set.
    """
    entries, (found,) = await database.batch(
        [Statement(_ENTRIES), Statement(f"SELECT ({_LIMITS}) AS limits")], repeatable=True
    )
    by_name: dict[str, list[str]] = {}
    for row in entries:
        by_name.setdefault(row["list"], []).append(row["given"])
    lists = {field: by_name.get(list_.name, []) for field, list_ in LISTS.items()}
    return lists, found["limits"]


async def write_account_settings(
    database: Database,
    lists: dict[str, list[ListEntry]],
    limits: dict[str, object] | None,
    *,
    by: Actor,
    now: int,
) -> None:
    """Replace the given lists and limits. Write an audit row for each of them that changes.

    :param lists: the new entries by the list's name in the API. The values of a list are distinct.
    :param limits: None to keep the limits.
    :raises PayloadTooLarge: ``list_too_large``.
    """
    statements: list[Statement] = []
    for field, entries in lists.items():
        encoded = msgspec.json.encode(entries)
        if len(encoded) > MAX_LIST_BYTES:
            raise too_large(field)
        these = (LISTS[field].name, encoded.decode())
        statements += [
            audit_row(
                *(by, "list.set", these[0], now),
                condition=_IS_CHANGED,
                parameters=these,
                computed=_CHANGE,
            ),
            Statement(_REMOVE_OTHERS, these),
            Statement(_ADD, these),
        ]
    if limits is not None:
        new = msgspec.json.encode(limits).decode()
        default = msgspec.json.encode(checked_limits({})).decode()
        statements += [
            audit_row(
                *(by, "limits.set", "sendMailLimitConfig", now, limits),
                condition=_LIMITS_CHANGE,
                parameters=(new, default),
            ),
            Statement(_SET_LIMITS, (new, default)),
        ]
    if statements:
        await database.batch(statements, repeatable=True)
