"""What both ways of creating an address share."""

import secrets

from accounts.clients import client_key
from accounts.passwords import client_digest, generate_password, stored_form
from api.addresses import CreatedAddress
from call import Call
from clock import now
from handlers.credentials import token
from mail.address import InvalidAddress, ascii_domain
from refusals import BadRequest, FieldError
from runtime.ciphers import pbkdf2_sha256
from store.addresses import ClientCap, create_address
from store.audit import Actor


def choose_domain(requested: str | None, allowed: tuple[str, ...], *, first: bool) -> str:
    """``requested`` if it is ``allowed``; without one any of these, or the ``first``.

    :raises BadRequest: ``invalid_domain``.
    """
    try:
        domain = ascii_domain(requested.strip()) if requested else None
    except InvalidAddress:
        domain = requested
    if not domain and allowed:
        domain = allowed[0] if first else secrets.choice(allowed)
    if domain not in allowed:
        raise BadRequest("invalid_domain", errors=(FieldError("domain", "invalid_domain"),))
    return str(domain)


async def create_with_credential(
    call: Call,
    address: str,
    *,
    blockable_name: str = "",
    most_a_day: int = 0,
    by: Actor,
) -> CreatedAddress:
    """Make ``address`` and return what its owner gets: the credential and, if any, a password.

    :param blockable_name: what is looked up in the block list; empty to look nothing up.
    :param most_a_day: how many addresses one client may make on a UTC day; 0 for any number.
    :raises BadRequest: ``address_name_blocked`` or ``address_exists``.
    :raises TooManyRequests: ``too_many_addresses``.
    """
    settings = call.settings
    password = password_hash = None
    if settings.enable_address_password:
        password = generate_password()
        password_hash = await stored_form(
            client_digest(password),
            pepper=settings.password_pepper,
            derive=pbkdf2_sha256,
        )
    credential = await create_address(
        call.database,
        address,
        blockable_name=blockable_name,
        password_hash=password_hash,
        by=by,
        now=now(),
        cap=ClientCap(client_key(call.request.client_ip), most_a_day) if most_a_day else None,
    )
    return CreatedAddress(
        jwt=token(call, credential),
        address=credential.address,
        address_id=credential.address_id,
        password=password,
    )
