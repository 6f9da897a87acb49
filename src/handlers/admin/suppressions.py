"""Recipients that the provider no longer delivers to: ``/admin/suppressions``."""

import msgspec

from answers import Answer, json_answer
from api.admin import NewSuppression, SuppressionPage, SuppressionRow
from api.success import Success
from call import Call
from clock import iso_time, now
from handlers.admin.administrator import administrator
from handlers.decoding import read_json
from handlers.parameters import address_filter, limit_and_offset, required
from mail.recipients import one_recipient
from store.suppressions import add_suppression, remove_suppression, suppression_page

_decoder = msgspec.json.Decoder(NewSuppression)


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    address = address_filter(query)
    rows, count = await suppression_page(call.database, address=address, limit=limit, offset=offset)
    results = [SuppressionRow(**{**row, "since": iso_time(row["since"])}) for row in rows]
    return json_answer(SuppressionPage(results, count))


async def add(call: Call) -> Answer:
    body = await read_json(call.request, _decoder)
    address = one_recipient("address", required(body.address, "address"))
    reason = (body.reason or "").strip() or "manual"
    await add_suppression(call.database, address.key, reason, by=administrator(call), now=now())
    return json_answer(Success(success=True))


async def remove(call: Call) -> Answer:
    address = required(address_filter(call.request.query), "address")
    await remove_suppression(call.database, address, by=administrator(call), now=now())
    return json_answer(Success(success=True))
