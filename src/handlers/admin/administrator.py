"""Who administers, and the addresses that he names by their numbers."""

import hmac

from accounts.credentials import Credential
from call import Call
from refusals import NotFound
from store.address_book import find_address
from store.audit import Actor


def administrator(call: Call) -> Actor:
    """The administrator of the audit trail: which of the passwords he has, not the password."""
    given = call.request.header("x-admin-auth").encode()
    known = [hmac.compare_digest(given, one.encode()) for one in call.settings.admin_passwords]
    name = f"admin#{known.index(True) + 1}" if any(known) else "admin"
    return Actor(name, call.request.client_ip, is_administrator=True)


async def named_address(call: Call, address_id: str) -> Credential:
    """The address of this id.

    :raises NotFound: ``address_not_found``.
    """
    if not address_id.isascii() or not address_id.isdigit() or len(address_id) > 15:
        raise NotFound("address_not_found")
    return await find_address(call.database, int(address_id))
