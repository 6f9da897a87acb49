"""``/admin/sendbox``: list, show and delete the messages of all senders."""

from msgspec.structs import replace

from handlers.sendbox_filter import known_id, message_filter, search_words
from handlers.sendbox_views import SendboxPage, detail, page_by_cursor, summary, whole_page
from store.removal import remove_message
from store.sendbox import (
    every_sendbox_before,
    every_sendbox_named,
    every_sendbox_page,
    view_any_message,
)
from web.context import RequestContext
from web.query import address_filter, cursor, limit_and_offset, next_cursor
from web.responses import Response, Success, json_response

_MAX_WORDS = 8


async def list_messages(context: RequestContext) -> Response:
    """List the messages of all addresses.

    Returns the messages of all addresses and of administrators, newest first. `count` is at most
    1,000. With a filter, a page looks at a limited number of messages, as in `GET /api/sendbox`.

    :query limit:
    :query q: Parts of the subject, the sender or the recipients, separated by spaces. All of them
        must match. Texts are not searched. Example: `order`.
    :query id: An id that you know: of the message, the Message-ID of the mail, or the id of the
        request that submitted it (`X-Request-Id`). Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :query address:
    :query status:
    :query delivery_status:
    :query recipient:
    :query tag:
    :query since:
    :query until:
    :query cursor:
    :query offset:
    :response 200 SendboxPage: A page of messages.
    :errors: PAGING, invalid_cursor, offset_with_cursor, invalid_q, FILTER
    :operation listAllMessages: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    only, name = message_filter(query), known_id(query)
    address, words = address_filter(query), search_words(query).lower().split()[:_MAX_WORDS]
    database = context.database
    by_cursor = "cursor" in query
    before = cursor(query["cursor"], offset) if by_cursor else None
    if name:
        if named := await every_sendbox_named(database, name):
            return json_response(whole_page(named, by_cursor=by_cursor))
        only = replace(only, request_id=name)
    elif words:
        only = replace(only, words=tuple(words))
    if by_cursor:
        rows, last = await every_sendbox_before(
            database, address=address, before=before, limit=limit + 1, only=only
        )
        following = next_cursor([row["id"] for row in rows], limit) or last
        return json_response(page_by_cursor(rows[:limit], following))
    rows, count = await every_sendbox_page(
        database, address=address, limit=limit, offset=offset, only=only
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
