"""Send balances: the number of recipients that an address can still send to."""

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import BadRequest, Forbidden, NotFound
from store.addresses import ADDRESS_EXISTS, require_valid
from store.audit import audit_row, with_audit
from store.database import Database, Row, Statement, page

UNLIMITED = 99_999  # the balance in responses for an address without a limit

# Grants DEFAULT_SEND_BALANCE to an address without a row, so each address gets it once.
_GRANT = """
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT id, ?4, 1, ?5 FROM addresses
WHERE id = ?1 AND name = ?2 AND credential_version = ?3 AND ?4 > 0
ON CONFLICT (address_id) DO NOTHING
"""

_BALANCE = f"""
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM list_entries WHERE list = 'unlimited' AND value = ?2) THEN {UNLIMITED}
  ELSE coalesce((SELECT enabled * balance FROM send_balances WHERE address_id = ?1), ?3)
END AS balance,
  EXISTS (
    SELECT 1 FROM send_balances WHERE address_id = ?1 AND NOT enabled AND requested_at IS NULL
  ) AS is_disabled
"""


def balance_statement(credential: Credential, default: int) -> Statement:
    """The statement that reads the balance of the address, and whether it is disabled.

    A request that waits for a decision does not count as disabled.

    :param default: the result for an address that has not been granted a balance yet.
    """
    return Statement(_BALANCE, (credential.address_id, credential.address, default))


async def send_balance(
    database: Database, credential: Credential, *, default: int, now: int
) -> int:
    """Grant ``default`` to the address if it has no balance yet; return the balance."""
    _, (row,) = await require_valid(
        database,
        credential,
        Statement(_GRANT, (*credential.key, default, now)),
        balance_statement(credential, default),
    )
    balance: int = row["balance"]
    return balance


# If the default balance ?4 is 0, a new row is disabled: it is a request to the administrators. An
# address whose balance is used up can also request a balance. An address that an administrator has
# disabled can't.
_REQUEST = """
INSERT INTO send_balances (address_id, balance, enabled, requested_at, created_at)
SELECT id, ?4, ?4 > 0, CASE WHEN ?4 = 0 THEN ?5 END, ?5 FROM addresses
WHERE id = ?1 AND name = ?2 AND credential_version = ?3
ON CONFLICT (address_id) DO UPDATE SET requested_at = excluded.created_at
WHERE enabled AND balance = 0 AND requested_at IS NULL
"""
_STATE = """
SELECT enabled, requested_at FROM send_balances WHERE address_id = ?1
"""

_COLUMNS = "b.address_id AS id, name AS address, balance, enabled, b.requested_at, b.created_at"
_PAGE = f"""
SELECT {_COLUMNS}
FROM send_balances AS b JOIN addresses AS a ON a.id = b.address_id
WHERE ?1 IS NULL OR name = ?1 ORDER BY b.address_id DESC LIMIT ?2 OFFSET ?3
"""
_COUNT = """
SELECT count(*) AS count FROM send_balances JOIN addresses ON id = address_id
WHERE ?1 IS NULL OR name = ?1
"""

# Oldest first, in the order of the index send_balances_requested.
_REQUESTS = f"""
SELECT {_COLUMNS}
FROM send_balances AS b INDEXED BY send_balances_requested JOIN addresses AS a
  ON a.id = b.address_id
WHERE requested_at > 0 AND (?1 IS NULL OR name = ?1)
ORDER BY b.requested_at, b.address_id LIMIT ?2 OFFSET ?3
"""
_COUNT_REQUESTS = """
SELECT count(*) AS count
FROM send_balances INDEXED BY send_balances_requested JOIN addresses ON id = address_id
WHERE requested_at > 0 AND (?1 IS NULL OR name = ?1)
"""

_FIND = """
SELECT id, name FROM addresses
WHERE id = coalesce(nullif(?1, 0), (SELECT id FROM addresses WHERE name = ?2))
  AND name = coalesce(?2, name)
"""
# Whether the balance is already set to these values. A stored request counts as a difference,
# because setting the balance removes the request.
_IS_SET = """
EXISTS (
  SELECT 1 FROM send_balances
  WHERE address_id = ?1 AND balance = ?3 AND enabled = ?4 AND requested_at IS NULL
)
"""
_CHANGES = f"{ADDRESS_EXISTS} AND NOT {_IS_SET}"
_SET = f"""
INSERT INTO send_balances (address_id, balance, enabled, created_at)
SELECT ?1, ?3, ?4, ?5 WHERE {_CHANGES}
ON CONFLICT (address_id) DO UPDATE SET
  balance = excluded.balance, enabled = excluded.enabled, requested_at = NULL
"""

_EXISTS = "EXISTS (SELECT 1 FROM send_balances WHERE address_id = ?1)"
_REMOVE = "DELETE FROM send_balances WHERE address_id = ?1"


async def request_access(
    database: Database, credential: Credential, *, default: int, now: int
) -> None:
    """Grant ``default`` to an address without a balance, or store a request to the administrators.

    A request is stored if ``default`` is 0, or if the balance of the address is used up. Nothing
    changes while the address has a balance.

    :raises BadRequest: ``already_requested``: no administrator has granted the earlier request yet.
    :raises Forbidden: ``balance_disabled``: an administrator has disabled the address.
    """
    before, _ = await require_valid(
        database,
        credential,
        Statement(_STATE, (credential.address_id,)),
        Statement(_REQUEST, (*credential.key, default, now)),
    )
    if not before:
        return
    (row,) = before
    # If the response of a first run was lost, the row already has the time of this request.
    if row["requested_at"] not in (None, now):
        raise BadRequest("already_requested")
    if row["requested_at"] is None and not row["enabled"]:
        raise Forbidden("balance_disabled")


async def balance_page(
    database: Database, *, address: str | None, requested: bool, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of balances, newest address first, and the number of all that match.

    :param address: only the balance of this address, in lower case; None for all.
    :param requested: only requests that no administrator has granted yet, oldest first.
    """
    rows, count = (_REQUESTS, _COUNT_REQUESTS) if requested else (_PAGE, _COUNT)
    return await page(
        database, Statement(rows, (address, limit, offset)), Statement(count, (address,))
    )


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
    """Set the balance of an address, even if it has none yet.

    :param address_id: 0 to look up ``address`` only. If both are given, both must match.
    :param address: in lower case; None to look up ``address_id`` only.
    :raises NotFound: ``address_not_found``.
    """
    find = Statement(_FIND, (address_id, address))
    (rows,) = await database.batch([find], repeatable=True)
    if not rows:
        raise NotFound("address_not_found")
    (found,) = rows
    new = (found["id"], found["name"], balance, int(enabled))
    details: dict[str, object] = {"balance": balance, "enabled": enabled}
    await database.batch(
        [
            audit_row(
                *(by, "balance.set", found["name"], now, details),
                condition=_CHANGES,
                parameters=new,
            ),
            Statement(_SET, (*new, now)),
        ],
        repeatable=True,
    )


async def remove_balance(database: Database, owner: Credential, *, by: Actor, now: int) -> None:
    """Delete the balance row of an address. The address can then get the default balance again.

    :raises NotFound: ``balance_not_found``.
    """
    this = (owner.address_id,)
    row = audit_row(by, "balance.removed", owner.address, now, condition=_EXISTS, parameters=this)
    if not await with_audit(database, row, Statement(_REMOVE, this)):
        raise NotFound("balance_not_found")
