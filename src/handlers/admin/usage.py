"""``GET /admin/usage``: messages of all addresses per day, and the remaining limits."""

import msgspec

from handlers.usage import Usage, UsageDay
from store.usage import usage_of_all
from web.context import RequestContext
from web.responses import Response, json_response


async def show(context: RequestContext) -> Response:
    """Get the usage of all addresses.

    Returns the numbers of `GET /api/usage` for all addresses and administrators together, without a
    balance.

    :response 200 Usage: The usage of the last 90 days.
    :operation getUsageOfAll: Administration
    """
    days, left = await usage_of_all(context.database, now=context.now())
    return json_response(Usage(msgspec.convert(days, list[UsageDay]), *left))
