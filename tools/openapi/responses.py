"""The responses of an operation: its successes, and its errors by status."""

from http import HTTPStatus
from itertools import groupby
from typing import Any

from tools.error_catalogue import ERRORS
from tools.openapi.error_forms import ErrorForm, error_form
from tools.openapi.headers import header_references
from tools.openapi.operations import Operation, Success
from tools.openapi.schemas import JsonSchema, reference

_RATE_LIMIT = (
    *("RateLimit-Policy", "RateLimit"),
    *("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
)
# The provider may add codes, so a code of this form is valid too.
_ANY_PROVIDER_CODE = {"pattern": "^E_[A-Z_]+$"}


def responses(operation: Operation) -> dict[str, Any]:
    """All responses of `operation` by status."""
    headers = _RATE_LIMIT if operation.route.sends else ()
    replayed = ("Idempotent-Replayed",) if operation.is_repeatable else ()
    is_warning = operation.route.sends and operation.route.path.startswith("/emails")
    warnings = ("X-Warnings",) if is_warning else ()
    errors = error_responses(operation.errors, error_form(operation.route.path), headers)
    if "502" in errors:
        errors["502"]["headers"] |= header_references(replayed)
    successes = {
        str(success.status): _success(success, (*replayed, *warnings, *headers))
        for success in operation.successes
    }
    return {**successes, **errors}


def error_responses(
    names: tuple[str, ...], form: ErrorForm, headers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The responses for the errors `names`, by status. Each response may have `headers`."""

    def status(name: str) -> int:
        return form.respond(ERRORS[name]).status

    return {
        str(found): _error(HTTPStatus(found), list(of_status), form, headers)
        for found, of_status in groupby(sorted(dict.fromkeys(names), key=status), key=status)
    }


def error_examples(names: tuple[str, ...], form: ErrorForm) -> dict[str, Any]:
    """The examples of the errors `names`, by name."""
    return {
        form.prefix + name: {"summary": example[form.sentence], "value": example}
        for name, example in ((name, form.example(ERRORS[name])) for name in names)
    }


def _error(
    status: HTTPStatus, names: list[str], form: ErrorForm, headers: tuple[str, ...]
) -> dict[str, Any]:
    own = dict.fromkeys(header for name in names for header in form.headers(ERRORS[name]))
    examples = {name: {"$ref": f"#/components/examples/{form.prefix}{name}"} for name in names}
    content: dict[str, Any] = {
        form.media_type: {"schema": _schema(status, names, form), "examples": examples}
    }
    if form.also_as_text:
        sentence = form.example(ERRORS[names[0]])[form.sentence]
        content["text/plain"] = {"schema": {"type": "string"}, "example": sentence}
    return {
        "description": status.phrase,
        "headers": header_references((*own, *headers)),
        "content": content,
    }


def _schema(status: HTTPStatus, names: list[str], form: ErrorForm) -> JsonSchema:
    errors = [form.example(ERRORS[name]) for name in names]
    words: JsonSchema = {
        word: {"enum": list(dict.fromkeys(error[word] for error in errors))} for word in form.words
    }
    if status == HTTPStatus.BAD_GATEWAY:
        words["code"] = {"anyOf": [words["code"], _ANY_PROVIDER_CODE]}
    narrower = {"properties": {form.status: {"const": int(status)}, **words}}
    return {"allOf": [reference(form.type), narrower]}


def _success(success: Success, headers: tuple[str, ...]) -> dict[str, Any]:
    media_type = "text/plain" if success.type is str else "application/json"
    examples = {name: {"value": value} for name, value in success.examples.items()}
    return {
        "description": success.description,
        "headers": header_references(headers),
        "content": {media_type: {"schema": reference(success.type), "examples": examples}},
    }
