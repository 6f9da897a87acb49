"""Send balances: how many more recipients an address may send to."""

from accounts.credentials import Credential
from refusals import Unauthorized
from store.addresses import holds_statement
from store.database import Database, Statement

UNLIMITED = 99_999  # what clients of the API are shown for an address without a limit

# DEFAULT_SEND_BALANCE is granted once: to an address that has no row.
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
END AS balance
"""


def balance_statement(credential: Credential, default: int) -> Statement:
    """Gives ``balance``: what is left for the address, or what it would be granted."""
    return Statement(_BALANCE, (credential.address_id, credential.address, default))


async def send_balance(
    database: Database, credential: Credential, *, default: int, now: int
) -> int:
    """What is left for the address of ``credential``, after granting ``default`` where due.

    :param now: Unix milliseconds.
    :raises Unauthorized: where the credential no longer holds.
    """
    address = (credential.address_id, credential.address, credential.version)
    found, _, balances = await database.batch(
        [
            holds_statement(credential),
            Statement(_GRANT, (*address, default, now)),
            balance_statement(credential, default),
        ],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    balance: int = balances[0]["balance"]
    return balance
