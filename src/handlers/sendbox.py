"""``/api/sendbox``: what an address has sent, what became of it, and sending it again."""

from answers import Answer, json_answer
from api.sendbox import SendboxPage
from call import Call
from handlers.parameters import cursor, limit_and_offset
from handlers.sendbox_shown import listed, whole
from handlers.sending import answer, replay_or_refuse, retry_digest, send, sender_policy
from mail.message import Message
from refusals import BadRequest, Conflict, FieldError, Refusal, Unauthorized
from store.claim import stored_message
from store.search import search
from store.sendbox import (
    StoredMessage,
    find_message,
    sendbox_before,
    sendbox_page,
    sendbox_rows,
)

_MAX_QUERY = 200  # characters
_MAX_FOUND = 1000
_RETRYABLE = ("unknown", "failed")


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    words = _words(query.get("q", ""))
    if "cursor" in query:
        return await _page_before(call, words, cursor(query["cursor"], offset), limit)
    if words:
        # Counting all that is found would read them all, so it ends at a number.
        ids = await search(call.database, call.credential, words, before=None, limit=_MAX_FOUND)
        rows = await sendbox_rows(call.database, call.credential, ids[offset : offset + limit])
        count = len(ids)
    else:
        rows, count = await sendbox_page(call.database, call.credential, limit=limit, offset=offset)
    return json_answer(SendboxPage(results=[listed(row) for row in rows], count=count))


async def _page_before(call: Call, words: str, before: str | None, limit: int) -> Answer:
    # One more than the page has tells whether another page follows.
    if words:
        ids = await search(call.database, call.credential, words, before=before, limit=limit + 1)
        rows = await sendbox_rows(call.database, call.credential, ids[:limit])
    else:
        rows = await sendbox_before(call.database, call.credential, before=before, limit=limit + 1)
        ids = [row["id"] for row in rows]
    results = [listed(row) for row in rows[:limit]]
    next_cursor = ids[limit - 1] if len(ids) > limit else None
    return json_answer(SendboxPage(results=results, next_cursor=next_cursor))


async def one(call: Call) -> Answer:
    message = await find_message(call.database, call.credential, call.parameters["id"])
    call.message_ids.append(message.row["id"])
    return json_answer(whole(message))


async def retry(call: Call) -> Answer:
    old_id = call.parameters["id"]
    try:
        again = _again(call, await find_message(call.database, call.credential, old_id))
    except Unauthorized:
        raise
    except Refusal as refusal:
        # The same order, made before this became so, still has its answer.
        digest = retry_digest(old_id)
        return answer(call, await replay_or_refuse(call, call.credential, refusal, digest=digest))
    try:
        return answer(call, await send(call, call.credential, again, retry_of=old_id))
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None


def _again(call: Call, stored: StoredMessage) -> Message:
    if stored.row["status"] not in _RETRYABLE:
        raise Conflict("not_retryable", extra={"message_status": stored.row["status"]})
    # Of attachments only the names are kept once a message has come to its end.
    if not stored.bodies or stored.row["attachments"]:
        raise Conflict("content_removed")
    message = stored_message(stored.row, stored.recipients, stored.bodies, [])
    policy = sender_policy(call)
    try:
        policy.check_owned(message.sender)
        policy.check_enabled(message.sender)
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None
    return message


def _words(text: str) -> str:
    """What is searched for, or nothing."""
    if len(text) > _MAX_QUERY:
        error = FieldError("q", "invalid_q", {"limit": _MAX_QUERY})
        raise BadRequest("invalid_q", errors=(error,), limit=_MAX_QUERY)
    return text.strip()
