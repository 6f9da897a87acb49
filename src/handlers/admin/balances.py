"""Send balances: ``/admin/address_sender``."""

import msgspec

from answers import Answer, json_answer
from api.admin import BalancePage, BalanceRow, NewBalance
from api.success import Success
from call import Call
from clock import database_time, now
from handlers.admin.administrator import administrator, named_address
from handlers.decoding import read_json
from handlers.parameters import address_filter, comparable, limit_and_offset, one_of
from refusals import BadRequest, FieldError, InvalidInput
from store.balance_book import balance_page, remove_balance, set_balance

_decoder = msgspec.json.Decoder(NewBalance)


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await balance_page(
        call.database,
        address=address_filter(query),
        requested=one_of(query, "requested", ("true", "false"), "false") == "true",
        limit=limit,
        offset=offset,
    )
    results = [
        BalanceRow(**{**row, "created_at": database_time(row["created_at"])}) for row in rows
    ]
    return json_answer(BalancePage(results, count))


async def change(call: Call) -> Answer:
    body = await read_json(call.request, _decoder)
    if body.address_id is None or not 0 <= body.address_id < 2**53:
        fault = FieldError("address_id", "invalid_address_id")
        raise BadRequest("invalid_address_id", errors=(fault,))
    if body.balance is None or body.enabled is None:
        field = "balance" if body.balance is None else "enabled"
        missing = FieldError(field, "required_field_missing")
        raise InvalidInput("required_field_missing", errors=(missing,))
    await set_balance(
        call.database,
        body.address_id,
        comparable(body.address or "") or None,
        balance=body.balance,
        enabled=bool(body.enabled),
        by=administrator(call),
        now=now(),
    )
    return json_answer(Success(success=True))


async def remove(call: Call) -> Answer:
    return await _remove(call, call.request.query.get("id", ""))


async def remove_one(call: Call) -> Answer:
    return await _remove(call, call.parameters["id"])


async def _remove(call: Call, address_id: str) -> Answer:
    owner = await named_address(call, address_id)
    await remove_balance(call.database, owner, by=administrator(call), now=now())
    return json_answer(Success(success=True))
