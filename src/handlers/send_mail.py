"""``POST /api/send_mail`` and ``POST /external/api/send_mail``: send one mail.

The first takes the credential from the ``Authorization`` header, the second from the body.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from accounts.credentials import MAX_TOKEN_CHARACTERS, Credential, verify
from errors import BadRequest, InvalidInput, ProviderFault
from locales import provider_sentence
from mail.compose import Origin, compose
from mail.fields import SendMail
from mail.lifecycle import Status
from mail.submission import SubmissionResult
from sending.submission import sender_policy, submit
from web.body import decode_json, decoder_of, read_json
from web.context import RequestContext
from web.responses import Response, field_sentences, json_response


class OnlyToken(Struct):
    """The credential in a body. The other fields are skipped without decoding them."""

    # Raw, so that a token of the wrong type is not an invalid field but an invalid credential.
    token: Raw | UnsetType = UNSET


class SendMailWithToken(SendMail):
    """A mail to send, with the credential in the body."""

    token: Annotated[
        str | None, Meta(description="The address JWT. It is not stored. Required.")
    ] = None


# `ok`, or the status of a message that the provider has not accepted.
ResponseStatus = Annotated[
    Literal["ok", Status],
    Meta(description="`ok` if the provider accepted the mail, otherwise the message status."),
]


Warnings = Annotated[
    list[str] | UnsetType,
    Meta(description="What was accepted otherwise than given, in sentences; missing if nothing."),
]


class SendResponse(Struct):
    """The status of a submitted message."""

    status: ResponseStatus
    id: Annotated[str, Meta(description="The id of the message in the sendbox.")]
    message_id: Annotated[
        str | UnsetType | None,
        Meta(description="The Message-ID that the provider assigned, if it accepted the mail."),
    ] = UNSET
    warnings: Warnings = UNSET


# The HTTP status for each result that is reported as a success.
_SUCCESS_STATUS = {"sent": HTTPStatus.OK, "queued": HTTPStatus.ACCEPTED}


async def send_with_header(context: RequestContext) -> Response:
    """Send a message.

    Sends a message from the address of the credential, at once or at `scheduled_at`, and returns
    its status. Each recipient reduces the send balance of the address by 1. Verified recipients are
    free, and so is all mail of an unlimited address. Nothing is sent to the sandbox recipients
    `delivered@`, `bounced@`, `complained@`, `suppressed@`, `ratelimited@` and `slow@test.invalid`.
    They are free, and each simulates the outcome in its name.

    :header Idempotency-Key:
    :body SendMail:
    :response 200 SendResponse: The provider accepted the message.
    :response 202 SendResponse: The message is stored and will be sent automatically: a scheduled
        message at its time, a queued message when the provider accepts messages again. Repeating
        the request with the same `Idempotency-Key` returns the current `status` of the message.
    :errors: required_field_missing.422, MESSAGE, ATTACHMENTS, SCHEDULE, SENDING, OUTCOME
    :operation sendMail: Sending
    """
    return await _send(context, context.credential, await read_json(context.request, SendMail))


async def send_with_body_token(context: RequestContext) -> Response:
    """Send a message, with the credential in the body.

    Works like `POST /api/send_mail`, for systems that cannot set headers: the credential is the
    field `token`.

    :header Idempotency-Key:
    :body SendMailWithToken:
    :response 200 SendResponse: The provider accepted the message.
    :response 202 SendResponse: The message is stored and will be sent automatically, as for `POST
        /api/send_mail`.
    :errors: invalid_credential, required_field_missing.422, MESSAGE, ATTACHMENTS, SCHEDULE,
        SENDING, OUTCOME
    :operation sendMailWithToken: Sending
    """
    body = await context.request.json_body()
    # Check the credential before anything else of the body is decoded.
    credential = verify(_token_in(body), secrets=context.settings.jwt_secrets)
    mail: SendMailWithToken = decode_json(body, decoder_of(SendMailWithToken))
    return await _send(context, credential, mail)


def _token_in(body: bytes) -> str | None:
    """The token in ``body``; None if it is missing, is not a string, or is too long.

    Return None also if the body is not an object.

    :raises BadRequest: ``malformed_json``.
    """
    try:
        found: OnlyToken = decode_json(body, decoder_of(OnlyToken))
        if found.token is UNSET or len(bytes(found.token)) > MAX_TOKEN_CHARACTERS + len('""'):
            return None
        return str(decode_json(bytes(found.token), decoder_of(str)))
    except InvalidInput:  # the body is not an object, or the token is not a string
        return None


async def _send(context: RequestContext, credential: Credential, body: SendMail) -> Response:
    try:
        sender = Origin(address=credential.address, name=body.from_name)
        message = compose(body, sender, sender_policy(context), warnings=context.warnings)
        result = await submit(context, credential, message)
        return submission_response(result, shown_warnings(context))
    except BadRequest as error:
        raise error.prefixed("failed_to_send") from None


def submission_response(
    result: SubmissionResult, warnings: list[str] | UnsetType = UNSET
) -> Response:
    """The response of the ``send_mail`` endpoints for ``result``.

    :raises ProviderFault: the provider rejected the message, or the outcome is unknown.
    """
    message_id = result.provider_message_id if result.status == "sent" else UNSET
    return success_response(
        result, lambda status: SendResponse(status, result.id, message_id, warnings)
    )


def success_response(
    result: SubmissionResult, body_of: Callable[[ResponseStatus], Struct]
) -> Response:
    """The response for ``result``, with the body that ``body_of`` makes of the status.

    :raises ProviderFault: as ``submission_response`` does.
    """
    check_provider(result)
    status = "ok" if result.reported_as == "sent" else result.status or "queued"
    return json_response(
        body_of(status), _SUCCESS_STATUS[result.reported_as], replay_headers(result)
    )


def shown_warnings(context: RequestContext) -> list[str] | UnsetType:
    """The warnings of a request, in the language of its client; UNSET if there are none."""
    return field_sentences(context.warnings, context.language) if context.warnings else UNSET


def check_provider(result: SubmissionResult) -> None:
    """Raise an error if the provider rejected the message or the outcome is unknown.

    :raises ProviderFault: with the provider's code, or with ``outcome_unknown``.
    """
    if result.reported_as in _SUCCESS_STATUS:
        return
    code = result.code or ""
    raise ProviderFault(
        code,
        sentence=provider_sentence(code, "provider_refused"),
        headers=replay_headers(result),
        extra={"id": result.id, "message_status": result.status},
        provider_code=code,
    )


def replay_headers(result: SubmissionResult) -> dict[str, str]:
    """The header ``Idempotent-Replayed`` if the response replays an earlier request, or none."""
    return {"Idempotent-Replayed": "true"} if result.replayed else {}
