"""Answers: what goes back to the client, and the one place where a refusal becomes one.

Errors are problem objects (RFC 9457), or only their sentence for a client that prefers
``text/plain``.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from api.problems import FieldProblem, Problem
from mail.characters import has_control
from refusals import Refusal
from sentences import sentence

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, still without the headers that every response gets."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None


def json_answer(
    value: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Answer:
    """``value`` as JSON, with ``headers`` beside those that JSON answers get."""
    own = {"Content-Type": "application/json; charset=utf-8", **_NO_STORE}
    return Answer(status, msgspec.json.encode(value), {**own, **(headers or {})})


def text_answer(text: str, status: int = HTTPStatus.OK) -> Answer:
    """``text`` as plain text."""
    headers = {"Content-Type": "text/plain; charset=utf-8", **_NO_STORE}
    return Answer(status, text.encode(), headers)


def refusal_answer(refusal: Refusal, *, request_id: str, language: str, plain: bool) -> Answer:
    """The answer for ``refusal`` in ``language``; only its sentence where ``plain``."""
    detail = sentence(refusal.sentence, language, refusal.values)
    if refusal.prefix:
        detail = sentence(refusal.prefix, language, {}) + detail
    status = int(refusal.status)
    if plain:
        answer = text_answer(_one_line(detail), status)
        return Answer(status, answer.body, {**answer.headers, **refusal.headers}, refusal.code)
    extra: dict[str, Any] = refusal.extra
    problem = Problem(
        type="about:blank",
        title=refusal.status.phrase,
        status=status,
        detail=detail,
        code=refusal.code,
        retryable=refusal.retryable,
        request_id=request_id,
        errors=[
            FieldProblem(error.field, sentence(error.code, language, error.values))
            for error in refusal.errors
        ]
        or msgspec.UNSET,
        **extra,
    )
    headers = {
        "Content-Type": "application/problem+json",
        **_NO_STORE,
        **refusal.headers,
    }
    return Answer(status, msgspec.json.encode(problem), headers, refusal.code)


def prefers_plain_text(accept: str) -> bool:
    """Whether the Accept header ``accept`` rates text/plain above problem+json (RFC 9110, 12.5.1).

    >>> prefers_plain_text("text/plain"), prefers_plain_text("*/*")
    (True, False)
    """
    weights: dict[str, float] = {}
    for entry in accept.lower().split(","):
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
