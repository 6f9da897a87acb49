"""The answers of an operation: its successes, and its errors by their status."""

from http import HTTPStatus
from itertools import groupby
from typing import Any

from tools.openapi.error_forms import ErrorForm, error_form
from tools.openapi.headers import header_references
from tools.openapi.operation import JsonSchema, Operation, Success
from tools.openapi.raised import REFUSALS
from tools.openapi.refused import OF_A_BODY, OF_A_GUARD, OF_THE_DATABASE, OF_THE_DEPLOYMENT
from tools.openapi.routes import Route
from tools.openapi.schemas import plain_value, reference

_RATE_LIMIT = (
    *("RateLimit-Policy", "RateLimit"),
    *("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
)
# The provider may make new ones.
_ANY_PROVIDER_CODE = {"pattern": "^E_[A-Z_]+$"}


def refusal_names(operation: Operation, guard: str) -> tuple[str, ...]:
    """The names of all refusals that `operation` may answer with behind this guard."""
    return (
        *OF_A_GUARD[guard],
        *(OF_A_BODY if operation.body else ()),
        *operation.refusals,
        *OF_THE_DEPLOYMENT,
        *(OF_THE_DATABASE if operation.asks_database else ()),
    )


def responses(operation: Operation, route: Route) -> dict[str, Any]:
    """All answers of `operation` by their status."""
    often = _RATE_LIMIT if route.sends else ()
    replayed = {name for answer in operation.answers for name in answer.headers}
    names = refusal_names(operation, route.guard)
    errors = error_responses(names, error_form(route.path), often)
    if "502" in errors and "Idempotent-Replayed" in replayed:
        errors["502"]["headers"] |= header_references(("Idempotent-Replayed",))
    return {
        **{str(answer.status): _success(answer, often) for answer in operation.answers},
        **errors,
    }


def error_responses(
    names: tuple[str, ...], form: ErrorForm, headers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The answers for these refusals by their status; `headers` are those that each may have."""

    def status(name: str) -> int:
        return form.answer(REFUSALS[name]).status

    return {
        str(found): _error(HTTPStatus(found), list(of_status), form, headers)
        for found, of_status in groupby(sorted(dict.fromkeys(names), key=status), key=status)
    }


def error_examples(names: tuple[str, ...], form: ErrorForm) -> dict[str, Any]:
    """What these refusals look like, by the names of the examples."""
    return {
        form.prefix + name: {"summary": example[form.sentence], "value": example}
        for name, example in ((name, form.example(REFUSALS[name])) for name in names)
    }


def _error(
    status: HTTPStatus, names: list[str], form: ErrorForm, headers: tuple[str, ...]
) -> dict[str, Any]:
    own = dict.fromkeys(header for name in names for header in form.headers(REFUSALS[name]))
    examples = {name: {"$ref": f"#/components/examples/{form.prefix}{name}"} for name in names}
    content: dict[str, Any] = {
        form.media_type: {"schema": _schema(status, names, form), "examples": examples}
    }
    if form.also_as_text:
        sentence = form.example(REFUSALS[names[0]])[form.sentence]
        content["text/plain"] = {"schema": {"type": "string"}, "example": sentence}
    return {
        "description": status.phrase,
        "headers": header_references((*own, *headers)),
        "content": content,
    }


def _schema(status: HTTPStatus, names: list[str], form: ErrorForm) -> JsonSchema:
    errors = [form.example(REFUSALS[name]) for name in names]
    words: JsonSchema = {
        word: {"enum": list(dict.fromkeys(error[word] for error in errors))} for word in form.words
    }
    if status == HTTPStatus.BAD_GATEWAY:
        words["code"] = {"anyOf": [words["code"], _ANY_PROVIDER_CODE]}
    narrower = {"properties": {form.status: {"const": int(status)}, **words}}
    return {"allOf": [reference(form.type), narrower]}


def _success(answer: Success, headers: tuple[str, ...]) -> dict[str, Any]:
    media_type = "text/plain" if answer.type is str else "application/json"
    examples = {name: {"value": plain_value(value)} for name, value in answer.examples.items()}
    return {
        "description": answer.description,
        "headers": header_references((*answer.headers, *headers)),
        "content": {media_type: {"schema": reference(answer.type), "examples": examples}},
    }
