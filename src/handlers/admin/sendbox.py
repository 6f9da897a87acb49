"""What all addresses have sent, and administrators: ``/admin/sendbox``."""

from answers import Answer, json_answer
from api.sendbox import SendboxPage
from api.success import Success
from call import Call
from clock import now
from handlers.admin.administrator import administrator
from handlers.parameters import address_filter, limit_and_offset
from handlers.sendbox_shown import listed
from store.removal import remove_message
from store.sendbox import every_sendbox_page


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await every_sendbox_page(
        call.database, address=address_filter(query), limit=limit, offset=offset
    )
    return json_answer(SendboxPage(results=[listed(row) for row in rows], count=count))


async def delete(call: Call) -> Answer:
    message_id = call.parameters["id"]
    by = administrator(call)
    await remove_message(call.database, message_id, owner=None, by=by, now=now())
    return json_answer(Success(success=True))
