"""The description as an HTML page. It works without scripts and loads nothing from other hosts."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from tools.openapi.curl import curl
from tools.openapi.error_forms import EMAIL_PROBLEMS, PROBLEMS, ErrorForm, error_form
from tools.openapi.fields import field_rows, limits, type_words
from tools.openapi.markup import (
    Html,
    escape,
    json_text,
    listing,
    paragraphs,
    prose,
    table,
    tag,
)
from tools.openapi.schemas import reference

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<link rel="stylesheet" href="/docs.css">
</head>
<body class="reference">
<nav aria-label="Operations">
<details>
<summary>Operations</summary>
{navigation}
</details>
</nav>
<main>
<h1>{title}</h1>
{about}
{sections}
</main>
<script src="/origin.js"></script>
</body>
</html>
"""

_CALLERS = {
    "addressCredential": "Requires an address credential: `Authorization: Bearer JWT`.",
    "adminPassword": "Requires an administrator password: `x-admin-auth`.",
}

_HEADERS_OF_RESPONSES = "Every response has `X-Request-Id`. Each operation lists its other headers."

# The forms of errors, with the id, title and introduction of their sections.
_ERRORS = (
    (
        PROBLEMS,
        "errors",
        "Every error",
        "Every error is a problem object (RFC 9457, `application/problem+json`), except below "
        "`/emails`.",
    ),
    (
        EMAIL_PROBLEMS,
        "email-errors",
        "Every error below /emails",
        "Below `/emails`, errors have the form of Resend's API. Resend defines the values of "
        "`name`, and this service defines the values of `code`.",
    ),
)


def page(description: dict[str, Any]) -> str:
    """The page as HTML."""
    return _Page(description).html()


class _Page:
    def __init__(self, description: dict[str, Any]) -> None:
        self._description = description
        self._components = description["components"]

    def html(self) -> str:
        info = self._description["info"]
        version = (
            f"Version {info['version']}. The machine-readable description (OpenAPI 3.1): "
            '<a href="/openapi.json">openapi.json</a>.'
        )
        return _PAGE.format(
            title=escape(info["title"]),
            navigation=self._navigation(),
            about="\n".join(
                (
                    paragraphs(info["description"]),
                    tag("p", Html(version)),
                    tag("h2", "Headers"),
                    tag("p", "Every request accepts these headers."),
                    _parameter_table(self._components["parameters"].values()),
                    tag("p", prose(_HEADERS_OF_RESPONSES)),
                    self._header_table(),
                )
            ),
            sections="\n".join(
                (
                    *map(self._section, self._description["tags"]),
                    *(self._errors(form, *about) for form, *about in _ERRORS),
                )
            ),
        )

    def _operations(self, of_tag: str) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (method.upper(), path, operation)
            for path, methods in self._description["paths"].items()
            for method, operation in methods.items()
            if of_tag in operation["tags"]
        ]

    def _navigation(self) -> Html:
        groups = []
        for of_tag in self._description["tags"]:
            links = [
                tag(
                    "li",
                    tag("a", operation["summary"], href=f"#{operation['operationId']}"),
                )
                for _, _, operation in self._operations(of_tag["name"])
            ]
            groups += [tag("h2", of_tag["name"]), tag("ul", "\n", *links)]
        links = [tag("li", tag("a", title, href=f"#{id_}")) for _, id_, title, _ in _ERRORS]
        errors = tag("ul", "\n", *links)
        return Html("\n".join((*groups, tag("h2", "Errors"), errors)))

    def _section(self, of_tag: dict[str, Any]) -> Html:
        operations = [self._operation(*one) for one in self._operations(of_tag["name"])]
        head = (tag("h2", of_tag["name"]), tag("p", prose(of_tag["description"])))
        return tag("section", Html("\n".join(("", *head, *operations, ""))))

    def _operation(self, method: str, path: str, operation: dict[str, Any]) -> Html:
        parts = [
            tag("h3", operation["summary"]),
            tag("p", tag("code", tag("b", method), " ", path), class_="route"),
            tag("p", prose(operation["description"])),
            tag("p", prose(_callers(operation))),
            *self._parameters(operation),
            *self._body(operation),
            tag("h4", "Example"),
            listing(curl(method, path, operation)),
            *self._responses(path, operation),
        ]
        return tag("article", Html("\n".join(("", *parts, ""))), id=operation["operationId"])

    def _parameters(self, operation: dict[str, Any]) -> list[Html]:
        own = [parameter for parameter in operation["parameters"] if "$ref" not in parameter]
        return [tag("h4", "Parameters"), _parameter_table(own)] if own else []

    def _body(self, operation: dict[str, Any]) -> list[Html]:
        if "requestBody" not in operation:
            return []
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        object_schema = schema.get("anyOf", [schema])[0]  # the other one is an empty list
        return [tag("h4", "Body"), self._fields(object_schema, of_response=False)]

    def _responses(self, path: str, operation: dict[str, Any]) -> list[Html]:
        form = error_form(path)
        successes: list[Html] = []
        errors: list[tuple[Html, ...]] = []
        for status, response in operation["responses"].items():
            if int(status) < HTTPStatus.BAD_REQUEST:
                successes += self._success(status, response)
            else:
                errors += self._error_rows(form, status, response)
        listed = table(("status", *form.words, "for example"), errors)
        return [*successes, tag("details", tag("summary", f"Errors ({len(errors)})"), listed)]

    def _success(self, status: str, response: dict[str, Any]) -> list[Html]:
        (content,) = response["content"].values()
        first, *_ = content["examples"].values()
        fields = [self._fields(content["schema"], of_response=True)]
        headers = ", ".join(f"`{name}`" for name in response["headers"])
        return [
            tag("h4", f"Response {status} {HTTPStatus(int(status)).phrase}"),
            tag("p", prose(response["description"])),
            listing(json_text(first["value"])),
            *(fields if "$ref" in content["schema"] else []),
            tag("p", prose(f"Headers: {headers}.")),
        ]

    def _error_rows(
        self, form: ErrorForm, status: str, response: dict[str, Any]
    ) -> list[tuple[Html, ...]]:
        rows = []
        for name in response["content"][form.media_type]["examples"]:
            example = self._components["examples"][form.prefix + name]
            *words, code = (tag("code", example["value"][word]) for word in form.words)
            link = tag("a", code, href=f"#{form.prefix}{name}")
            rows.append((escape(status), *words, link, escape(example["summary"])))
        return rows

    def _errors(self, form: ErrorForm, id_: str, title: str, intro: str) -> Html:
        """The section of a form: its fields, and all errors in this form."""
        shown = [
            tag(
                "details",
                tag("summary", tag("code", one["value"]["code"]), f" {one['value'][form.status]}"),
                listing(json_text(one["value"])),
                id=name,
            )
            for name, one in self._components["examples"].items()
            if name.startswith(EMAIL_PROBLEMS.prefix) is (form is EMAIL_PROBLEMS)
        ]
        parts = (
            tag("h2", title, id=id_),
            tag("p", prose(intro)),
            self._fields(reference(form.type), of_response=True),
            *shown,
        )
        return tag("section", Html("\n".join(("", *parts, ""))))

    def _header_table(self) -> Html:
        rows = [
            (
                tag("code", name),
                type_words(header["schema"]),
                prose(header["description"]),
            )
            for name, header in self._components["headers"].items()
        ]
        return table(("name", "type", "meaning"), rows)

    def _fields(self, schema: dict[str, Any], *, of_response: bool) -> Html:
        rows = field_rows(schema, self._components["schemas"], of_response=of_response)
        return table(("field", "type", "meaning"), rows)


def _parameter_table(parameters: Iterable[dict[str, Any]]) -> Html:
    rows = [
        (
            tag("code", parameter["name"]),
            escape(parameter["in"]),
            type_words(parameter["schema"]),
            prose(" ".join((parameter["description"], *limits(parameter["schema"])))),
        )
        for parameter in parameters
    ]
    return table(("name", "in", "type", "meaning"), rows)


def _callers(operation: dict[str, Any]) -> str:
    schemes = operation["security"][0] if operation["security"] else {}
    return " ".join(_CALLERS[scheme] for scheme in schemes) or "Requires no credential."
