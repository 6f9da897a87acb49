"""The description of the API: generated from the code, complete, and with valid examples."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import openapi_spec_validator
import pytest

import errors
from routes import ROUTES
from tests.unit.source import ROOT, TREES, codes_in_sql
from tools.error_catalogue import ERRORS
from tools.openapi.__main__ import made_files
from tools.openapi.description import ORIGIN, TAGS, describe
from tools.openapi.error_forms import EMAIL_PROBLEMS, ERROR_FORMS, PROBLEMS, ErrorForm, error_form
from tools.openapi.examples import EXAMPLES
from tools.openapi.operations import OPERATIONS, DescriptionError, Operation, read_operation
from tools.openapi.schemas import REQUIRED_BY_HANDLERS, reference

DESCRIPTION = describe()
MADE = made_files()

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DESCRIPTION["paths"][operation.route.path][
        operation.route.method.lower()
    ]
    return found


def resolved(reference: dict[str, Any]) -> dict[str, Any]:
    """The target of a `$ref`; anything else unchanged."""
    found = reference
    while "$ref" in found:
        found = DESCRIPTION
        for part in reference["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        reference = found
    return found


def check(value: Any, schema: dict[str, Any]) -> None:
    """Check `value` against a schema of the description."""
    whole = {**schema, "components": DESCRIPTION["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(value)


def examples(media_type: dict[str, Any]) -> list[Any]:
    given = [resolved(example)["value"] for example in media_type.get("examples", {}).values()]
    return [*given, media_type["example"]] if "example" in media_type else given


# The generated files


def test_the_files_are_the_same_each_time(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("openapi.json", "docs.html")]
    # In another process, sets have another order.
    command = [sys.executable, "-B", "-m", "tools.openapi", *map(str, files)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert tuple(file.read_text("utf-8") for file in files) == MADE
    assert json.loads(MADE[0]) == DESCRIPTION


def test_the_description_is_one_of_openapi() -> None:
    openapi_spec_validator.validate(DESCRIPTION)
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert DESCRIPTION["servers"] == [{"url": "/"}]


def test_every_route_is_described_and_nothing_else() -> None:
    assert [operation.route for operation in OPERATIONS] == [*ROUTES]
    described = {(m, path) for path, methods in DESCRIPTION["paths"].items() for m in methods}
    assert described == {(route.method.lower(), route.path) for route in ROUTES}
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS)


GOOD = """Delete a message.

Deletes it.

:path id: The id.
:response 200 Success: It is deleted.
:errors: message_not_found, PAGING
:operation deleteIt: Sendbox
"""


def test_a_docstring_is_read() -> None:
    route = next(route for route in ROUTES if route.method == "DELETE")
    operation = read_operation(route, GOOD)
    assert (operation.id, operation.tag) == ("deleteIt", "Sendbox")
    assert (operation.summary, operation.description) == ("Delete a message", "Deletes it.")
    assert [parameter.name for parameter in operation.parameters] == ["id"]
    assert {"message_not_found", "invalid_limit", "internal_error"} <= {*operation.errors}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (":operation deleteIt: Sendbox", ""),
        (":response 200 Success: It is deleted.", ""),
        ("Success", "Sucess"),
        ("message_not_found", "message_not_fount"),
        ("PAGING", "PAGES"),
        (":path", ":pth"),
    ],
)
def test_a_docstring_with_unknown_names_is_rejected(part: str, other: str) -> None:
    with pytest.raises(DescriptionError):
        read_operation(ROUTES[0], GOOD.replace(part, other))


@every_operation
def test_a_path_has_the_described_parameters(operation: Operation) -> None:
    described = [one.name for one in operation.parameters if one.place == "path"]
    assert described == re.findall(r"\{(\w+)\}", operation.route.path)


@every_operation
def test_an_operation_has_a_summary_and_full_sentences(operation: Operation) -> None:
    assert operation.summary
    assert not operation.summary.endswith(".")
    responses = [response.description for response in operation.successes]
    parameters = [parameter.description for parameter in operation.parameters]
    assert all(text.endswith(".") for text in (operation.description, *responses, *parameters))


def test_every_example_is_used() -> None:
    contents = [content for one in OPERATIONS for content in (one.body, *one.successes) if content]
    shown = [content.examples for content in contents]
    assert [name for name, given in EXAMPLES.items() if given not in shown] == []


def test_every_tag_is_used() -> None:
    assert {operation.tag for operation in OPERATIONS} == set(TAGS)


# Errors


ERRORS_OF_DOCS = (ROOT / "docs" / "errors.md").read_text("utf-8")


def documented_errors() -> Iterator[tuple[str, int]]:
    """Code and statuses of every error in the tables of docs/errors.md."""
    for rows in re.findall(r"^\| code \| .*\n\|[-|]+\n((?:\|.*\n)+)", ERRORS_OF_DOCS, re.MULTILINE):
        for codes, statuses in re.findall(r"^\| (`.*?) \| ([\d, ]+) \|", rows, re.MULTILINE):
            for code in re.findall(r"`(\w+)`", codes):
                yield from ((code, int(status)) for status in statuses.split(", "))


def shown_errors(form: ErrorForm) -> dict[str, dict[str, Any]]:
    """The examples of errors in this form, by their names."""
    names = [(form.prefix + name, name) for name in ERRORS]
    kept = DESCRIPTION["components"]["examples"]
    return {name: kept[key]["value"] for key, name in names if key in kept}


@pytest.mark.contract("errors: Every code comes from one stable list and has a sentence")
def test_every_documented_error_is_described() -> None:
    # An error that only clients of Resend's API get is documented with the status that they get.
    problems = shown_errors(PROBLEMS)
    others = {n: one for n, one in shown_errors(EMAIL_PROBLEMS).items() if n not in problems}
    shown = {(one["code"], one["status"]) for one in problems.values()}
    shown |= {(one["code"], one["statusCode"]) for one in others.values()}
    assert shown == set(documented_errors())
    assert problems.keys() | others.keys() == ERRORS.keys()


_MADE_BY = {"field_error": errors.BadRequest, "invalid_input": errors.InvalidInput}


def raised_codes(tree: ast.AST) -> Iterator[str]:
    """The codes in calls of error classes, and the errors that SQL reports."""
    for node in ast.walk(tree):
        name = getattr(getattr(node, "func", None), "id", "")
        kind = _MADE_BY.get(name) or getattr(errors, name, None)
        if not (isinstance(node, ast.Call) and isinstance(kind, type) and node.args):
            continue
        code = node.args[0]
        if issubclass(kind, errors.ApiError) and isinstance(code, ast.Constant):
            yield str(code.value)
    yield from codes_in_sql(tree)


def test_every_raised_error_is_in_the_catalogue() -> None:
    raised = {code for tree in TREES.values() for code in raised_codes(tree)}
    assert {"message_not_found", "no_balance", "database_down"} <= raised
    assert raised - ERRORS.keys() == set()


@pytest.mark.parametrize("module", sorted({one.handler.partition(":")[0] for one in ROUTES}))
def test_a_docstring_names_the_errors_of_its_file(module: str) -> None:
    named = {
        name.partition(".")[0]
        for one in OPERATIONS
        if one.route.handler.partition(":")[0] == module
        for name in one.errors
    }
    raised = {*raised_codes(TREES[f"handlers/{module.replace('.', '/')}.py"])}
    assert raised <= named


def test_every_documented_name_of_resends_is_shown() -> None:
    _, _, rest = ERRORS_OF_DOCS.partition("| name | status | codes |")
    table, _, _ = rest.partition("\n\n")
    names = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    shown = {error["name"] for error in shown_errors(EMAIL_PROBLEMS).values()}
    assert shown == set(re.findall(r"`(\w+)`", names))


@pytest.mark.contract("errors: Every code comes from one stable list and has a sentence")
def test_every_described_error_is_used() -> None:
    kept = DESCRIPTION["components"]
    responses = [*kept["responses"].values()]
    for operation in OPERATIONS:
        responses += described(operation)["responses"].values()
    listed = {
        example["$ref"].rpartition("/")[2]
        for response in responses
        for content in response["content"].values()
        for example in content.get("examples", {}).values()
        if "$ref" in example
    }
    assert listed == kept["examples"].keys()


@every_operation
def test_an_error_is_given_in_the_form_of_its_path(operation: Operation) -> None:
    expected = (
        {"application/json"}
        if operation.route.path.startswith(("/emails", "/webhooks"))
        else {"application/problem+json", "text/plain"}
    )
    for status, response in described(operation)["responses"].items():
        assert int(status) < 400 or response["content"].keys() == expected


def test_every_response_of_a_sending_operation_has_the_rate_limit_headers() -> None:
    for route in ROUTES:
        for response in DESCRIPTION["paths"][route.path][route.method.lower()][
            "responses"
        ].values():
            headers = {name for name in response["headers"] if name.lower().startswith("ratelimit")}
            assert len(headers) == (5 if route.sends else 0)


# Examples


def says(decoded: Any, example: Any) -> bool:
    """Whether `decoded` has every member and item of `example`, with the same values."""
    if isinstance(example, dict):
        return all(name in decoded and says(decoded[name], example[name]) for name in example)
    if isinstance(example, list):
        return all(map(says, decoded, example)) and len(decoded) == len(example)
    return bool(decoded == example)


@every_operation
def test_every_request_has_valid_examples(operation: Operation) -> None:
    for parameter in operation.parameters:
        check(parameter.example, parameter.schema)
    if operation.body:
        content = described(operation)["requestBody"]["content"]["application/json"]
        assert examples(content) != []
        for example in examples(content):
            check(example, content["schema"])
            decoded: Any = msgspec.convert(example, operation.body.type)
            assert says(msgspec.to_builtins(decoded), example)


@every_operation
def test_response_examples_are_as_the_worker_encodes_them(operation: Operation) -> None:
    for response in operation.successes:
        for example in response.examples.values():
            decoded: Any = msgspec.convert(example, response.type)
            if operation.id != "getAccountSettings":  # its handler encodes a dict
                assert msgspec.json.decode(msgspec.json.encode(decoded)) == example


@every_operation
def test_every_response_has_valid_examples(operation: Operation) -> None:
    form = error_form(operation.route.path)
    for status, response in described(operation)["responses"].items():
        for media_type, content in response["content"].items():
            assert examples(content) != []
            for example in examples(content):
                check(example, content["schema"])
                if int(status) >= 400 and media_type == form.media_type:
                    assert example[form.status] == int(status)


def test_an_invalid_example_is_found() -> None:
    wrong_members: dict[str, list[dict[str, Any]]] = {
        "sendMail": [{"status": 401}, {"code": "not_found"}, {"detail": None}],
        "sendEmail": [{"statusCode": 401}, {"name": "not_found"}, {"message": None}],
    }
    operations = [operation for operation in OPERATIONS if operation.id in wrong_members]
    for operation in operations:
        media_type = error_form(operation.route.path).media_type
        content = described(operation)["responses"]["400"]["content"][media_type]
        for wrong in wrong_members[operation.id]:
            with pytest.raises(jsonschema_rs.ValidationError):
                check({**examples(content)[0], **wrong}, content["schema"])


def test_every_field_of_a_type_is_described() -> None:
    bodies = [operation.body.type for operation in OPERATIONS if operation.body]
    responses = [response.type for operation in OPERATIONS for response in operation.successes]
    for kind in (*bodies, *responses, *(form.type for form in ERROR_FORMS)):
        if kind is str:
            continue
        schema = reference(kind)
        schema = resolved(schema.get("items", schema))
        of_list = msgspec.inspect.type_info(kind)
        struct = getattr(of_list, "item_type", of_list)
        assert isinstance(struct, msgspec.inspect.StructType)
        tag = [struct.tag_field] if struct.tag_field else []
        names = [field.encode_name for field in struct.fields]
        assert list(schema["properties"]) == [*tag, *names]
        required = [field.encode_name for field in struct.fields if field.required]
        expected = REQUIRED_BY_HANDLERS.get(struct.cls.__name__, [*tag, *required])
        assert schema.get("required", []) == expected


def test_every_field_has_a_description() -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in DESCRIPTION["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    assert silent == []


# The page


class _Elements(HTMLParser):
    """The elements of a page: names with attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


ELEMENTS = _Elements(MADE[1]).found


def test_the_page_loads_only_local_files_that_its_policy_allows() -> None:
    loaded = [given["src"] for _, given in ELEMENTS if "src" in given]
    loaded += [given["href"] for name, given in ELEMENTS if name == "link"]
    assert sorted(map(str, loaded)) == [
        "/assets/docs.css",
        "/assets/docs.js",
        "/icon.svg",
        "/icon.svg",
    ]
    attributes = {key for _, given in ELEMENTS for key in given}
    assert not [key for key in attributes if key == "style" or key.startswith("on")]
    assert "style" not in {name for name, _ in ELEMENTS}


def test_the_page_has_the_quick_start_without_a_script() -> None:
    main = MADE[1].partition("<main")[2]
    assert main.index("Quick start") < main.index("/api/new_address") < main.index("/api/sendbox")
    assert ORIGIN in main


def test_every_link_of_the_page_is_one_of_this_site() -> None:
    links = {str(given["href"]) for name, given in ELEMENTS if name == "a"}
    pages = {link.removeprefix("/guides/") for link in links if link.startswith("/guides/")}
    guides = {path.stem for path in (ROOT / "docs").glob("*.md")} | {""}
    assert pages <= guides
    assert {link for link in links if not link.startswith("/guides/")} == {
        "/",
        "/docs",
        "/openapi.json",
    }
