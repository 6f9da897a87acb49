"""What administrators see and do of addresses."""

from accounts.credentials import Credential
from refusals import NotFound
from store.audit import Actor, trail
from store.database import Database, Row, Statement

# What a page may be sorted by, as SQL.
SORT_KEYS = {
    **{name: name for name in ("id", "name", "created_at", "updated_at", "source_meta")},
    "mail_count": "0",  # of mails received, which this service does none of
    "send_count": (
        "(SELECT count(*) FROM messages WHERE address_id = a.id AND messages.sendbox = a.sendbox)"
    ),
}

# Counts are made for the rows of the page alone, unless it is sorted by them.
_PAGE = """
SELECT a.id, name, created_at, updated_at, source_meta, 0 AS mail_count, {sent} AS send_count
FROM (
  SELECT id, {key} AS key FROM addresses AS a WHERE instr(name, ?1) > 0
  ORDER BY key {order}, id {order} LIMIT ?2 OFFSET ?3
) AS page JOIN addresses AS a ON a.id = page.id
ORDER BY key {order}, a.id {order}
"""

_COUNT = "SELECT count(*) AS count FROM addresses WHERE instr(name, ?1) > 0"

_FIND = "SELECT id, name, credential_version FROM addresses WHERE id = ?1"

_THERE = "EXISTS (SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2)"

_SET_PASSWORD = """
UPDATE addresses SET password_hash = ?3, updated_at = ?4 WHERE id = ?1 AND name = ?2
"""


async def address_page(
    database: Database, *, query: str, sort_by: str, descending: bool, limit: int, offset: int
) -> tuple[list[Row], int]:
    """The addresses with ``query`` in their names, sorted by one of ``SORT_KEYS``; and the count.

    :param query: in lower case; empty for all.
    """
    sql = _PAGE.format(
        key=SORT_KEYS[sort_by],
        sent=SORT_KEYS["send_count"],
        order="DESC" if descending else "ASC",
    )
    rows, counts = await database.batch(
        [Statement(sql, (query, limit, offset)), Statement(_COUNT, (query,))], repeatable=True
    )
    return rows, counts[0]["count"]


async def find_address(database: Database, address_id: int) -> Credential:
    """The address of this id, with the version of its credential.

    :raises NotFound: ``address_not_found``.
    """
    (rows,) = await database.batch([Statement(_FIND, (address_id,))], repeatable=True)
    if not rows:
        raise NotFound("address_not_found")
    return Credential(rows[0]["name"], rows[0]["id"], rows[0]["credential_version"])


async def note_shown(database: Database, credential: Credential, *, by: Actor, now: int) -> None:
    """Write down that the credential is shown, before it is; ``now`` in Unix milliseconds."""
    row = trail(by, "credential.shown", credential.address, now)
    await database.batch([row], repeatable=True)


async def reset_password(
    database: Database, owner: Credential, password_hash: str, *, by: Actor, now: int
) -> None:
    """Replace the stored form of the password of an address; ``now`` in Unix milliseconds."""
    whose = (owner.address_id, owner.address)
    await database.batch(
        [
            trail(by, "password.reset", owner.address, now, condition=_THERE, parameters=whose),
            Statement(_SET_PASSWORD, (*whose, password_hash, now)),
        ],
        repeatable=True,
    )
