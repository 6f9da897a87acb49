"""``POST /api/new_address``: create an address and return its credential."""

import secrets
from typing import Annotated

from msgspec import Meta, Struct, field

from accounts.actor import Actor
from accounts.names import check_name, clean_name, full_address, random_name
from accounts.passwords import client_digest, generate_password, stored_form
from errors import BadRequest, Forbidden, field_error
from mail.addresses import InvalidAddress, parse_domain
from store.addresses import create_address
from web.body import read_json
from web.context import RequestContext
from web.responses import Response, json_response
from web.turnstile import Token, check_human

# The number of random names to try, because an address with the name may exist.
_RANDOM_TRIES = 3


# Clients that were written for other services may request an address in a random subdomain.
RandomSubdomain = Annotated[bool | None, Meta(description="Not supported: `true` is rejected.")]


class NewAddress(Struct):
    """The address to create."""

    name: Annotated[
        str | None,
        Meta(
            description="The part before the @. Characters that are not allowed are removed. If "
            "nothing remains, or if no name is given, the service chooses a random name."
        ),
    ] = None
    domain: Annotated[
        str | None,
        Meta(
            description="One of `defaultDomains` from `GET /open_api/settings`. By default the "
            "service chooses one."
        ),
    ] = None
    cf_token: Token = None
    enable_random_subdomain: RandomSubdomain = field(default=None, name="enableRandomSubdomain")


class CreatedAddress(Struct):
    """A new address with its credential and, if it has one, its password."""

    jwt: Annotated[str, Meta(description="The credential of the address (the address JWT).")]
    address: Annotated[str, Meta(description="The mail address.")]
    address_id: Annotated[
        int, Meta(description="The number of the address. Numbers are never reused.")
    ]
    password: Annotated[
        str | None,
        Meta(
            description="The password to log in with. No other response shows it. Null if "
            "`ENABLE_ADDRESS_PASSWORD` is not set."
        ),
    ]


async def create(context: RequestContext) -> Response:
    """Create an address.

    Creates a mail address and returns its credential, if the deployment lets anyone create
    addresses.

    :body NewAddress:
    :response 200 CreatedAddress: The address was created.
    :errors: new_address_disabled, anonymous_new_address_disabled, address_name_too_short,
        address_name_no_match, address_name_blocked, ADDRESS_NAMES, too_many_addresses,
        random_subdomain_unsupported, human_verification_failed, human_verification_unavailable
    :operation createAddress: Addresses
    """
    if not context.settings.enable_user_create_email:
        raise Forbidden("new_address_disabled")
    if context.settings.disable_anonymous_user_create_email:
        raise Forbidden("anonymous_new_address_disabled")
    body = await read_json(context.request, NewAddress)
    check_no_subdomain(body.enable_random_subdomain)
    await check_human(context, body.cf_token)
    try:
        return json_response(await _create(context, body))
    except BadRequest as error:
        raise error.prefixed("failed_to_create") from None


async def _create(context: RequestContext, body: NewAddress) -> CreatedAddress:
    settings = context.settings
    rules = settings.public_name_rules
    most_a_day = settings.max_addresses_per_client_per_day
    wanted = "" if settings.disable_custom_address_name else clean_name(body.name or "", rules)
    if wanted:
        check_name(wanted, rules)
    for tries_left in reversed(range(1 if wanted else _RANDOM_TRIES)):
        name = wanted or random_name(rules)
        domain = choose_domain(
            body.domain,
            settings.creation_domains,
            first=settings.create_address_default_domain_first,
        )
        address = full_address(name, domain, rules)
        try:
            return await create_with_credential(
                *(context, address),
                blockable_name=name,
                most_a_day=most_a_day,
                by=Actor("anybody", context.request.client_ip),
            )
        except BadRequest as error:
            if not tries_left or error.code != "address_exists":
                raise
    raise AssertionError("the last try returns or raises")


def check_no_subdomain(requested: bool | None) -> None:
    """Reject a request for a random subdomain.

    :raises BadRequest: ``random_subdomain_unsupported``.
    """
    if requested:
        error = field_error("random_subdomain_unsupported", "enableRandomSubdomain")
        raise error.prefixed("failed_to_create")


def choose_domain(requested: str | None, allowed: tuple[str, ...], *, first: bool) -> str:
    """Return the domain ``requested``, or by default one of ``allowed``.

    :param first: whether the default is the first of ``allowed`` instead of a random one.
    :raises BadRequest: ``invalid_domain``: ``requested`` is not one of ``allowed``, or ``allowed``
        is empty.
    """
    try:
        domain = parse_domain(requested) if requested else None
    except InvalidAddress:
        domain = requested
    if not domain and allowed:
        domain = allowed[0] if first else secrets.choice(allowed)
    if not allowed:
        raise BadRequest("invalid_domain", sentence="no_domains")
    if domain not in allowed:
        raise field_error("invalid_domain", "domain")
    return str(domain)


async def create_with_credential(
    context: RequestContext,
    address: str,
    *,
    blockable_name: str = "",
    most_a_day: int = 0,
    by: Actor,
) -> CreatedAddress:
    """Create ``address`` with a credential and, if the deployment has passwords, a password.

    The parameters and errors are those of ``create_address``.
    """
    settings = context.settings
    password = password_hash = None
    if settings.enable_address_password:
        password = generate_password()
        password_hash = await stored_form(
            client_digest(password),
            pepper=settings.password_pepper,
            derive=context.services.derive_key,
        )
    credential = await create_address(
        context.database,
        address,
        blockable_name=blockable_name,
        password_hash=password_hash,
        by=by,
        now=context.now(),
        most_a_day=most_a_day,
    )
    return CreatedAddress(
        jwt=context.token(credential),
        address=credential.address,
        address_id=credential.address_id,
        password=password,
    )
