"""The description of the API as OpenAPI 3.1, assembled from types, operations and errors."""

from http import HTTPStatus
from typing import Any

from settings import VERSION
from tools.error_catalogue import ERRORS, GROUPS
from tools.openapi.error_forms import EMAIL_PROBLEMS, ERROR_FORMS, PROBLEMS, ErrorForm, error_form
from tools.openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from tools.openapi.operations import OPERATIONS, Content, Operation, Parameter
from tools.openapi.responses import error_examples, error_responses, responses
from tools.openapi.schemas import component_schemas, reference
from tools.openapi.security import REQUIREMENTS, SCHEMES

# The tags and their descriptions.
TAGS = {
    "Addresses": "Mail addresses, and the credentials that belong to them.",
    "Sending": "Send messages.",
    "Sendbox": "List, show, retry and delete the messages of an address.",
    "Emails": "The API of Resend. Its official SDKs work with the base URL of this service and an "
    "address credential as API key. Fields that this service does not support are rejected.",
    "Webhooks": "Tell your own server what happens to messages, as Resend does. docs/webhooks.md "
    "has the events, and how to verify them.",
    "Administration": "For administrators: addresses, balances, lists, limits, the audit log.",
    "Deployment": "Health, public settings and password checks.",
}

# The examples name this origin. The page at /docs replaces it by its own.
ORIGIN = "https://mail.example.com"

_ABOUT = f"""\
Send mail from your own domain with one HTTP call. The service runs in your own Cloudflare account.

## Quick start

1. Create an address. The response has `jwt`, the credential of the address. If the response is \
403 `new_address_disabled`, ask your administrator for a credential.

```sh
curl {ORIGIN}/api/new_address \\
  -H 'Content-Type: application/json' -d '{{"name": "alice"}}'
JWT='the value of jwt'
```

2. Send a mail. This recipient is for tests: it behaves like a real one, but gets no mail.

```sh
curl {ORIGIN}/api/send_mail \\
  -H "Authorization: Bearer $JWT" -H 'Content-Type: application/json' \\
  -d '{{"to_mail": "delivered@test.invalid", "subject": "Hello", "content": "Hello, Bob"}}'
```

3. See what became of it. After a few seconds, `delivery_status` is `delivered`.

```sh
curl "{ORIGIN}/api/sendbox?limit=1" -H "Authorization: Bearer $JWT"
```

The [console](/) does the same without programming. The [guides](/guides/) explain everything \
else, for example [what each error means](/guides/errors) and [why a mail did not \
arrive](/guides/troubleshooting).

## Requests

Bodies are JSON in UTF-8. Times are UTC. Unknown fields are ignored, but below `/emails` they are \
rejected. Every path accepts calls from any origin (CORS). Paths with GET also accept HEAD. If the \
deployment has a site password, send it in the header `x-custom-auth`.

## Errors

An error is a problem object (RFC 9457). `code` is for programs, `detail` is a sentence for \
people, and `errors` names the invalid fields. A client whose `Accept` prefers `text/plain` gets \
only the sentence. Below `/emails` and `/webhooks`, errors have the form of Resend's API instead. \
Every 429 and 503 has `Retry-After`. A path that is not described here returns 404 `not_found`. A \
method that is not described for its path returns 405 `method_not_allowed`."""

_OF_NO_OPERATION = tuple(error.code for error in GROUPS["NO_OPERATION"])


def describe() -> dict[str, Any]:
    """The description as a JSON value."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        methods = paths.setdefault(operation.route.path, {})
        methods[operation.route.method.lower()] = _operation(operation)
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
            "headers": RESPONSE_HEADERS,
            "responses": {
                **_of_no_operation("", PROBLEMS),
                **_of_no_operation("Email", EMAIL_PROBLEMS),
            },
            "securitySchemes": SCHEMES,
            "examples": _error_examples(),
        },
    }


def _of_no_operation(prefix: str, form: ErrorForm) -> dict[str, Any]:
    return {
        prefix + HTTPStatus(int(status)).phrase.replace(" ", ""): response
        for status, response in error_responses(_OF_NO_OPERATION, form).items()
    }


def _error_examples() -> dict[str, Any]:
    """Examples of every error, in the order of `ERRORS`, in each form that the API returns."""
    returned = {form.prefix: set(_OF_NO_OPERATION) for form in ERROR_FORMS}
    for operation in OPERATIONS:
        returned[error_form(operation.route.path).prefix] |= set(operation.errors)
    examples: dict[str, Any] = {}
    for form in ERROR_FORMS:
        names = tuple(name for name in ERRORS if name in returned[form.prefix])
        examples |= error_examples(names, form)
    return examples


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "security": REQUIREMENTS[operation.access],
        "parameters": [
            *map(_parameter, operation.parameters),
            *({"$ref": f"#/components/parameters/{header.name}"} for header in REQUEST_HEADERS),
        ],
    }
    if operation.body:
        described["requestBody"] = _body(operation.body, is_required=operation.needs_body)
    return {**described, "responses": responses(operation)}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.place == "path",
        "schema": parameter.schema,
        "example": parameter.example,
    }


# PHP writes an empty object as an empty list (web/body.py).
_EMPTY_LIST = {"type": "array", "maxItems": 0}


def _body(body: Content, *, is_required: bool) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in body.examples.items()}
    schema = reference(body.type)
    if not is_required:
        schema = {"anyOf": [schema, _EMPTY_LIST]}
    json = {"schema": schema, "examples": examples}
    return {"required": is_required, "content": {"application/json": json}}
