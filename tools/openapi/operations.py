"""The operations of the API, read from the table of routes and the docstrings of the handlers."""

import inspect
import re
import sys
from dataclasses import dataclass
from typing import Any

from routes import ROUTES, Route, area_of, load_handler
from tools.error_catalogue import ERRORS, GROUPS
from tools.openapi.examples import EXAMPLES, PARAMETERS
from web.auth import Access

_FIELD = re.compile(r"^:(\w+)(?: ([^:\n]+))?:(.*)$", re.MULTILINE)
_EXAMPLE = re.compile(r"\s*Example: `(.*)`\.$")
_PLACES = ("path", "query", "header")
_OF_ACCESS = {
    Access.OPEN: (),
    Access.SITE: ("site_password_required",),
    Access.ADDRESS: ("site_password_required", "invalid_credential"),
    Access.API_KEY: ("credential_missing", "invalid_credential"),
    Access.ADMIN: ("site_password_required", "admin_password_required"),
}


class DescriptionError(Exception):
    """The docstring of an operation is incomplete, or contains an unknown name."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter; its `place` is path, query or header."""

    name: str
    place: str
    description: str
    schema: dict[str, Any]
    example: Any


@dataclass(frozen=True, kw_only=True)
class Content:
    """A body: its type and its named examples."""

    type: Any
    examples: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Success(Content):
    """A response that is not an error."""

    status: int
    description: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation; `errors` are names in `ERRORS`."""

    route: Route
    id: str
    tag: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Content | None
    needs_body: bool
    successes: tuple[Success, ...]
    errors: tuple[str, ...]

    @property
    def access(self) -> Access:
        return area_of(self.route.path).access

    @property
    def is_repeatable(self) -> bool:
        """Whether the operation accepts an idempotency key. A response may then be a replay."""
        return any(parameter.name == "Idempotency-Key" for parameter in self.parameters)


@dataclass(frozen=True)
class _Field:
    """A field of a docstring, `:name argument: text`."""

    name: str
    argument: str
    text: str


def read_operation(route: Route, docstring: str) -> Operation:
    """The operation of `route`, whose handler has this docstring.

    :raises DescriptionError: the docstring is incomplete or contains an unknown name.
    """
    try:
        return _Reader(route, inspect.cleandoc(docstring)).operation()
    except ValueError as error:
        raise DescriptionError(f"the docstring of handlers/{route.handler}: {error}") from error


class _Reader:
    def __init__(self, route: Route, docstring: str) -> None:
        prose, *fields = re.split(r"^(?=:\w)", docstring, flags=re.MULTILINE)
        self._route = route
        self._paragraphs = [_one_line(text) for text in prose.strip().split("\n\n")]
        self._fields = [_field(text) for text in fields]

    def operation(self) -> Operation:
        named, *_ = self._all("operation", "`:operation ID: TAG`")
        responses = self._all("response", "`:response STATUS TYPE: ...`")
        bodies = [Content(**_typed(f.argument, f.argument)) for f in self._all("body")]
        return Operation(
            route=self._route,
            id=named.argument,
            tag=named.text,
            summary=self._paragraphs[0].removesuffix("."),
            description="\n\n".join(self._paragraphs[1:]),
            parameters=tuple(_parameter(f) for f in self._fields if f.name in _PLACES),
            body=bodies[0] if bodies else None,
            needs_body=not any(field.text == "Optional." for field in self._all("body")),
            successes=tuple(self._success(field, named.argument) for field in responses),
            errors=self._errors(has_body=bool(bodies)),
        )

    def _all(self, name: str, needed: str = "") -> list[_Field]:
        found = [field for field in self._fields if field.name == name]
        if needed and not found:
            raise ValueError(f"{needed} is missing")
        return found

    def _success(self, field: _Field, operation_id: str) -> Success:
        status, type_name = field.argument.split()
        keys = (f"{operation_id} {status}", f"{type_name} {status}", type_name)
        return Success(status=int(status), description=field.text, **_typed(type_name, *keys))

    def _errors(self, *, has_body: bool) -> tuple[str, ...]:
        """The names of all errors: the errors of the route, and the errors in the docstring."""
        access = area_of(self._route.path).access
        words = [*_OF_ACCESS[access], *(["BODY"] if has_body else [])]
        words += ["client_rate_exceeded"] if self._route.limited else []
        words += [word for field in self._all("errors") for word in field.text.split(", ")]
        # The docstrings of open operations list `DATABASE` if they use the database.
        words += ["DEPLOYMENT", *(["DATABASE"] if access is not Access.OPEN else [])]
        names = [name for word in words for name in _errors_named(word)]
        return tuple(dict.fromkeys(names))


def _field(text: str) -> _Field:
    found = _FIELD.match(_one_line(text))
    if found is None or found[1] not in (*_PLACES, "body", "response", "errors", "operation"):
        raise ValueError(f"there is no such field: {text}")
    return _Field(found[1], found[2] or "", found[3].strip())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _errors_named(word: str) -> list[str]:
    if word in GROUPS:
        return [error.code for error in GROUPS[word]]
    if word not in ERRORS:
        raise ValueError(f"tools/error_catalogue.py has no {word}")
    return [word]


def _parameter(field: _Field) -> Parameter:
    shared = PARAMETERS.get(field.argument, {})
    given = _EXAMPLE.search(field.text)
    if given and "description" in shared:
        shared = {}  # this operation has another parameter of the same name
    description = _EXAMPLE.sub("", field.text) or shared.get("description")
    example = given[1] if given else shared.get("example")
    if description is None or example is None:
        raise ValueError(f"the parameter {field.argument} needs a description and an example")
    at_least = {"minLength": 1} if field.name == "path" else {}
    return Parameter(
        name=field.argument,
        place=field.name,
        description=description,
        schema=shared.get("schema", {"type": "string", **at_least}),
        example=example,
    )


def _typed(type_name: str, *keys: str) -> dict[str, Any]:
    """The type `type_name`, and the examples under the first of `keys` that exists."""
    for key in keys:
        if key in EXAMPLES:
            return {"type": _type(type_name), "examples": EXAMPLES[key]}
    raise ValueError(f"tools/openapi/examples.py has no example of {keys[-1]}")


def _type(name: str) -> Any:
    """The type with this name in the modules of handlers."""
    found = {
        id(value): value
        for module_name, module in sys.modules.items()
        if module_name.startswith("handlers.") or module_name == "web.responses"
        if (value := vars(module).get(name)) is not None
    }
    if name == "str":
        return str
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} types of the name {name}")
    return next(iter(found.values()))


_HANDLERS = [(route, load_handler(route)) for route in ROUTES]
OPERATIONS = tuple(read_operation(route, handler.__doc__ or "") for route, handler in _HANDLERS)
