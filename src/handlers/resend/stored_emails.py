"""``/emails``: list, retrieve, reschedule and cancel emails, as in Resend's API.

They are apart from ``emails.py``, which a Worker imports when it starts.
"""

from errors import invalid_input
from handlers.resend.types import EmailObject, NewTime
from handlers.resend.views import EmailPage, detail, summary
from mail.schedule import check_scheduled_at, parse_scheduled_at
from sending.enqueue import enqueue_soon
from store import schedule
from store.emails import email_page, find_email
from web.body import read_json
from web.context import RequestContext
from web.query import after_and_before, page_limit
from web.responses import Response, json_response


async def list_emails(context: RequestContext) -> Response:
    """List emails.

    Returns the emails of the address, newest first.

    :query limit:
    :query after: The id of the email that precedes the page: the last one of the previous page.
    :query before: The id of the email that follows the page. Not together with `after`.
    :response 200 EmailPage: A page of emails.
    :errors: invalid_limit, invalid_cursor, two_cursors
    :operation listEmails: Emails
    """
    query = context.request.query
    limit = page_limit(query)
    after, before = after_and_before(query)
    rows, has_more = await email_page(
        context.database, context.credential, limit=limit, after=after, before=before
    )
    return json_response(EmailPage(has_more=has_more, data=[summary(row) for row in rows]))


async def retrieve(context: RequestContext) -> Response:
    """Get an email.

    Returns one email of the address, with its content and status.

    :path id:
    :response 200 Email: The email.
    :errors: message_not_found
    :operation getEmail: Emails
    """
    message_id = context.parameters["id"]
    row, bodies = await find_email(context.database, context.credential, message_id)
    context.message_ids.append(row["id"])
    return json_response(detail(row, bodies))


async def update(context: RequestContext) -> Response:
    """Reschedule an email.

    Changes the time of a scheduled email.

    :path id:
    :body NewTime:
    :response 200 EmailObject: The email was rescheduled.
    :errors: unknown_field, required_field_missing, id_mismatch, SCHEDULE, message_not_found,
        not_scheduled, too_many_changes
    :operation rescheduleEmail: Emails
    """
    message_id = context.parameters["id"]
    body = await read_json(context.request, NewTime)
    if body.scheduled_at is None:
        raise invalid_input("required_field_missing", "scheduled_at")
    if body.id not in (None, message_id):  # the Python SDK repeats the id of the path
        raise invalid_input("id_mismatch", "id")
    due_at, now = parse_scheduled_at(body.scheduled_at), context.now()
    assert due_at is not None  # parse_scheduled_at returns None only for None
    check_scheduled_at(due_at, now=now)
    has_many_waiting = await schedule.reschedule(
        context.database,
        context.credential,
        message_id,
        due_at=due_at,
        now=now,
        most_a_day=context.settings.max_withdrawals_per_day,
    )
    enqueue_soon(context.services, [(message_id, due_at)], has_many_waiting=has_many_waiting)
    return _changed(context, message_id)


async def cancel(context: RequestContext) -> Response:
    """Cancel an email.

    Cancels a scheduled or queued email and refunds its charge.

    :path id:
    :response 200 EmailObject: The email will not be sent.
    :errors: message_not_found, not_cancellable
    :operation cancelEmail: Emails
    """
    message_id = context.parameters["id"]
    await schedule.cancel(context.database, context.credential, message_id, now=context.now())
    return _changed(context, message_id)


def _changed(context: RequestContext, message_id: str) -> Response:
    context.message_ids.append(message_id)
    return json_response(EmailObject(message_id))
