"""Send balances as administrators see and set them, and requests for one.

The row of a balance has the id of its address.
"""

from accounts.credentials import Credential
from refusals import BadRequest, NotFound, Unauthorized
from store.addresses import holds_statement
from store.audit import Actor, audited, trail
from store.database import Database, Row, Statement

# What is not granted waits, disabled, for an administrator.
_REQUEST = """
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT id, ?4, ?4 > 0, ?5 FROM addresses
WHERE id = ?1 AND name = ?2 AND credential_version = ?3
ON CONFLICT (address_id) DO NOTHING
"""
_CREATED_AT = "SELECT created_at FROM send_balances WHERE address_id = ?1"

_PAGE = """
SELECT b.address_id AS id, name AS address, balance, enabled, b.created_at
FROM send_balances AS b JOIN addresses AS a ON a.id = b.address_id
WHERE ?1 IS NULL OR name = ?1 ORDER BY b.address_id DESC LIMIT ?2 OFFSET ?3
"""
_COUNT = """
SELECT count(*) AS count FROM send_balances JOIN addresses ON id = address_id
WHERE ?1 IS NULL OR name = ?1
"""

# As send_balances_requested has them.
_REQUESTS = """
SELECT b.address_id AS id, name AS address, balance, enabled, b.created_at
FROM send_balances AS b INDEXED BY send_balances_requested JOIN addresses AS a
  ON a.id = b.address_id
WHERE balance = 0 AND NOT enabled AND (?1 IS NULL OR name = ?1)
ORDER BY b.created_at, b.address_id LIMIT ?2 OFFSET ?3
"""
_COUNT_REQUESTS = """
SELECT count(*) AS count
FROM send_balances INDEXED BY send_balances_requested JOIN addresses ON id = address_id
WHERE balance = 0 AND NOT enabled AND (?1 IS NULL OR name = ?1)
"""

_FIND = """
SELECT id, name FROM addresses
WHERE id = coalesce(nullif(?1, 0), (SELECT id FROM addresses WHERE name = ?2))
  AND name = coalesce(?2, name)
"""
_ADDRESS_THERE = "EXISTS (SELECT 1 FROM addresses WHERE id = ?1 AND name = ?2)"
_SET = f"""
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT ?1, ?3, ?4, ?5 WHERE {_ADDRESS_THERE}
ON CONFLICT (address_id) DO UPDATE SET balance = excluded.balance, enabled = excluded.enabled
"""

_THERE = "EXISTS (SELECT 1 FROM send_balances WHERE address_id = ?1)"
_REMOVE = "DELETE FROM send_balances WHERE address_id = ?1"


async def request_access(
    database: Database, credential: Credential, *, default: int, now: int
) -> None:
    """Make the row of a balance: what is granted by ``default``, else for administrators to set.

    :param now: Unix milliseconds.
    :raises Unauthorized: where the credential no longer holds.
    :raises BadRequest: ``already_requested``.
    """
    owner = (credential.address_id, credential.address, credential.version)
    found, _, rows = await database.batch(
        [
            holds_statement(credential),
            Statement(_REQUEST, (*owner, default, now)),
            Statement(_CREATED_AT, (credential.address_id,)),
        ],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    # One that this request has made, maybe in a first run whose answer was lost, has its time.
    if rows[0]["created_at"] != now:
        raise BadRequest("already_requested")


async def balance_page(
    database: Database, *, address: str | None, requested: bool, limit: int, offset: int
) -> tuple[list[Row], int]:
    """The balances, that of the newest address first, or that of ``address``; and the count.

    :param requested: only those that an administrator may grant, the oldest request first.
    """
    page, count = (_REQUESTS, _COUNT_REQUESTS) if requested else (_PAGE, _COUNT)
    rows, counts = await database.batch(
        [Statement(page, (address, limit, offset)), Statement(count, (address,))],
        repeatable=True,
    )
    return rows, counts[0]["count"]


async def set_balance(
    database: Database,
    address_id: int,
    address: str | None,
    *,
    balance: int,
    enabled: bool,
    by: Actor,
    now: int,
) -> None:
    """Set the balance of an address, whether it had one or not.

    :param address_id: 0 goes by ``address`` alone; else both must fit, where both are given.
    :param address: in lower case.
    :param now: Unix milliseconds.
    :raises NotFound: ``address_not_found``.
    """
    find = Statement(_FIND, (address_id, address))
    (rows,) = await database.batch([find], repeatable=True)
    if not rows:
        raise NotFound("address_not_found")
    whose = (rows[0]["id"], rows[0]["name"])
    details: dict[str, object] = {"balance": balance, "enabled": enabled}
    await database.batch(
        [
            trail(
                *(by, "balance.set", rows[0]["name"], now, details),
                condition=_ADDRESS_THERE,
                parameters=whose,
            ),
            Statement(_SET, (*whose, balance, int(enabled), now)),
        ],
        repeatable=True,
    )


async def remove_balance(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Remove the balance of an address, as if it had never had one; ``now`` in Unix milliseconds.

    :raises NotFound: ``balance_not_found``.
    """
    done = await audited(
        database,
        by,
        "balance.removed",
        owner.address,
        now=now,
        condition=_THERE,
        parameters=(owner.address_id,),
        change=[Statement(_REMOVE, (owner.address_id,))],
    )
    if not done:
        raise NotFound("balance_not_found")
