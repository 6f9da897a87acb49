"""``GET /admin/audit``: read the audit log."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from clock import iso_time
from store.audit import audit_page
from store.database import Row
from web.context import RequestContext
from web.query import cursor, limit_and_offset
from web.responses import Response, json_response


class AuditRow(Struct):
    """An action in the audit log."""

    id: Annotated[str, Meta(description="The id of the row. Ids sort by time.")]
    at: Annotated[str, Meta(description="The time of the action, in ISO 8601 (UTC).")]
    actor: Annotated[
        str,
        Meta(
            description="Who acted: `admin#1` (the position of the password in `ADMIN_PASSWORDS`), "
            "`admin` if no password is required, the mail address of an owner, or `anybody` for "
            "an anonymous client."
        ),
    ]
    action: Annotated[str, Meta(description="The action, for example `address.deleted`.")]
    object: Annotated[
        str,
        Meta(description="The target of the action, for example an address, a message or a list."),
    ]
    source: Annotated[str | None, Meta(description="The IP address of the client.")]
    details: Annotated[dict[str, Any] | None, Meta(description="Details of the action.")]


class AuditPage(Struct):
    """A page of the audit log, newest first."""

    results: Annotated[list[AuditRow], Meta(description="The rows of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page; null on the last page.")
    ]


async def list_rows(context: RequestContext) -> Response:
    """Read the audit log.

    Returns the actions of administrators. Also returns all successful logins to addresses, and all
    changes of addresses, credentials and passwords. The newest row comes first. Rows are never
    changed and contain no secrets.

    :query limit:
    :query cursor:
    :response 200 AuditPage: A page of the audit log.
    :errors: invalid_limit, invalid_cursor
    :operation listAudit: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    before = cursor(query.get("cursor", ""), offset)
    rows, has_more = await audit_page(context.database, before=before, limit=limit)
    following = rows[-1]["id"] if has_more else None
    return json_response(AuditPage([_shown(row) for row in rows], following))


def _shown(row: Row) -> AuditRow:
    details = msgspec.json.decode(row["details"]) if row["details"] else None
    return AuditRow(**{**row, "at": iso_time(row["at"]), "details": details})
