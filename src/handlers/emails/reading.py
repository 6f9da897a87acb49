"""``GET /emails/{id}`` and ``GET /emails``: what an address has sent, for clients of Resend."""

from answers import Answer, json_answer
from api.emails import MAX_PAGE, EmailPage
from call import Call
from handlers.emails.shown import listed, whole
from handlers.parameters import whole_number
from refusals import FieldError, InvalidInput
from store.emails import email_page, find_email

_DEFAULT_LIMIT = 20


async def one(call: Call) -> Answer:
    row, bodies = await find_email(call.database, call.credential, call.parameters["id"])
    call.message_ids.append(row["id"])
    return json_answer(whole(row, bodies))


async def page(call: Call) -> Answer:
    query = call.request.query
    limit = whole_number(query.get("limit"), "limit", _DEFAULT_LIMIT, 1, MAX_PAGE)
    after, before = query.get("after"), query.get("before")
    if after is not None and before is not None:
        raise InvalidInput("two_cursors", errors=(FieldError("before", "two_cursors"),))
    rows, has_more = await email_page(
        call.database, call.credential, limit=limit, after=after, before=before
    )
    return json_answer(EmailPage(has_more=has_more, data=[listed(row) for row in rows]))
