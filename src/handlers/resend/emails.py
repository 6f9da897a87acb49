"""``POST /emails`` and ``/emails/batch``: send emails, as in Resend's API.

The emails of a batch are decoded one by one, because in the permissive mode an invalid email does
not prevent the others from being sent.
"""

from errors import ApiError, BadRequest, FieldError, InvalidInput
from handlers.resend.request import check_batchable, message_of
from handlers.resend.types import (
    MAX_BATCH,
    Batch,
    BatchError,
    EmailId,
    FirstItems,
    NewEmail,
    first_items,
)
from handlers.send_mail import check_provider, replay_headers
from mail.message import Message
from mail.submission import SubmissionResult
from sending.submission import sender_policy, submit, submit_batch
from web.body import decode_json, decoder_of, read_json
from web.context import RequestContext
from web.responses import Response, field_sentences, json_response

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
        from handlers.resend.errors import error_message  # here, because most sends have no error

        batch.errors = [
            BatchError(index, error_message(result.error, context.language))
            for index, result in enumerate(results)
            if result.error is not None
        ]
    replayed = next((one for one in results if one.replayed), results[0])
    return json_response(batch, headers=_headers(context, replayed))


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
        return message_of(
            email, context.credential, sender_policy(context), path=path, warnings=context.warnings
        )
    except ApiError as error:
        if not error.errors:
            error.errors = (FieldError(place, error.sentence, error.values),)
        return error
