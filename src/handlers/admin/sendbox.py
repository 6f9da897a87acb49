"""``/admin/sendbox``: list, show and delete the messages of all senders."""

from handlers.sendbox_views import SendboxPage, detail, summary
from store.removal import remove_message
from store.sendbox import every_sendbox_page, view_any_message
from web.context import RequestContext
from web.query import address_filter, delivery_status, limit_and_offset
from web.responses import Response, Success, json_response


async def list_messages(context: RequestContext) -> Response:
    """List the messages of all addresses.

    Returns the messages of all addresses and of administrators, newest first. `count` is at most
    1,000. With the `delivery_status` `sent` or `delivered`, only the newest 5,000 messages are
    looked at.

    :query limit:
    :query offset:
    :query address:
    :query delivery_status:
    :response 200 SendboxPage: A page of messages.
    :errors: PAGING, invalid_delivery_status
    :operation listAllMessages: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await every_sendbox_page(
        context.database,
        address=address_filter(query),
        limit=limit,
        offset=offset,
        delivery_status=delivery_status(query),
    )
    return json_response(SendboxPage(results=[summary(row) for row in rows], count=count))


async def show(context: RequestContext) -> Response:
    """Get any message.

    Works like `GET /api/sendbox/{id}`, for a message of any sender.

    :path id:
    :response 200 SendboxMessage: The message.
    :errors: message_not_found
    :operation getAnyMessage: Administration
    """
    message = await view_any_message(context.database, context.parameters["id"])
    context.message_ids.append(message.row["id"])
    return json_response(detail(message, context.language))


async def delete(context: RequestContext) -> Response:
    """Delete any message.

    Works like `DELETE /api/sendbox/{id}`, for a message of any sender.

    :path id:
    :response 200 Success: The message was deleted.
    :errors: message_not_found, message_in_flight
    :operation deleteMessageAsAdmin: Administration
    """
    message_id = context.parameters["id"]
    by = context.administrator
    await remove_message(context.database, message_id, owner=None, by=by, now=context.now())
    return json_response(Success(success=True))
