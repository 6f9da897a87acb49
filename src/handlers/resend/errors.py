"""Errors in the form that clients of Resend read: ``statusCode``, ``name`` and ``message``.

The names and their statuses are those of https://resend.com/docs/api-reference/errors.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from clock import seconds_left_of_day, seconds_left_of_month
from errors import ApiError
from locales import sentence
from web.problems import FieldProblem, SuppressionProblem, field_problems
from web.responses import Response, json_response


class EmailProblem(Struct, kw_only=True):
    """An error in the form of Resend's API."""

    status: Annotated[int, Meta(description="The HTTP status.")] = msgspec.field(name="statusCode")
    name: Annotated[str, Meta(description="The error as a name that Resend defines.")]
    message: Annotated[
        str, Meta(description="The error as a sentence for people. It names the invalid fields.")
    ]
    code: Annotated[str, Meta(description="The error as a code that this service defines.")]
    request_id: Annotated[str, Meta(description="The id of the request, as in `X-Request-Id`.")]
    errors: Annotated[list[FieldProblem] | UnsetType, Meta(description="The invalid fields.")] = (
        UNSET
    )
    id: Annotated[str | UnsetType, Meta(description="The id of the mail, if it was stored.")] = (
        UNSET
    )
    message_status: Annotated[
        str | UnsetType, Meta(description="The status of the stored mail.")
    ] = UNSET
    suppression: Annotated[
        SuppressionProblem | UnsetType,
        Meta(description="Only with the code `recipient_suppressed`."),
    ] = UNSET


class _Error(NamedTuple):
    """Resend's name for an error, and Resend's HTTP status if ours is a different one."""

    name: str
    status: HTTPStatus | None = None


_MISSING = _Error("missing_required_field", HTTPStatus.UNPROCESSABLE_ENTITY)
_ATTACHMENT = _Error("invalid_attachment", HTTPStatus.UNPROCESSABLE_ENTITY)
_PARAMETER = _Error("invalid_parameter", HTTPStatus.UNPROCESSABLE_ENTITY)
_NOT_PERMITTED = _Error("validation_error", HTTPStatus.FORBIDDEN)

_BY_CODE = {
    "credential_missing": _Error("missing_api_key"),
    "invalid_credential": _Error("invalid_api_key"),
    "required_field_missing": _MISSING,
    "subject_empty": _MISSING,
    "content_empty": _MISSING,
    "invalid_from": _Error("invalid_from_address"),
    "invalid_sender_domain": _NOT_PERMITTED,
    "send_mail_not_enabled": _NOT_PERMITTED,
    "no_balance": _NOT_PERMITTED,
    "invalid_limit": _PARAMETER,
    "invalid_cursor": _PARAMETER,
    "two_cursors": _PARAMETER,
    "invalid_batch_validation": _PARAMETER,
    "invalid_idempotency_key": _Error("invalid_idempotency_key"),
    "idempotency_key_reused": _Error("invalid_idempotent_request"),
    "idempotency_in_flight": _Error("concurrent_idempotent_requests"),
    "daily_quota_reached": _Error("daily_quota_exceeded", HTTPStatus.TOO_MANY_REQUESTS),
    "monthly_quota_reached": _Error("monthly_quota_exceeded", HTTPStatus.TOO_MANY_REQUESTS),
    "internal_error": _Error("internal_server_error"),
}

_BY_STATUS = {
    HTTPStatus.NOT_FOUND: _Error("not_found"),
    HTTPStatus.METHOD_NOT_ALLOWED: _Error("method_not_allowed"),
    HTTPStatus.TOO_MANY_REQUESTS: _Error("rate_limit_exceeded"),
    HTTPStatus.INTERNAL_SERVER_ERROR: _Error("application_error"),
    HTTPStatus.BAD_GATEWAY: _Error("application_error"),
    HTTPStatus.SERVICE_UNAVAILABLE: _Error("application_error"),
}

_OTHERWISE = _Error("validation_error")

# The functions that return the seconds until a quota is renewed.
_QUOTA_SECONDS = {
    "daily_quota_reached": seconds_left_of_day,
    "monthly_quota_reached": seconds_left_of_month,
}


def resend_error_response(error: ApiError, *, request_id: str, language: str, now: int) -> Response:
    """The response for ``error`` in ``language``; ``now`` is in Unix milliseconds."""
    kind = _error_of(error)
    status = int(kind.status or error.status)
    problem = EmailProblem(
        status=status,
        name=kind.name,
        message=error_message(error, language),
        code=error.code,
        request_id=request_id,
        errors=field_problems(error, language) or UNSET,
        **error.extra,
    )
    headers = dict(error.headers)
    if error.code in _QUOTA_SECONDS:
        headers["Retry-After"] = str(_QUOTA_SECONDS[error.code](now))
    return replace(json_response(problem, status, headers), code=error.code)


def error_message(error: ApiError, language: str) -> str:
    """The sentence of ``error`` in ``language``; or the names and sentences of invalid fields."""
    named = [
        f"`{problem.field}`: {problem.message}"
        for problem in field_problems(error, language)
        if problem.field
    ]
    return "; ".join(named) or sentence(error.sentence, language, error.values)


def _error_of(error: ApiError) -> _Error:
    if error.code.startswith("attachment"):
        return _ATTACHMENT
    return _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, _OTHERWISE)
