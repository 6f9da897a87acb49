"""``GET /health_check``: whether the worker and its database answer."""

from answers import Answer, text_answer
from call import Call
from refusals import Unavailable
from store.database import DatabaseUnavailable, StatementRefused, ping

_RETRY_SECONDS = 10


async def check(call: Call) -> Answer:
    try:
        await ping(call.database)
    except (DatabaseUnavailable, StatementRefused) as error:
        raise Unavailable("database_down", retry_after=_RETRY_SECONDS) from error
    return text_answer("OK")
