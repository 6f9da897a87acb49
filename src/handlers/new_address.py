"""``POST /api/new_address``: anybody makes an address and is given its credential."""

import msgspec

from accounts.naming import check_name, clean_name, full_address, random_name
from answers import Answer, json_answer
from api.addresses import CreatedAddress, NewAddress
from call import Call
from handlers.address_creation import choose_domain, create_with_credential
from handlers.decoding import read_json
from handlers.human_verification import check_human
from refusals import BadRequest, Forbidden
from store.audit import Actor

# A random name that is taken is a matter of chance, and another one may be free.
_RANDOM_TRIES = 3

_decoder = msgspec.json.Decoder(NewAddress)


async def create(call: Call) -> Answer:
    if not call.settings.enable_user_create_email:
        raise Forbidden("new_address_disabled")
    if call.settings.disable_anonymous_user_create_email:
        raise Forbidden("anonymous_new_address_disabled")
    body = await read_json(call.request, _decoder)
    await check_human(call, body.cf_token)
    try:
        return json_answer(await _create(call, body))
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_create") from None


async def _create(call: Call, body: NewAddress) -> CreatedAddress:
    settings = call.settings
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
                *(call, address),
                blockable_name=name,
                most_a_day=most_a_day,
                by=Actor("anybody", call.request.client_ip),
            )
        except BadRequest as refusal:
            if not tries_left or refusal.code != "address_exists":
                raise
    raise AssertionError("the last try returns or raises")
