"""The two forms of errors: problem objects, and the errors of Resend's API."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from errors import ApiError
from handlers.resend.errors import EmailProblem, resend_error_response
from routes import area_of
from tools.openapi.examples import NOW, REQUEST_ID
from web.problems import Problem
from web.responses import Response, error_response

# The fields of a mail that have other names below `/emails`.
_EMAIL_FIELDS = {
    "to_mail": "to",
    "from_name": "from",
    "content": "html",
    "name": "subject",
    "cursor": "after",
}
_OF_ALL_RESPONSES = {"Content-Type", "Cache-Control"}


@dataclass(frozen=True)
class ErrorForm:
    """A form of errors.

    The names of its examples begin with `prefix`. In the body, the member `status` has the HTTP
    status, `sentence` the sentence for people, and the members `words` the codes for programs.
    `respond` is the Worker's function that creates the response. With `also_as_text`, a client can
    get the sentence as plain text instead.
    """

    media_type: str
    type: type
    prefix: str
    status: str
    sentence: str
    words: tuple[str, ...]
    respond: Callable[[ApiError], Response]
    also_as_text: bool = False

    def example(self, error: ApiError) -> dict[str, Any]:
        """The body of the response to `error`."""
        problem: dict[str, Any] = json.loads(self.respond(error).body)
        return problem

    def headers(self, error: ApiError) -> list[str]:
        """The names of the response headers, without the headers of every response."""
        return [name for name in self.respond(error).headers if name not in _OF_ALL_RESPONSES]


def _problem(error: ApiError) -> Response:
    return error_response(error, request_id=REQUEST_ID, language="en", plain=False)


def _email_problem(error: ApiError) -> Response:
    errors = tuple(
        replace(fault, field=_EMAIL_FIELDS.get(fault.field, fault.field)) for fault in error.errors
    )
    posted = ApiError(
        error.code,
        sentence=error.sentence,
        errors=errors,
        headers=error.headers,
        extra=error.extra,
        **error.values,
    )
    posted.status = error.status
    return resend_error_response(posted, request_id=REQUEST_ID, language="en", now=NOW)


PROBLEMS = ErrorForm(
    media_type="application/problem+json",
    type=Problem,
    prefix="",
    status="status",
    sentence="detail",
    words=("code",),
    respond=_problem,
    also_as_text=True,
)
EMAIL_PROBLEMS = ErrorForm(
    media_type="application/json",
    type=EmailProblem,
    prefix="emails.",
    status="statusCode",
    sentence="message",
    words=("name", "code"),
    respond=_email_problem,
)
ERROR_FORMS = (PROBLEMS, EMAIL_PROBLEMS)


def error_form(path: str) -> ErrorForm:
    """The form of errors at `path`."""
    return EMAIL_PROBLEMS if area_of(path).has_resend_errors else PROBLEMS
