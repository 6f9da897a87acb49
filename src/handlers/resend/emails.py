"""``/emails``: send, list, retrieve, reschedule and cancel emails, as in Resend's API.

The emails of a batch are decoded one by one, because in the permissive mode an invalid email does
not prevent the others from being sent.
"""

from errors import ApiError, BadRequest, FieldError, InvalidInput, field_error, invalid_input
from handlers.resend.errors import error_message
from handlers.resend.request import check_batchable, message_of
from handlers.resend.types import (
    MAX_BATCH,
    Batch,
    BatchError,
    EmailId,
    EmailObject,
    FirstItems,
    NewEmail,
    NewTime,
    first_items,
)
from handlers.resend.views import EmailPage, detail, summary
from handlers.send_mail import check_provider, replay_headers
from mail.compose import check_size
from mail.message import Message
from mail.schedule import check_scheduled_at, parse_scheduled_at
from mail.submission import SubmissionResult
from sending.enqueue import enqueue_soon
from sending.submission import sender_policy, submit, submit_batch
from store import schedule
from store.emails import email_page, find_email
from web.body import decode_json, decoder_of, read_json
from web.context import RequestContext
from web.query import DEFAULT_LIMIT, MAX_LIMIT, whole_number
from web.responses import Response, field_sentences, json_response

_MAX_ID_CHARACTERS = 100
_MAX_WARNINGS = 10  # in a header, which clients limit
# Between parts of a batch with this size, other requests continue: it can take a second to make the
# texts of its HTML.
_BYTES_AT_ONCE = 64 * 1024
_IS_PERMISSIVE = {None: False, "strict": False, "permissive": True}


async def send(context: RequestContext) -> Response:
    """Send an email.

    Sends an email, at once or at `scheduled_at`. `GET /emails/{id}` returns its status. The sandbox
    recipients are those of `POST /api/send_mail`, not those of Resend.

    :header Idempotency-Key:
    :body NewEmail:
    :response 200 EmailId: The email was sent, scheduled, or queued until the provider accepts it.
    :errors: EMAIL, attachment_path_unsupported, MESSAGE, ATTACHMENTS, SCHEDULE, SENDING, OUTCOME
    :operation sendEmail: Emails
    """
    email = await read_json(context.request, NewEmail)
    message = message_of(
        email, context.credential, sender_policy(context), warnings=context.warnings
    )
    result = await submit(context, context.credential, message)
    check_provider(result)
    return json_response(EmailId(result.id), headers=_headers(context, result))


async def send_batch(context: RequestContext) -> Response:
    """Send a batch of emails.

    Sends up to 100 emails. By default, none is sent if one of them is rejected. With
    `x-batch-validation: permissive`, the others are sent. The body has at most 10 MiB. In errors,
    the path of a field begins with the position of its email, counted from 0: `[3].to`.

    :header Idempotency-Key:
    :header x-batch-validation: `permissive` to send the other emails if one is rejected. Default:
        `strict`. Example: `permissive`.
    :body NewBatch:
    :response 200 Batch: The emails were accepted: all of them or, in a permissive batch, those that
        `errors` does not list.
    :errors: batch_size, batch_with_attachments, batch_with_schedule, batch_over_rate_limit,
        batch_too_long, batch_too_large, invalid_batch_validation, EMAIL, MESSAGE, SENDING
    :operation sendEmails: Emails
    """
    mode = context.request.optional_header("x-batch-validation")
    if mode not in _IS_PERMISSIVE:
        raise BadRequest("invalid_batch_validation")
    permissive = _IS_PERMISSIVE[mode]
    entries, rejected = await _entries(context)
    results = await submit_batch(
        context, context.credential, entries, rejected=rejected, permissive=permissive
    )
    batch = Batch([EmailId(result.id) for result in results if result.error is None])
    if permissive:
        batch.errors = [
            BatchError(index, error_message(result.error, context.language))
            for index, result in enumerate(results)
            if result.error is not None
        ]
    replayed = next((one for one in results if one.replayed), results[0])
    return json_response(batch, headers=_headers(context, replayed))


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
    limit = whole_number(query.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    after, before = query.get("after"), query.get("before")
    if after is not None and before is not None:
        raise invalid_input("two_cursors", "before")
    for name, given in (("after", after), ("before", before)):
        if given is not None and len(given) > _MAX_ID_CHARACTERS:
            raise field_error("invalid_cursor", name)
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


def _headers(context: RequestContext, result: SubmissionResult) -> dict[str, str]:
    """The response headers about ``result`` and about the warnings of the request.

    Warnings are a header, because the bodies are those of Resend's API. They are in English,
    because a header is ASCII.
    """
    headers = replay_headers(result)
    if context.warnings:
        shown = field_sentences(context.warnings[:_MAX_WARNINGS], "en")
        more = len(context.warnings) - len(shown)
        headers["X-Warnings"] = "; ".join([*shown, f"{more} more"] if more else shown)
    return headers


def _changed(context: RequestContext, message_id: str) -> Response:
    context.message_ids.append(message_id)
    return json_response(EmailObject(message_id))


async def _entries(context: RequestContext) -> tuple[list[Message | ApiError], dict[int, bytes]]:
    """The message or the error of each email in the batch, and the JSON of each rejected email.

    The items refer to the body. They are not returned, so that its memory is free afterwards.
    """
    items = first_items(await read_json(context.request, FirstItems))
    if not 1 <= len(items) <= MAX_BATCH:
        raise InvalidInput("batch_size", limit=MAX_BATCH)
    entries: list[Message | ApiError] = []
    rejected, size = {}, 0
    for index, item in enumerate(items):
        content = bytes(item)
        entry = _entry(context, content, f"[{index}]")
        entries.append(entry)
        if isinstance(entry, ApiError):
            rejected[index] = content
        size += len(content)
        if size >= _BYTES_AT_ONCE:
            size = 0
            await context.services.waiting.sleep(0)
    return entries, rejected


def _entry(context: RequestContext, content: bytes, place: str) -> Message | ApiError:
    path = f"{place}."
    try:
        email: NewEmail = decode_json(content, decoder_of(NewEmail), path=place)
        check_batchable(email, path)
        message = message_of(
            email, context.credential, sender_policy(context), path=path, warnings=context.warnings
        )
        check_size(message)
        return message
    except ApiError as error:
        if not error.errors:
            error.errors = (FieldError(place, error.sentence, error.values),)
        return error
