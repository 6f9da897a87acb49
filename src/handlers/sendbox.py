"""``GET /api/sendbox``: what an address has sent."""

import msgspec

from answers import Answer, json_answer
from call import Call
from clock import database_time
from refusals import BadRequest, FieldError
from store.database import Row
from store.sendbox import sendbox_page

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_MAX_OFFSET = 2**53 - 1


async def page(call: Call) -> Answer:
    query = call.request.query
    limit = _whole_number(query.get("limit"), "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT)
    offset = _whole_number(query.get("offset"), "offset", 0, 0, _MAX_OFFSET)
    rows, count = await sendbox_page(call.database, call.credential, limit=limit, offset=offset)
    return json_answer({"results": [_result(row) for row in rows], "count": count})


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
    }
