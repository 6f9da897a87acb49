"""``GET /admin/audit``: who did what, on what, when and from where."""

import msgspec

from answers import Answer, json_answer
from api.admin import AuditPage, AuditRow
from call import Call
from clock import iso_time
from handlers.parameters import cursor, limit_and_offset
from store.audit import audit_page
from store.database import Row


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    before = cursor(query.get("cursor", ""), offset)
    # One more than the page has tells whether another page follows.
    rows = await audit_page(call.database, before=before, limit=limit + 1)
    next_cursor = rows[limit - 1]["id"] if len(rows) > limit else None
    return json_answer(AuditPage([_shown(row) for row in rows[:limit]], next_cursor))


def _shown(row: Row) -> AuditRow:
    return AuditRow(
        id=row["id"],
        at=iso_time(row["occurred_at"]),
        actor=row["actor"],
        action=row["action"],
        object=row["object"],
        source=row["source"],
        details=msgspec.json.decode(row["details"]) if row["details"] else None,
    )
