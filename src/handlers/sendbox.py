"""``/api/sendbox``: what an address has sent, what became of it, and sending it again."""

import msgspec

from answers import Answer, json_answer
from call import Call
from clock import database_time, iso_time
from handlers.sending import replay_or_refuse, retry_digest, send, sender_policy
from mail.message import Message
from refusals import BadRequest, Conflict, FieldError, Refusal, Unauthorized
from store.claim import body_of, stored_message
from store.database import Row
from store.sendbox import StoredMessage, find_message, sendbox_page

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_MAX_OFFSET = 2**53 - 1
_RETRYABLE = ("unknown", "failed")


async def page(call: Call) -> Answer:
    query = call.request.query
    limit = _whole_number(query.get("limit"), "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT)
    offset = _whole_number(query.get("offset"), "offset", 0, 0, _MAX_OFFSET)
    rows, count = await sendbox_page(call.database, call.credential, limit=limit, offset=offset)
    return json_answer({"results": [_result(row) for row in rows], "count": count})


async def one(call: Call) -> Answer:
    message = await find_message(call.database, call.credential, call.parameters["id"])
    call.message_ids.append(message.row["id"])
    return json_answer(_details(message))


async def retry(call: Call) -> Answer:
    old_id = call.parameters["id"]
    try:
        again = _again(call, await find_message(call.database, call.credential, old_id))
    except Unauthorized:
        raise
    except Refusal as refusal:
        # The same order, made before this became so, still has its answer.
        digest = retry_digest(old_id)
        return await replay_or_refuse(call, call.credential, refusal, digest=digest)
    try:
        return await send(call, call.credential, again, retry_of=old_id)
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None


def _again(call: Call, stored: StoredMessage) -> Message:
    if stored.row["status"] not in _RETRYABLE:
        raise Conflict("not_retryable", extra={"message_status": stored.row["status"]})
    if not stored.bodies:
        raise Conflict("content_removed")
    message = stored_message(stored.row, stored.recipients, stored.bodies)
    policy = sender_policy(call)
    try:
        policy.check_owned(message.sender)
        policy.check_enabled(message.sender)
    except BadRequest as refusal:
        raise refusal.prefixed("failed_to_send") from None
    return message


def _whole_number(text: str | None, name: str, default: int, minimum: int, maximum: int) -> int:
    if text is None:
        return default
    # A longer one is over every maximum, and int() takes its time over very long ones.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else -1
    if not minimum <= number <= maximum:
        raise BadRequest(f"invalid_{name}", errors=(FieldError(name, f"invalid_{name}"),))
    return number


def _result(row: Row) -> dict[str, object]:
    raw = {
        "from_name": row["sender_name"] or "",
        "to_name": row["recipient_name"] or "",
        "to_mail": row["recipient"],
        "subject": row["subject"],
        "is_html": row["body_kind"] == "html",
        "content": row["content"] or "",
        "status": row["status"],
    }
    return {
        "id": row["id"],
        "address": row["sender"],
        "raw": msgspec.json.encode(raw).decode(),
        "created_at": database_time(row["accepted_at"]),
        "status": row["status"],
        **({"content_truncated": True} if row.get("truncated") else {}),
    }


def _details(message: StoredMessage) -> dict[str, object]:
    row, first = message.row, message.recipients[0]
    html = body_of(message.bodies, "html")
    listed = {
        **row,
        "recipient": first["address"],
        "recipient_name": first["name"],
        "body_kind": "html" if html is not None else "text",
        "content": html if html is not None else body_of(message.bodies, "text"),
    }
    return {
        **_result(listed),
        "message_id": row["provider_message_id"],
        "request_id": row["request_id"],
        "retry_of": row["retry_of"],
        "retried_as": row["retried_as"],
        "code": row["provider_code"],
        "attempts": row["attempt"],
        "next_attempt_at": iso_time(row["next_attempt_at"]) if row["next_attempt_at"] else None,
        "finished_at": iso_time(row["finished_at"]) if row["finished_at"] else None,
        "recipients": [
            {
                "kind": recipient["kind"],
                "address": recipient["address"],
                "name": recipient["name"],
                "status": recipient["status"],
                "code": recipient["provider_code"],
            }
            for recipient in message.recipients
        ],
        "history": [
            {
                "event": event["kind"],
                "at": iso_time(event["occurred_at"]),
                "attempt": event["attempt"],
                "code": event["provider_code"],
            }
            for event in message.events
        ],
    }
