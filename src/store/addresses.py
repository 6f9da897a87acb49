"""Mail addresses: creation, validity of credentials, lists, and changes by administrators."""

from accounts.actor import Actor
from accounts.clients import client_key
from accounts.credentials import Credential
from accounts.names import name_blocked
from clock import utc_day
from errors import BadRequest, NotFound, Unauthorized
from store.audit import audit_row
from store.daily_counts import count_statement, limit_reached, used
from store.database import Database, Row, Statement, page, quoted

_IS_BLOCKED = "EXISTS (SELECT 1 FROM list_entries WHERE list = 'name_block' AND value = ?1)"

# Whether the client has created ?4 or more addresses on this day; false if ?4 is NULL (no limit).
_IS_CAPPED = f"coalesce({used('?2', '?3', quoted(['addresses_created']))} >= ?4, 0)"

_OBSTACLES = f"SELECT {_IS_BLOCKED} AS blocked, {_IS_CAPPED} AS capped"

_IS_ALLOWED = f"""
NOT EXISTS (SELECT 1 FROM addresses WHERE name = ?5) AND NOT {_IS_BLOCKED} AND NOT {_IS_CAPPED}
"""

_INSERT = f"""
INSERT INTO addresses (name, password_hash, source_meta, created_at, updated_at)
SELECT ?5, ?6, ?7, ?8, ?8 WHERE {_IS_ALLOWED}
"""

# If D1's response is lost, the batch runs again and creates nothing. The audit row ?2 then shows
# that the first run created the address.
_CREATED = """
SELECT id, credential_version FROM addresses
WHERE name = ?1 AND EXISTS (SELECT 1 FROM audit WHERE id = ?2 ->> 'id')
"""

# A credential is valid while the row of its address has the same id, name and version.
HOLDS = """
SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2 AND credential_version = ?3
"""


async def create_address(
    database: Database,
    address: str,
    *,
    blockable_name: str,
    password_hash: str | None,
    by: Actor,
    now: int,
    most_a_day: int = 0,
) -> Credential:
    """Create ``address`` and return its credential.

    :param blockable_name: the name to look up in the block list; empty for no lookup.
    :param by: the creator, whose IP address is stored with the mail address.
    :param most_a_day: how many addresses a client may create per UTC day; 0 for no limit.
    :raises BadRequest: ``address_name_blocked`` or ``address_exists``.
    :raises TooManyRequests: ``too_many_addresses``.
    """
    client = client_key(by.source) if most_a_day else None
    conditions = (blockable_name, utc_day(now), client, most_a_day or None)
    row = audit_row(
        *(by, "address.created", address, now),
        condition=_IS_ALLOWED,
        parameters=(*conditions, address),
    )
    (obstacles,), *_, created = await database.batch(
        [
            Statement(_OBSTACLES, conditions),
            row,
            Statement(_INSERT, (*conditions, address, password_hash, by.source, now)),
            *([count_statement(utc_day(now), client, "addresses_created")] if client else []),
            Statement(_CREATED, (address, row.parameters[-1])),
        ],
        repeatable=True,
    )
    if created:
        (new,) = created
        return Credential(address, new["id"], new["credential_version"])
    if obstacles["blocked"]:
        raise name_blocked(blockable_name)
    if obstacles["capped"]:
        raise limit_reached("too_many_addresses", most=most_a_day, now=now)
    raise BadRequest("address_exists")


def credential_check(credential: Credential) -> Statement:
    """The statement that returns one row if ``credential`` is valid, otherwise no row."""
    return Statement(HOLDS, credential.key)


async def require_valid(
    database: Database, credential: Credential, *statements: Statement
) -> list[list[Row]]:
    """Run repeatable ``statements`` and return the rows of each, if ``credential`` is valid.

    The statements run in any case, so statements that write must check the credential themselves.

    :raises Unauthorized: ``invalid_credential``: the address was deleted, or its credential was
        replaced.
    """
    found, *results = await database.batch(
        [credential_check(credential), *statements], repeatable=True
    )
    if not found:
        raise Unauthorized("invalid_credential")
    return results


# The sort keys of a page, as SQL.
SORT_KEYS = {
    **{name: name for name in ("id", "name", "created_at", "updated_at", "source_meta")},
    "mail_count": "0",  # received mails: this service receives none
    "send_count": (
        "(SELECT count(*) FROM messages WHERE address_id = a.id AND messages.sendbox = a.sendbox)"
    ),
}

# Counts the messages of the addresses on the page only, unless send_count is the sort key.
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

ADDRESS_EXISTS = "EXISTS (SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2)"

_RESET_PASSWORD = """
UPDATE addresses SET password_hash = ?3, password_by_owner = 0, updated_at = ?4
WHERE id = ?1 AND name = ?2
"""


async def address_page(
    database: Database, *, query: str, sort_by: str, descending: bool, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of the addresses that contain ``query``, and the number of all that match.

    :param query: in lower case; empty for all addresses.
    :param sort_by: a key of ``SORT_KEYS``.
    """
    sql = _PAGE.format(
        key=SORT_KEYS[sort_by],
        sent=SORT_KEYS["send_count"],
        order="DESC" if descending else "ASC",
    )
    return await page(database, Statement(sql, (query, limit, offset)), Statement(_COUNT, (query,)))


async def find_address(database: Database, address_id: str) -> Credential:
    """The credential of the address with this id.

    :param address_id: the text from the client, possibly not a number.

    :raises NotFound: ``address_not_found``.
    """
    if not address_id.isascii() or not address_id.isdigit() or len(address_id) > 15:
        raise NotFound("address_not_found")
    (rows,) = await database.batch([Statement(_FIND, (int(address_id),))], repeatable=True)
    if not rows:
        raise NotFound("address_not_found")
    (found,) = rows
    return Credential(found["name"], found["id"], found["credential_version"])


async def note_shown(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Record in the audit log that the actor ``by`` sees the credential of ``owner``."""
    row = audit_row(by, "credential.shown", owner.address, now)
    await database.batch([row], repeatable=True)


async def reset_password(
    database: Database, owner: Credential, password_hash: str, *, by: Actor, now: int
) -> None:
    """Replace the stored form of the password of an address."""
    whose = (owner.address_id, owner.address)
    await database.batch(
        [
            audit_row(
                by, "password.reset", owner.address, now, condition=ADDRESS_EXISTS, parameters=whose
            ),
            Statement(_RESET_PASSWORD, (*whose, password_hash, now)),
        ],
        repeatable=True,
    )
