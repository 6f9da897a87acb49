"""``/admin/suppressions``: list, add and remove suppressed recipients, and import and export them.

Files are imported and exported as CSV, in steps: a request has some of the rows.
"""

from typing import Annotated

from msgspec import Meta, Struct

from clock import iso_time
from errors import BadRequest
from locales import sentence
from mail.addresses import MAX_ADDRESS_OCTETS
from mail.suppression_csv import COLUMNS, read_rows, write_rows
from mail.suppressions import Suppression, SuppressionReason, checked_scope, entered
from store.database import Row
from store.suppressions import (
    add_suppression,
    import_suppressions,
    remove_suppression,
    suppression_page,
)
from web.body import read_json
from web.context import RequestContext
from web.query import address_filter, page_limit, required
from web.responses import Response, Success, json_response

# The maximum number of rows per request.
_MAX_ROWS = 1000

# Separates the address and the scope in the parameter ``cursor``. Neither has a space.
_SEPARATOR = " "
_MAX_CURSOR_CHARACTERS = 2 * MAX_ADDRESS_OCTETS


class SuppressionRow(Struct):
    """A recipient that receives no mail."""

    address: Annotated[str, Meta(description="The mail address.")]
    scope: Annotated[
        str,
        Meta(description="The sending domain from which it receives no mail; empty for any."),
    ]
    reason: Annotated[SuppressionReason, Meta(description="The reason of the suppression.")]
    origin: Annotated[
        str | None,
        Meta(
            description="Where the suppression comes from: the id of the message that was "
            "rejected, bounced or reported, the administrator who added it (like `admin#1`), or "
            "`import`."
        ),
    ]
    since: Annotated[str, Meta(description="The start of the suppression, in ISO 8601 (UTC).")]
    expires_at: Annotated[
        str | None,
        Meta(description="The end of the suppression, in ISO 8601 (UTC); null if it has none."),
    ]


class SuppressionPage(Struct):
    """A page of suppressions, by address."""

    results: Annotated[list[SuppressionRow], Meta(description="The suppressions of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page; null on the last page.")
    ]


class NewSuppression(Struct):
    """The recipient to suppress."""

    address: Annotated[str | None, Meta(description="The mail address. Required.")] = None
    scope: Annotated[
        str | None,
        Meta(description="The sending domain for which the suppression holds. Default: all."),
    ] = None
    reason: Annotated[
        SuppressionReason | None, Meta(description="The reason. Default: `manual`.")
    ] = None
    expires_at: Annotated[
        str | None,
        Meta(
            description="The end, in ISO 8601 (UTC by default). A date is its first moment. "
            "Default: it has no end."
        ),
    ] = None


class SuppressionRows(Struct):
    """Some rows of a file with suppressions."""

    csv: Annotated[
        str,
        Meta(
            description="At most 1000 lines with the columns `address`, `reason`, `scope` and "
            "`expires_at`, separated by commas. Only the address is required. A line has at most "
            "1000 characters."
        ),
    ]
    first_line: Annotated[
        int,
        Meta(ge=1, le=2**31, description="The number of the first line in the file. Default: 1."),
    ] = 1


class RowProblem(Struct):
    """A row that was not imported."""

    line: Annotated[int, Meta(description="The number of the line in the file.")]
    message: Annotated[str, Meta(description="The error, in one sentence.")]


class ImportedRows(Struct):
    """The result of an import."""

    imported: Annotated[int, Meta(description="The number of imported rows.")]
    errors: Annotated[
        list[RowProblem], Meta(description="The rows that were not imported, in their order.")
    ]


class ExportedRows(Struct):
    """Some suppressions as CSV."""

    csv: Annotated[
        str,
        Meta(
            description="The rows, each with a line end. The first page begins with the names of "
            "the columns."
        ),
    ]
    rows: Annotated[int, Meta(description="The number of suppressions in `csv`.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page; null on the last page.")
    ]


async def list_suppressions(context: RequestContext) -> Response:
    """List suppressions.

    Returns the recipients that receive no mail: because a mail to them bounced or was reported as
    spam, because the provider no longer delivers to them, or because an administrator added them.
    Suppressions that have ended are left out. All pages are equally fast.

    :query limit:
    :query cursor: The position of the page: empty for the first page, then the `next_cursor` of the
        previous page. Example: `bob@example.org example.com`.
    :query address:
    :response 200 SuppressionPage: A page of suppressions.
    :errors: invalid_limit
    :operation listSuppressions: Administration
    """
    query = context.request.query
    rows, has_more = await suppression_page(
        context.database,
        address=address_filter(query),
        after=_cursor(query),
        now=context.now(),
        limit=page_limit(query),
    )
    results = [
        SuppressionRow(
            **{**row, "since": iso_time(row["since"]), "expires_at": _shown_end(row["expires_at"])}
        )
        for row in rows
    ]
    return json_response(SuppressionPage(results, _next_cursor(rows, has_more)))


async def add(context: RequestContext) -> Response:
    """Add a suppression.

    From now on, messages to this recipient are rejected. A suppression of this recipient with the
    same scope is replaced.

    :body NewSuppression:
    :response 200 Success: The suppression was added.
    :errors: required_field_missing, invalid_recipient, invalid_scope, expires_at_invalid,
        expires_at_in_past
    :operation addSuppression: Administration
    """
    body = await read_json(context.request, NewSuppression)
    now = context.now()
    suppression = entered(
        required(body.address, "address"),
        scope=body.scope or "",
        reason=body.reason or "manual",
        expires_at=body.expires_at or "",
        now=now,
    )
    await add_suppression(context.database, suppression, by=context.administrator, now=now)
    return json_response(Success(success=True))


async def remove(context: RequestContext) -> Response:
    """Remove a suppression.

    From now on, messages to this recipient are accepted again. The provider may still reject them.

    :query address: The recipient. Required. Example: `bob@example.org`.
    :query scope: Only the suppression with this scope; empty for the one that holds for all sending
        domains. Default: all suppressions of the recipient. Example: `example.com`.
    :response 200 Success: The suppression was removed.
    :errors: required_field_missing, suppression_not_found, invalid_scope
    :operation removeSuppression: Administration
    """
    query = context.request.query
    address = required(address_filter(query), "address")
    scope = checked_scope(query["scope"]) if "scope" in query else None
    await remove_suppression(
        context.database, address, scope, by=context.administrator, now=context.now()
    )
    return json_response(Success(success=True))


async def import_rows(context: RequestContext) -> Response:
    """Import suppressions.

    Adds the suppressions of some lines of a CSV file. An invalid line is reported and does not
    affect the others. A suppression with the same address and scope is replaced. Importing the same
    lines again changes nothing. Send a large file in several requests.

    :body SuppressionRows:
    :response 200 ImportedRows: The valid rows were imported.
    :errors: required_field_missing.422, too_many_suppressions
    :operation importSuppressions: Administration
    """
    body = await read_json(context.request, SuppressionRows)
    now = context.now()
    rows: dict[tuple[str, str], Suppression] = {}
    problems: list[RowProblem] = []
    imported = 0
    for line, row in read_rows(body.csv, first_line=body.first_line, now=now):
        if imported + len(problems) == _MAX_ROWS:
            raise BadRequest("too_many_suppressions", limit=_MAX_ROWS)
        if isinstance(row, tuple):
            texts = (sentence(error.code, context.language, error.values) for error in row)
            problems.append(RowProblem(line, "; ".join(texts)))
        else:
            rows[row.address, row.scope] = row
            imported += 1
    if rows:
        await import_suppressions(
            context.database, list(rows.values()), by=context.administrator, now=now
        )
    return json_response(ImportedRows(imported, problems))


async def export_rows(context: RequestContext) -> Response:
    """Export suppressions.

    Returns up to 1000 suppressions as CSV, by address. A value that begins with `=`, `+`, `-`, `@`
    or `'` has a `'` before it, so that no program for tables calculates it. The import removes it.

    :query cursor: The position of the page: empty for the first page, then the `next_cursor` of the
        previous page. Example: `bob@example.org example.com`.
    :response 200 ExportedRows: Some suppressions.
    :operation exportSuppressions: Administration
    """
    after = _cursor(context.request.query)
    page, has_more = await suppression_page(
        context.database, after=after, now=context.now(), limit=_MAX_ROWS
    )
    names = () if after else (COLUMNS,)
    shown = [{**row, "expires_at": _shown_end(row["expires_at"]) or ""} for row in page]
    text = write_rows([*names, *([row[name] for name in COLUMNS] for row in shown)])
    return json_response(ExportedRows(text, len(page), _next_cursor(page, has_more)))


def _cursor(query: dict[str, str]) -> tuple[str, str] | None:
    """The parameter ``cursor``: the address and the scope of the last row of the previous page."""
    address, _, scope = query.get("cursor", "")[:_MAX_CURSOR_CHARACTERS].partition(_SEPARATOR)
    return (address, scope) if address else None


def _next_cursor(page: list[Row], has_more: bool) -> str | None:
    return f"{page[-1]['address']}{_SEPARATOR}{page[-1]['scope']}" if has_more else None


def _shown_end(expires_at: int | None) -> str | None:
    """The end of a suppression in ISO 8601; None if it has none."""
    return None if expires_at is None else iso_time(expires_at)
