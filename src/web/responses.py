"""Responses, including the responses for errors.

An error becomes a problem object (RFC 9457), or only its sentence if the client or the deployment
wants text (``RequestContext.wants_text_errors``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Annotated, Any

import msgspec

from errors import ApiError, FieldError
from locales import sentence
from mail.characters import has_control

# Browsers send at most some 200 characters of Accept. The rest of a longer one is not read.
_MAX_ACCEPT_CHARACTERS = 1000

_NO_STORE = {"Cache-Control": "no-store"}


class Success(msgspec.Struct):
    """The operation succeeded, or the checked credential is correct."""

    success: Annotated[bool, msgspec.Meta(description="Always true. Failures are error responses.")]


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, without the headers common to all responses.

    ``code`` is the code of an error, for the access log.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None


def json_response(
    value: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """A JSON response with ``value``. ``headers`` extend or replace the default headers."""
    own = {"Content-Type": "application/json; charset=utf-8", **_NO_STORE}
    return Response(status, msgspec.json.encode(value), {**own, **(headers or {})})


def text_response(text: str, status: int = HTTPStatus.OK) -> Response:
    """A plain text response."""
    headers = {"Content-Type": "text/plain; charset=utf-8", **_NO_STORE}
    return Response(status, text.encode(), headers)


def error_response(error: ApiError, *, request_id: str, language: str, plain: bool) -> Response:
    """The response for ``error`` in ``language``. If ``plain``, the body is only the sentence."""
    detail = sentence(error.sentence, language, error.values)
    if error.prefix:
        detail = sentence(error.prefix, language, {}) + detail
    status = int(error.status)
    if plain:
        response = text_response(_one_line(detail), status)
        return replace(response, headers={**response.headers, **error.headers}, code=error.code)
    # Imported only here, because most requests have no error and imports slow a Worker's start.
    from web.problems import Problem, field_problems

    problem = Problem(
        type="about:blank",
        title=error.status.phrase,
        status=status,
        detail=detail,
        message=detail,
        code=error.code,
        retryable=error.retryable,
        request_id=request_id,
        errors=field_problems(error, language) or msgspec.UNSET,
        **error.extra,
    )
    headers = {"Content-Type": "application/problem+json", **error.headers}
    return replace(json_response(problem, status, headers), code=error.code)


def field_sentences(fields: Iterable[FieldError], language: str) -> list[str]:
    """A sentence in ``language`` for each of ``fields``, after the name of the field."""
    return [f"{one.field}: {sentence(one.code, language, one.values)}" for one in fields]


def prefers_plain_text(accept: str) -> bool:
    """Whether the Accept header ``accept`` prefers text/plain to problem+json (RFC 9110, 12.5.1).

    >>> prefers_plain_text("text/plain"), prefers_plain_text("*/*")
    (True, False)
    """
    weights: dict[str, float] = {}
    for entry in accept[:_MAX_ACCEPT_CHARACTERS].lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        weights[media_type] = max(weights.get(media_type, 0.0), _weight(parameters))

    def weight(*ranges: str) -> float:
        return next((weights[name] for name in ranges if name in weights), 0.0)

    plain = weight("text/plain", "text/*", "*/*")
    problem = weight("application/problem+json", "application/*", "*/*")
    return plain > max(problem, weight("application/json"))


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _one_line(text: str) -> str:
    return " ".join(text.split()) if has_control(text) else text
