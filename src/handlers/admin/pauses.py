"""``/admin/pauses``: list paused addresses and lift a pause."""

from typing import Annotated

from msgspec import Meta, Struct

from clock import iso_time
from store.addresses import find_address
from store.pauses import lift_pause, pause_page
from web.context import RequestContext
from web.query import limit_and_offset
from web.responses import Response, Success, json_response


class Pause(Struct):
    """A paused address. It cannot send."""

    id: Annotated[int, Meta(description="The number of the address.")]
    address: Annotated[str, Meta(description="The mail address.")]
    since: Annotated[str, Meta(description="The start of the pause, in ISO 8601 (UTC).")]


class Pauses(Struct):
    """A page of paused addresses."""

    results: Annotated[list[Pause], Meta(description="The addresses of this page.")]
    count: Annotated[int, Meta(description="The total number of paused addresses.")]


async def list_pauses(context: RequestContext) -> Response:
    """List paused addresses.

    Returns the addresses that cannot send because too many of their last messages failed or
    bounced, the most recently paused first.

    :query limit:
    :query offset:
    :response 200 Pauses: A page of paused addresses.
    :errors: PAGING
    :operation listPauses: Administration
    """
    limit, offset = limit_and_offset(context.request.query)
    rows, count = await pause_page(context.database, limit=limit, offset=offset)
    results = [Pause(**{**row, "since": iso_time(row["since"])}) for row in rows]
    return json_response(Pauses(results, count))


async def lift(context: RequestContext) -> Response:
    """Lift the pause of an address.

    Lets the address send again. Earlier messages do not count towards another pause. If the address
    has reached `MAX_WITHDRAWALS_PER_DAY`, today's failures, cancellations and changes no longer
    count.

    :path id: The number of an address. Example: `1`.
    :response 200 Success: The address can send again.
    :errors: address_not_found, not_paused
    :operation liftPause: Administration
    """
    owner = await find_address(context.database, context.parameters["id"])
    await lift_pause(
        context.database,
        owner,
        by=context.administrator,
        now=context.now(),
        most_withdrawals=context.settings.max_withdrawals_per_day,
    )
    return json_response(Success(success=True))
