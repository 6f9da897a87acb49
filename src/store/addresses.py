"""Mail addresses: making one, its credential and its password."""

from typing import NamedTuple

from accounts.credentials import Credential, rotated
from accounts.naming import name_blocked
from clock import seconds_left_of_day, utc_day
from refusals import BadRequest, TooManyRequests, Unauthorized
from store.audit import Actor, trail
from store.database import Database, Statement

_IS_BLOCKED = "EXISTS (SELECT 1 FROM list_entries WHERE list = 'name_block' AND value = ?1)"

# False where there is no such cap, and ?4 is NULL.
_IS_CAPPED = """
coalesce((SELECT addresses FROM client_days WHERE day = ?2 AND client = ?3) >= ?4, 0)
"""

_OBSTACLES = f"SELECT {_IS_BLOCKED} AS blocked, {_IS_CAPPED} AS capped"

_WILL_BE_MADE = f"""
NOT EXISTS (SELECT 1 FROM addresses WHERE name = ?5) AND NOT {_IS_BLOCKED} AND NOT {_IS_CAPPED}
"""

_INSERT = f"""
INSERT INTO addresses (name, password_hash, source_meta, created_at, updated_at)
SELECT ?5, ?6, ?7, ?8, ?8 WHERE {_WILL_BE_MADE}
RETURNING id, credential_version
"""

# Right behind the INSERT, whose changes it asks for.
_COUNT_FOR_CLIENT = """
INSERT INTO client_days (day, client, addresses)
SELECT ?1, ?2, 1 WHERE changes() > 0
ON CONFLICT (day, client) DO UPDATE SET addresses = addresses + 1
"""

# A credential holds while its row has the same id, name and version.
_HOLDS = """
SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2 AND credential_version = ?3
"""

_ROTATE = """
UPDATE addresses SET credential_version = ?4, updated_at = ?5
WHERE id = ?1 AND name = ?2 AND credential_version = ?3
"""

_SET_PASSWORD = """
UPDATE addresses SET password_hash = ?4, updated_at = ?5
WHERE id = ?1 AND name = ?2 AND credential_version = ?3
"""


class ClientCap(NamedTuple):
    """No more than ``most`` addresses a UTC day for one ``client``."""

    client: str
    most: int


async def create_address(
    database: Database,
    address: str,
    *,
    blockable_name: str,
    password_hash: str | None,
    by: Actor,
    now: int,
    cap: ClientCap | None = None,
) -> Credential:
    """Make the row of ``address`` and return the credential for it.

    :param blockable_name: what is looked up in the block list; empty to look nothing up.
    :param by: who makes it; his client address is kept with it.
    :param now: Unix milliseconds.
    :raises BadRequest: ``address_name_blocked`` or ``address_exists``.
    :raises TooManyRequests: ``too_many_addresses``, over the ``cap``.
    """
    client, most = cap or (None, None)
    conditions = (blockable_name, utc_day(now), client, most)
    row = trail(
        *(by, "address.created", address, now),
        condition=_WILL_BE_MADE,
        parameters=(*conditions, address),
    )
    found, _, made, *_ = await database.batch(
        [
            Statement(_OBSTACLES, conditions),
            row,
            Statement(_INSERT, (*conditions, address, password_hash, by.source, now)),
            *([Statement(_COUNT_FOR_CLIENT, (utc_day(now), client))] if cap else []),
        ]
    )
    if found[0]["blocked"]:
        raise name_blocked(blockable_name)
    if found[0]["capped"]:
        raise TooManyRequests("too_many_addresses", retry_after=seconds_left_of_day(now), most=most)
    if not made:
        raise BadRequest("address_exists")
    return Credential(address, made[0]["id"], made[0]["credential_version"])


def holds_statement(credential: Credential) -> Statement:
    """Finds one row where ``credential`` still holds, else none."""
    return Statement(_HOLDS, _named(credential))


async def check_holds(database: Database, credential: Credential) -> None:
    """:raises Unauthorized: ``invalid_credential``, where the address is gone or was rotated."""
    (found,) = await database.batch([holds_statement(credential)], repeatable=True)
    if not found:
        raise Unauthorized("invalid_credential")


async def rotate_credential(
    database: Database, credential: Credential, *, by: Actor, now: int
) -> Credential:
    """Replace ``credential``, which is worth nothing from then on, and return the new one.

    Of requests that are made with one credential at the same time one gets the new credential.

    :param now: Unix milliseconds.
    :raises Unauthorized: ``invalid_credential``, where it no longer holds.
    """
    new = rotated(credential)
    change = Statement(_ROTATE, (*_named(credential), new.version, now))
    await _change(database, [_row(by, "credential.rotated", credential, now), change], new)
    return new


async def set_password(
    database: Database,
    credential: Credential,
    password_hash: str,
    *,
    by: Actor,
    now: int,
) -> None:
    """Replace the stored form of the password of an address.

    :param now: Unix milliseconds.
    :raises Unauthorized: ``invalid_credential``, where the credential no longer holds.
    """
    change = Statement(_SET_PASSWORD, (*_named(credential), password_hash, now))
    await _change(database, [_row(by, "password.changed", credential, now), change], credential)


async def _change(database: Database, change: list[Statement], credential: Credential) -> None:
    """Make a change to the row of an address, behind which ``credential`` must hold."""
    *_, found = await database.batch([*change, holds_statement(credential)], repeatable=True)
    if not found:
        raise Unauthorized("invalid_credential")


def _row(by: Actor, action: str, credential: Credential, now: int) -> Statement:
    """The row about what is done, in front of it, as long as the credential holds."""
    return trail(
        *(by, action, credential.address, now),
        condition=f"EXISTS ({_HOLDS})",
        parameters=_named(credential),
    )


def _named(credential: Credential) -> tuple[int, str, int]:
    return credential.address_id, credential.address, credential.version
