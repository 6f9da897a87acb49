"""``POST /admin/new_address``: create an address as an administrator."""

from typing import Annotated

from msgspec import Meta, Struct

from accounts.names import check_name, clean_name, full_address
from errors import BadRequest, field_error
from handlers.new_address import (
    RandomSubdomain,
    check_no_subdomain,
    choose_domain,
    create_with_credential,
)
from web.body import read_json
from web.context import RequestContext
from web.responses import Response, json_response


class AdminNewAddress(Struct, rename="camel"):
    """The address to create."""

    name: Annotated[
        str | None,
        Meta(description="The part before the @, 1 to 30 characters. Required."),
    ] = None
    domain: Annotated[
        str | None,
        Meta(
            description="One of `domains` from `GET /open_api/settings`. By default the service "
            "chooses one."
        ),
    ] = None
    enable_prefix: Annotated[
        bool | None,
        Meta(description="Whether to put the deployment's prefix before the name."),
    ] = None
    enable_random_subdomain: RandomSubdomain = None


async def create(context: RequestContext) -> Response:
    """Create an address as an administrator.

    Creates a mail address in any domain of the deployment. The naming rules of `POST
    /api/new_address` do not apply.

    :body AdminNewAddress:
    :response 200 CreatedAddress: The address was created.
    :errors: required_field_missing, random_subdomain_unsupported, ADDRESS_NAMES
    :operation createAddressAsAdmin: Addresses
    """
    body = await read_json(context.request, AdminNewAddress)
    check_no_subdomain(body.enable_random_subdomain)
    settings = context.settings
    rules = settings.admin_name_rules(with_prefix=bool(body.enable_prefix))
    if not body.name or not body.name.strip():
        raise field_error("required_field_missing", "name")
    try:
        name = clean_name(body.name, rules)
        check_name(name, rules)
        domain = choose_domain(
            body.domain,
            settings.domains,
            first=settings.create_address_default_domain_first,
        )
        address = full_address(name, domain, rules)
        made = await create_with_credential(context, address, by=context.administrator)
        return json_response(made)
    except BadRequest as error:
        raise error.prefixed("failed_to_create") from None
