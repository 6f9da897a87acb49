"""``POST /admin/new_address``: an administrator makes an address, bound by few rules."""

import msgspec

from accounts.naming import check_name, clean_name, full_address
from answers import Answer, json_answer
from api.addresses import AdminNewAddress
from call import Call
from handlers.address_creation import choose_domain, create_with_credential
from handlers.admin.administrator import administrator
from handlers.decoding import read_json
from refusals import BadRequest, FieldError

_decoder = msgspec.json.Decoder(AdminNewAddress)


async def create(call: Call) -> Answer:
    body = await read_json(call.request, _decoder)
    settings = call.settings
    rules = settings.admin_name_rules(with_prefix=bool(body.enable_prefix))
    if not body.name or not body.name.strip():
        missing = FieldError("name", "required_field_missing")
        raise BadRequest("required_field_missing", errors=(missing,))
    try:
        name = clean_name(body.name, rules)
        check_name(name, rules)
        domain = choose_domain(
            body.domain,
            settings.domains,
            first=settings.create_address_default_domain_first,
        )
        address = full_address(name, domain, rules)
        made = await create_with_credential(call, address, by=administrator(call))
        return json_answer(made)
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_create") from None
