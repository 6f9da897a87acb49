"""``/admin/address``: list addresses and set their passwords."""

from typing import Annotated

from msgspec import Meta, Struct

from accounts.passwords import Digest, stored_form
from clock import database_time
from errors import Forbidden
from handlers.address_change_password import new_digest
from mail.addresses import MAX_GIVEN_CHARACTERS
from store import addresses
from store.addresses import SORT_KEYS, address_page, find_address
from web.body import read_json
from web.context import RequestContext
from web.query import limit_and_offset, one_of
from web.responses import Response, Success, json_response


class AddressRow(Struct):
    """An address in the list for administrators."""

    id: Annotated[int, Meta(description="The number of the address.")]
    name: Annotated[str, Meta(description="The mail address.")]
    created_at: Annotated[str, Meta(description="The creation time, `YYYY-MM-DD HH:MM:SS` in UTC.")]
    updated_at: Annotated[
        str, Meta(description="The time of the last change, `YYYY-MM-DD HH:MM:SS` in UTC.")
    ]
    source_meta: Annotated[
        str | None, Meta(description="The IP address of the client that created the address.")
    ]
    mail_count: Annotated[int, Meta(description="Always 0: this service receives no mail.")]
    send_count: Annotated[
        int, Meta(description="The number of messages in the sendbox of the address.")
    ]


class AddressPage(Struct):
    """A page of addresses."""

    results: Annotated[list[AddressRow], Meta(description="The addresses of this page.")]
    count: Annotated[int, Meta(description="The total number of addresses.")]


class NewPassword(Struct):
    """A new password for an address."""

    password: Digest = None


async def list_addresses(context: RequestContext) -> Response:
    """List addresses.

    Returns the addresses of the deployment.

    :query limit:
    :query offset:
    :query query: Return only addresses that contain this text. Example: `alice`.
    :query sort_by: The field to sort by. Default: `id`. Example: `name`.
    :query sort_order: `asc` or `desc`. Default: `desc`. Example: `asc`.
    :response 200 AddressPage: A page of addresses.
    :errors: PAGING, invalid_sort_by, invalid_sort_order
    :operation listAddresses: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await address_page(
        context.database,
        query=query.get("query", "")[:MAX_GIVEN_CHARACTERS].strip().lower(),
        sort_by=one_of(query, "sort_by", (*SORT_KEYS,), "id"),
        descending=one_of(query, "sort_order", ("asc", "desc"), "desc") == "desc",
        limit=limit,
        offset=offset,
    )
    results = [
        AddressRow(
            **{
                **row,
                "created_at": database_time(row["created_at"]),
                "updated_at": database_time(row["updated_at"]),
            }
        )
        for row in rows
    ]
    return json_response(AddressPage(results, count))


async def reset_password(context: RequestContext) -> Response:
    """Set the password of an address.

    Replaces the password of an address, if the deployment has passwords.

    :path id: The number of an address. Example: `1`.
    :body NewPassword:
    :response 200 Success: The password was set.
    :errors: address_not_found, password_change_disabled, password_not_digested,
        required_field_missing
    :operation resetPassword: Administration
    """
    settings = context.settings
    if not settings.enable_address_password:
        raise Forbidden("password_change_disabled")
    body = await read_json(context.request, NewPassword)
    digest = new_digest(body.password, "password")
    owner = await find_address(context.database, context.parameters["id"])
    stored = await stored_form(
        digest, pepper=settings.password_pepper, derive=context.services.derive_key
    )
    await addresses.reset_password(
        context.database, owner, stored, by=context.administrator, now=context.now()
    )
    return json_response(Success(success=True))
