"""``POST /api/request_send_mail_access``: an owner asks for a send balance."""

from answers import Answer, json_answer
from api.settings import AccessAnswer
from call import Call
from clock import now
from store.balance_book import request_access


async def request(call: Call) -> Answer:
    await request_access(
        call.database,
        call.credential,
        default=call.settings.default_send_balance,
        now=now(),
    )
    return json_answer(AccessAnswer("ok"))
