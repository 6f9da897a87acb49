"""``/api/sendbox``: list, show, retry and delete the messages of an address."""

from msgspec.structs import replace

from errors import ApiError, BadRequest, Conflict, Unauthorized
from handlers.delete_address import check_enabled
from handlers.send_mail import submission_response
from handlers.sendbox_filter import known_id, message_filter, search_words
from handlers.sendbox_views import SendboxPage, detail, page_by_cursor, summary, whole_page
from mail.message import Message, decode_details
from sending.submission import replay_or_raise, retry_digest, sender_policy, submit
from store.claim import read_message
from store.removal import remove_message
from store.search import search
from store.sendbox import (
    StoredMessage,
    message_to_retry,
    sendbox_before,
    sendbox_named,
    sendbox_page,
    sendbox_rows,
    view_message,
)
from web.context import RequestContext
from web.query import cursor, limit_and_offset, next_cursor
from web.request import SMALL_BODY_BYTES
from web.responses import Response, Success, json_response

_MAX_FOUND = 1000
_RETRYABLE = ("unknown", "failed")


async def list_messages(context: RequestContext) -> Response:
    """List or search sent messages.

    Returns the messages of the address, newest first. With `q`, returns only the messages that
    match. With `cursor`, all pages are equally fast. With `offset`, later pages are slower.

    With a filter, a page looks at a limited number of messages: at 2,500, and in a search or with
    `recipient` at 1,000 matches. So a page can have fewer messages than `limit`, or none, although
    `next_cursor` is not null. With `offset`, only the newest messages are looked at. The times and
    a `delivery_status` other than `sent` and `delivered` have an index and no such limit.

    :query limit:
    :query q: Words to find in the subject, the recipients or the beginning of the text. All of them
        must match; the last one may be incomplete. Example: `order`.
    :query id: An id that you know: of the message, the Message-ID of the mail, or the id of the
        request that submitted it (`X-Request-Id`). Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
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
    :operation listMessages: Sendbox
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    only, words, name = message_filter(query), search_words(query), known_id(query)
    database, credential = context.database, context.credential
    by_cursor = "cursor" in query
    before = cursor(query["cursor"], offset) if by_cursor else None
    if name:
        if named := await sendbox_named(database, credential, name):
            return json_response(whole_page(named, by_cursor=by_cursor))
        only, words = replace(only, request_id=name), ""
    if words or only.recipient or only.domain:
        # Counting all matches would read all of them, so the count has an upper bound.
        most = limit + 1 if by_cursor else _MAX_FOUND
        ids, last = await search(database, credential, words, before=before, limit=most, only=only)
        rows = await sendbox_rows(database, credential, ids[offset : offset + limit])
        count = len(ids)
    elif by_cursor:
        rows, last = await sendbox_before(
            database, credential, before=before, limit=limit + 1, only=only
        )
        ids = [row["id"] for row in rows]
    else:
        rows, count = await sendbox_page(
            database, credential, limit=limit, offset=offset, only=only
        )
    if by_cursor:
        following = next_cursor(ids, limit) or last
        return json_response(page_by_cursor(rows[:limit], following))
    return json_response(SendboxPage(results=[summary(row) for row in rows], count=count))


async def show(context: RequestContext) -> Response:
    """Get a message.

    Returns one message of the address: its content, recipients, status and full history.

    :path id:
    :response 200 SendboxMessage: The message.
    :errors: message_not_found
    :operation getMessage: Sendbox
    """
    message = await view_message(context.database, context.credential, context.parameters["id"])
    context.message_ids.append(message.row["id"])
    return json_response(detail(message, context.language))


async def retry(context: RequestContext) -> Response:
    """Send a message again.

    Sends a message with status `failed` or `unknown` again, as a new message. A message with status
    `unknown` may have been delivered. If it was, its recipients receive it twice. A message with
    attachments cannot be sent again, because attachments are not kept.

    :path id:
    :header Idempotency-Key:
    :response 200 SendResponse: The provider accepted the message.
    :response 202 SendResponse: The provider accepts no messages for now. The message is stored and
        will be sent automatically. Repeating the request with the same `Idempotency-Key` returns
        the current `status` of the message.
    :errors: message_not_found, not_retryable, already_retried, content_removed,
        too_many_large_bodies, SENDING, OUTCOME
    :operation retryMessage: Sendbox
    """
    old_id = context.parameters["id"]
    try:
        again = await _again(context, old_id)
    except Unauthorized:
        raise
    except ApiError as error:
        # If this request repeats an earlier one with the same key, return the earlier result.
        (result,) = await replay_or_raise(
            context, context.credential, error, lambda: retry_digest(old_id)
        )
        return submission_response(result)
    try:
        result = await submit(context, context.credential, again, retry_of=old_id)
        return submission_response(result)
    except BadRequest as error:
        raise error.prefixed("failed_to_send") from None


async def delete(context: RequestContext) -> Response:
    """Delete a message.

    Deletes the content of the message and no longer lists it. A scheduled or queued message is
    cancelled, and its charge is refunded.

    :path id:
    :response 200 Success: The message was deleted.
    :errors: user_delete_disabled, message_not_found, message_in_flight
    :operation deleteMessage: Sendbox
    """
    check_enabled(context)
    message_id = context.parameters["id"]
    await remove_message(
        context.database, message_id, owner=context.credential, by=context.owner, now=context.now()
    )
    return json_response(Success(success=True))


async def _again(context: RequestContext, old_id: str) -> Message:
    database, credential = context.database, context.credential
    stored = await message_to_retry(database, credential, old_id, max_size=SMALL_BODY_BYTES)
    _check_retryable(stored)
    if (size := stored.row["size"]) > SMALL_BODY_BYTES:
        # While this request waits for memory, another request may retry the message. Its bodies are
        # then not read again.
        await context.take_memory(size)
        stored = await message_to_retry(database, credential, old_id)
        _check_retryable(stored)
    if not stored.bodies:
        raise Conflict("content_removed")
    message = read_message(stored.row, stored.recipients, stored.bodies, None)
    policy = sender_policy(context)
    try:
        policy.check_owned(message.sender)
        policy.check_enabled(message.sender)
    except BadRequest as error:
        raise error.prefixed("failed_to_send") from None
    return replace(message, scheduled_at=None)  # a retry is sent at once


def _check_retryable(stored: StoredMessage) -> None:
    """Check everything that is known without the bodies of the message."""
    row = stored.row
    if row["status"] not in _RETRYABLE:
        raise Conflict("not_retryable", extra={"message_status": row["status"]})
    if row["retried_as"] is not None:
        raise Conflict("already_retried")
    # The content of attachments is deleted when a message reaches a final status.
    if decode_details(row["details"]).attachments:
        raise Conflict("content_removed")
