"""``/admin/suppressions``: list, add and remove suppressed recipients."""

from typing import Annotated

from msgspec import Meta, Struct

from clock import iso_time
from mail.recipients import one_recipient
from store.suppressions import add_suppression, remove_suppression, suppression_page
from web.body import read_json
from web.context import RequestContext
from web.query import address_filter, limit_and_offset, required
from web.responses import Response, Success, json_response


class SuppressionRow(Struct):
    """A recipient that receives no mail."""

    address: Annotated[str, Meta(description="The mail address.")]
    reason: Annotated[str, Meta(description="The reason of the suppression.")]
    since: Annotated[str, Meta(description="The start of the suppression, in ISO 8601 (UTC).")]


class SuppressionPage(Struct):
    """A page of suppressions."""

    results: Annotated[list[SuppressionRow], Meta(description="The suppressions of this page.")]
    count: Annotated[int, Meta(description="The total number of suppressions.")]


class NewSuppression(Struct):
    """The recipient to suppress."""

    address: Annotated[str | None, Meta(description="The mail address. Required.")] = None
    reason: Annotated[
        Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] | None,
        Meta(description="The reason, without control characters. Default: `manual`."),
    ] = None


async def list_suppressions(context: RequestContext) -> Response:
    """List suppressions.

    Returns the recipients that receive no mail, because the provider no longer delivers to them or
    because an administrator added them.

    :query limit:
    :query offset:
    :query address:
    :response 200 SuppressionPage: A page of suppressions.
    :errors: PAGING
    :operation listSuppressions: Administration
    """
    query = context.request.query
    limit, offset = limit_and_offset(query)
    address = address_filter(query)
    rows, count = await suppression_page(
        context.database, address=address, limit=limit, offset=offset
    )
    results = [SuppressionRow(**{**row, "since": iso_time(row["since"])}) for row in rows]
    return json_response(SuppressionPage(results, count))


async def add(context: RequestContext) -> Response:
    """Add a suppression.

    From now on, messages to this recipient are rejected.

    :body NewSuppression:
    :response 200 Success: The suppression was added.
    :errors: required_field_missing, invalid_recipient
    :operation addSuppression: Administration
    """
    body = await read_json(context.request, NewSuppression)
    address = one_recipient("address", required(body.address, "address"))
    reason = (body.reason or "").strip() or "manual"
    await add_suppression(
        context.database, address.key, reason, by=context.administrator, now=context.now()
    )
    return json_response(Success(success=True))


async def remove(context: RequestContext) -> Response:
    """Remove a suppression.

    From now on, messages to this recipient are accepted again. The provider may still reject them.

    :query address: The recipient. Required. Example: `bob@example.org`.
    :response 200 Success: The suppression was removed.
    :errors: required_field_missing, suppression_not_found
    :operation removeSuppression: Administration
    """
    address = required(address_filter(context.request.query), "address")
    await remove_suppression(context.database, address, by=context.administrator, now=context.now())
    return json_response(Success(success=True))
