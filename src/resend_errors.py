"""Refusals as clients of Resend get them: ``statusCode``, ``name`` and ``message``.

The names and their statuses are those of https://resend.com/docs/api-reference/errors.
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from answers import Answer, json_answer
from api.emails import EmailProblem
from api.problems import FieldProblem
from clock import seconds_left_of_day, seconds_left_of_month
from refusals import Refusal
from sentences import sentence


class _Error(NamedTuple):
    """What Resend calls a refusal; its status where that is not the refusal's own."""

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

# When a quota is there again.
_QUOTA_SECONDS = {
    "daily_quota_reached": seconds_left_of_day,
    "monthly_quota_reached": seconds_left_of_month,
}


def is_resend_path(path: str) -> bool:
    """Whether clients of Resend call ``path``."""
    return path == "/emails" or path.startswith("/emails/")


def resend_refusal_answer(refusal: Refusal, *, request_id: str, language: str, now: int) -> Answer:
    """The answer for ``refusal`` in ``language``; ``now`` is in Unix milliseconds."""
    error = _error_of(refusal)
    extra: dict[str, Any] = refusal.extra
    status = int(error.status or refusal.status)
    problem = EmailProblem(
        status=status,
        name=error.name,
        message=refusal_message(refusal, language),
        code=refusal.code,
        request_id=request_id,
        errors=_field_problems(refusal, language) or msgspec.UNSET,
        **extra,
    )
    headers = dict(refusal.headers)
    if refusal.code in _QUOTA_SECONDS:
        headers["Retry-After"] = str(_QUOTA_SECONDS[refusal.code](now))
    answer = json_answer(problem, status, headers)
    return Answer(status, answer.body, answer.headers, refusal.code)


def refusal_message(refusal: Refusal, language: str) -> str:
    """What is wrong in ``language``, with each field at fault named."""
    named = [
        f"`{problem.field}`: {problem.message}"
        for problem in _field_problems(refusal, language)
        if problem.field
    ]
    return "; ".join(named) or sentence(refusal.sentence, language, refusal.values)


def _error_of(refusal: Refusal) -> _Error:
    if refusal.code.startswith("attachment"):
        return _ATTACHMENT
    return _BY_CODE.get(refusal.code) or _BY_STATUS.get(refusal.status, _OTHERWISE)


def _field_problems(refusal: Refusal, language: str) -> list[FieldProblem]:
    return [
        FieldProblem(error.field, sentence(error.code, language, error.values))
        for error in refusal.errors
    ]
