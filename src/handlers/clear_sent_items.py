"""``DELETE /api/clear_sent_items``: delete all messages of the credential's address."""

from handlers.delete_address import check_enabled
from store.removal import clear_sendbox
from web.context import RequestContext
from web.responses import Response, Success, json_response


async def clear(context: RequestContext) -> Response:
    """Delete all messages.

    Deletes all messages of the address, with the same effect as `DELETE /api/sendbox/{id}` for each
    of them. Messages that are being sent are kept.

    :response 200 Success: The messages were deleted.
    :errors: user_delete_disabled
    :operation clearMessages: Sendbox
    """
    check_enabled(context)
    await clear_sendbox(context.database, context.credential, by=context.owner, now=context.now())
    return json_response(Success(success=True))
