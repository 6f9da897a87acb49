"""The two forms that errors have: problem objects, and what clients of Resend read."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from answers import Answer, refusal_answer
from api.emails import EmailProblem
from api.problems import Problem
from refusals import Refusal
from resend_errors import is_resend_path, resend_refusal_answer
from tools.openapi.samples import NOW, REQUEST_ID

# The fields of a mail that have other names below `/emails`.
_EMAIL_FIELDS = {
    "to_mail": "to",
    "from_name": "from",
    "content": "html",
    "name": "subject",
    "cursor": "after",
}
_OF_ALL_ANSWERS = {"Content-Type", "Cache-Control"}


@dataclass(frozen=True)
class ErrorForm:
    """A form of errors.

    `prefix` stands before a refusal's name where its example is kept; `status`, `sentence` and
    `words` are the members with the HTTP status, the sentence for people, and the words for
    programs; `answer` is the worker's own function.
    """

    media_type: str
    type: type
    prefix: str
    status: str
    sentence: str
    words: tuple[str, ...]
    answer: Callable[[Refusal], Answer]
    also_as_text: bool = False

    def example(self, refusal: Refusal) -> dict[str, Any]:
        """The error for `refusal`, as the worker answers it."""
        problem: dict[str, Any] = json.loads(self.answer(refusal).body)
        return problem

    def headers(self, refusal: Refusal) -> list[str]:
        """The names of the headers of the answer that not every answer has."""
        return [name for name in self.answer(refusal).headers if name not in _OF_ALL_ANSWERS]


def _problem(refusal: Refusal) -> Answer:
    return refusal_answer(refusal, request_id=REQUEST_ID, language="en", plain=False)


def _email_problem(refusal: Refusal) -> Answer:
    errors = tuple(
        replace(error, field=_EMAIL_FIELDS.get(error.field, error.field))
        for error in refusal.errors
    )
    posted = Refusal(
        refusal.code,
        sentence=refusal.sentence,
        errors=errors,
        headers=refusal.headers,
        extra=refusal.extra,
        **refusal.values,
    )
    posted.status = refusal.status
    return resend_refusal_answer(posted, request_id=REQUEST_ID, language="en", now=NOW)


PROBLEMS = ErrorForm(
    media_type="application/problem+json",
    type=Problem,
    prefix="",
    status="status",
    sentence="detail",
    words=("code",),
    answer=_problem,
    also_as_text=True,
)
EMAIL_PROBLEMS = ErrorForm(
    media_type="application/json",
    type=EmailProblem,
    prefix="emails.",
    status="statusCode",
    sentence="message",
    words=("name", "code"),
    answer=_email_problem,
)
ERROR_FORMS = (PROBLEMS, EMAIL_PROBLEMS)


def error_form(path: str) -> ErrorForm:
    """The form of errors at `path`."""
    return EMAIL_PROBLEMS if is_resend_path(path) else PROBLEMS
