"""``GET /api/usage`` and ``GET /admin/usage``: messages by day, and what is left."""

import msgspec

from answers import Answer, json_answer
from api.usage import AddressUsage, Usage, UsageDay
from call import Call
from clock import now, utc_day
from store.usage import USAGE_DAYS, usage_of_address, usage_of_all

_DAY = 86_400_000


async def of_the_address(call: Call) -> Answer:
    since, today = _days()
    days, left, balance = await usage_of_address(
        call.database,
        call.credential,
        since=since,
        today=today,
        default_balance=call.settings.default_send_balance,
    )
    return json_answer(
        AddressUsage(msgspec.convert(days, list[UsageDay]), *left, send_balance=balance)
    )


async def of_all(call: Call) -> Answer:
    since, today = _days()
    days, left = await usage_of_all(call.database, since=since, today=today)
    return json_answer(Usage(msgspec.convert(days, list[UsageDay]), *left))


def _days() -> tuple[str, str]:
    time = now()
    return utc_day(time - (USAGE_DAYS - 1) * _DAY), utc_day(time)
