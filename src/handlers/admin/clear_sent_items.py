"""``DELETE /admin/clear_sent_items/{id}``: delete all messages of an address."""

from store.addresses import find_address
from store.removal import clear_sendbox
from web.context import RequestContext
from web.responses import Response, Success, json_response


async def clear(context: RequestContext) -> Response:
    """Delete all messages of an address.

    Works like `DELETE /api/clear_sent_items`, for any address.

    :path id: The number of an address. Example: `1`.
    :response 200 Success: The messages were deleted.
    :errors: address_not_found
    :operation clearMessagesAsAdmin: Administration
    """
    owner = await find_address(context.database, context.parameters["id"])
    await clear_sendbox(context.database, owner, by=context.administrator, now=context.now())
    return json_response(Success(success=True))
