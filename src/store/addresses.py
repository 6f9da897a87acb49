"""Mail addresses: making one, and finding out whether a credential still holds."""

from accounts.credentials import Credential
from accounts.naming import name_blocked
from refusals import BadRequest, Unauthorized
from store.database import Database, Statement

_NAME_BLOCKED = """
SELECT EXISTS (SELECT 1 FROM list_entries WHERE list = 'name_block' AND value = ?1) AS blocked
"""

_INSERT = """
INSERT INTO addresses (name, password_hash, source_meta, created_at, updated_at)
SELECT ?1, ?2, ?3, ?4, ?4
WHERE NOT EXISTS (SELECT 1 FROM list_entries WHERE list = 'name_block' AND value = ?5)
ON CONFLICT (name) DO NOTHING
RETURNING id, credential_version
"""

# A credential holds while its row has the same id, name and version.
_HOLDS = """
SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2 AND credential_version = ?3
"""


async def create_address(
    database: Database,
    address: str,
    *,
    blockable_name: str,
    password_hash: str | None,
    source: str | None,
    now: int,
) -> Credential:
    """Make the row of ``address`` and return the credential for it.

    :param blockable_name: what is looked up in the block list; empty to look nothing up.
    :param source: the client address it was created from.
    :param now: Unix milliseconds.
    :raises BadRequest: ``address_name_blocked`` or ``address_exists``.
    """
    insert = Statement(_INSERT, (address, password_hash, source, now, blockable_name))
    found, made = await database.batch([Statement(_NAME_BLOCKED, (blockable_name,)), insert])
    if found[0]["blocked"]:
        raise name_blocked(blockable_name)
    if not made:
        raise BadRequest("address_exists")
    return Credential(address, made[0]["id"], made[0]["credential_version"])


def holds_statement(credential: Credential) -> Statement:
    """Finds one row where ``credential`` still holds, else none."""
    return Statement(_HOLDS, (credential.address_id, credential.address, credential.version))


async def check_holds(database: Database, credential: Credential) -> None:
    """:raises Unauthorized: ``invalid_credential``, where the address is gone or was rotated."""
    (found,) = await database.batch([holds_statement(credential)], repeatable=True)
    if not found:
        raise Unauthorized("invalid_credential")
