"""The description of the API as OpenAPI 3.1, put together from types, routes and refusals."""

from http import HTTPStatus
from typing import Any

from settings import VERSION
from tools.openapi.error_forms import EMAIL_PROBLEMS, ERROR_FORMS, PROBLEMS, ErrorForm, error_form
from tools.openapi.headers import ANSWER_HEADERS, REQUEST_HEADERS
from tools.openapi.operation import Body, Operation, Parameter
from tools.openapi.operations import OPERATIONS, TAGS
from tools.openapi.raised import REFUSALS
from tools.openapi.refused import OF_NO_OPERATION
from tools.openapi.responses import error_examples, error_responses, refusal_names, responses
from tools.openapi.routes import ROUTES, Route
from tools.openapi.schemas import component_schemas, reference
from tools.openapi.security import REQUIREMENTS, SCHEMES

_ABOUT = """\
Send mail from your own domain with one HTTP call, by a service that runs in your own Cloudflare \
account.

Bodies are JSON in UTF-8; times are UTC. Fields that an operation does not know are ignored, but \
refused below `/emails`. Every path takes calls from any origin (CORS), and HEAD where it takes GET.

An error is a problem object (RFC 9457). `code` is for programs, `detail` is a sentence for \
people, and `errors` names the fields at fault. A client whose `Accept` prefers `text/plain` gets \
only the sentence. Below `/emails` errors have the form that clients of Resend read instead. \
Every 429 and 503 has `Retry-After`. A path that is not described here answers 404 \
`not_found`, another method 405 `method_not_allowed`.

Where the deployment has a site password, send it as `x-custom-auth`."""


def describe() -> dict[str, Any]:
    """The whole description.

    :raises KeyError: an operation has no route.
    """
    routes = {(route.method, route.path): route for route in ROUTES}
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        route = routes[operation.method, operation.path]
        methods = paths.setdefault(operation.path, {})
        methods[operation.method.lower()] = _operation(operation, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Send Mail API",
            "version": VERSION,
            "summary": "A mail-sending API that runs in your own Cloudflare account.",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": component_schemas(OPERATIONS),
            "parameters": {header.name: _parameter(header) for header in REQUEST_HEADERS},
            "headers": ANSWER_HEADERS,
            "responses": {
                **_of_no_operation("", PROBLEMS),
                **_of_no_operation("Email", EMAIL_PROBLEMS),
            },
            "securitySchemes": SCHEMES,
            "examples": _error_examples(routes),
        },
    }


def _of_no_operation(prefix: str, form: ErrorForm) -> dict[str, Any]:
    return {
        prefix + HTTPStatus(int(status)).phrase.replace(" ", ""): response
        for status, response in error_responses(OF_NO_OPERATION, form).items()
    }


def _error_examples(routes: dict[tuple[str, str], Route]) -> dict[str, Any]:
    """Every error, in the order of `REFUSALS` and in each form in which it is met."""
    met = {form.prefix: set(OF_NO_OPERATION) for form in ERROR_FORMS}
    for operation in OPERATIONS:
        guard = routes[operation.method, operation.path].guard
        met[error_form(operation.path).prefix] |= set(refusal_names(operation, guard))
    examples: dict[str, Any] = {}
    for form in ERROR_FORMS:
        names = tuple(name for name in REFUSALS if name in met[form.prefix])
        examples |= error_examples(names, form)
    return examples


def _operation(operation: Operation, route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "security": REQUIREMENTS[route.guard],
        "parameters": [
            *map(_parameter, operation.parameters),
            *({"$ref": f"#/components/parameters/{header.name}"} for header in REQUEST_HEADERS),
        ],
    }
    if operation.body:
        described["requestBody"] = _body(operation.body)
    return {**described, "responses": responses(operation, route)}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.where == "path",
        "schema": parameter.schema,
        "example": parameter.example,
    }


def _body(body: Body) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in body.examples.items()}
    json = {"schema": reference(body.type), "examples": examples}
    return {"required": True, "content": {"application/json": json}}
