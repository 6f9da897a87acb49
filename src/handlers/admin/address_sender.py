"""``/admin/address_sender``: list, set and remove send balances."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from clock import database_time
from errors import field_error, invalid_input
from mail.addresses import comparable
from store.addresses import find_address
from store.balances import balance_page, remove_balance, set_balance
from web.body import read_json
from web.context import RequestContext
from web.query import address_filter, limit_and_offset, one_of
from web.responses import Response, Success, json_response


class BalanceRow(Struct):
    """The send balance of an address."""

    id: Annotated[int, Meta(description="The number of the address.")]
    address: Annotated[str, Meta(description="The mail address.")]
    balance: Annotated[
        int, Meta(description="The number of recipients that the address can still send to.")
    ]
    enabled: Annotated[int, Meta(description="1 if the address can use the balance, otherwise 0.")]
    requested_at: Annotated[
        str | None,
        Meta(description="The time of a request that waits for an administrator, otherwise null."),
    ]
    created_at: Annotated[str, Meta(description="The creation time, `YYYY-MM-DD HH:MM:SS` in UTC.")]


class BalancePage(Struct):
    """A page of send balances."""

    results: Annotated[list[BalanceRow], Meta(description="The balances of this page.")]
    count: Annotated[int, Meta(description="The total number of balances.")]


class NewBalance(Struct):
    """The send balance to set."""

    address: Annotated[
        str | None, Meta(description="The mail address. Required if `address_id` is 0.")
    ] = None
    address_id: Annotated[
        int | None,
        Meta(description="The number of the address, or 0 to use `address`. Required."),
    ] = None
    balance: Annotated[
        Annotated[int, Meta(ge=0, le=2**53 - 1)] | None,
        Meta(description="The number of recipients that the address can send to. Required."),
    ] = None
    enabled: Annotated[
        bool | Literal[0, 1] | None,
        Meta(description="Whether the address can use the balance. Required."),
    ] = None


async def list_balances(context: RequestContext) -> Response:
    """List send balances.

    Returns the send balances of addresses. `requested_at` is the time of a request that waits for
    an administrator, otherwise null.

    :query limit:
    :query offset:
    :query address:
    :query requested: `true` to list only requests, oldest first. Example: `true`.
    :response 200 BalancePage: A page of balances.
    :errors: PAGING, invalid_requested
    :operation listBalances: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await balance_page(
        context.database,
        address=address_filter(query),
        requested=one_of(query, "requested", ("true", "false"), "false") == "true",
        limit=limit,
        offset=offset,
    )
    return json_response(BalancePage([_row(**row) for row in rows], count))


async def change(context: RequestContext) -> Response:
    """Set a send balance.

    Sets the send balance of an address, and enables or disables it. This ends a request for a
    balance.

    :body NewBalance:
    :response 200 Success: The balance was set.
    :errors: invalid_address_id, address_not_found, required_field_missing.422
    :operation setBalance: Administration
    """
    body = await read_json(context.request, NewBalance)
    if body.address_id is None or not 0 <= body.address_id < 2**53:
        raise field_error("invalid_address_id", "address_id")
    if body.balance is None or body.enabled is None:
        field = "balance" if body.balance is None else "enabled"
        raise invalid_input("required_field_missing", field)
    await set_balance(
        context.database,
        body.address_id,
        comparable(body.address or "") or None,
        balance=body.balance,
        enabled=bool(body.enabled),
        by=context.administrator,
        now=context.now(),
    )
    return json_response(Success(success=True))


async def remove_by_query(context: RequestContext) -> Response:
    """Remove a send balance.

    Removes the balance of an address. When the address next needs a balance, the deployment's
    default is granted.

    :query id: The number of an address. Example: `1`.
    :response 200 Success: The balance was removed.
    :errors: address_not_found, balance_not_found
    :operation removeBalance: Administration
    """
    return await _remove(context, context.request.query.get("id", ""))


async def remove(context: RequestContext) -> Response:
    """Remove a send balance, with the number of the address in the path.

    Works like `DELETE /admin/address_sender`.

    :path id: The number of an address. Example: `1`.
    :response 200 Success: The balance was removed.
    :errors: address_not_found, balance_not_found
    :operation removeBalanceByPath: Administration
    """
    return await _remove(context, context.parameters["id"])


def _row(*, created_at: int, requested_at: int | None, **columns: Any) -> BalanceRow:
    return BalanceRow(
        **columns,
        requested_at=None if requested_at is None else database_time(requested_at),
        created_at=database_time(created_at),
    )


async def _remove(context: RequestContext, address_id: str) -> Response:
    owner = await find_address(context.database, address_id)
    await remove_balance(context.database, owner, by=context.administrator, now=context.now())
    return json_response(Success(success=True))
