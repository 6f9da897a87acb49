"""``/admin/pauses``: the addresses that may not send, and letting one send again."""

from answers import Answer, json_answer
from api.admin import Pause, Pauses
from api.success import Success
from call import Call
from clock import iso_time, now
from handlers.admin.administrator import administrator, named_address
from handlers.parameters import limit_and_offset
from store.pauses import lift_pause, pause_page


async def page(call: Call) -> Answer:
    limit, offset = limit_and_offset(call.request.query)
    rows, count = await pause_page(call.database, limit=limit, offset=offset)
    results = [Pause(**{**row, "since": iso_time(row["since"])}) for row in rows]
    return json_answer(Pauses(results, count))


async def lift(call: Call) -> Answer:
    owner = await named_address(call, call.parameters["id"])
    await lift_pause(call.database, owner, by=administrator(call), now=now())
    return json_answer(Success(success=True))
