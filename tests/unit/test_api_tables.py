"""The tables of docs/api.md and docs/errors.md agree with the code."""

import re
from collections.abc import Iterator
from typing import get_args

from handlers.resend.views import _BY_STATUS, LastEvent
from mail.headers import _VALUES
from mail.lifecycle import Status
from mail.sandbox_recipients import OUTCOMES
from routes import ROUTES
from tests.unit.source import ROOT
from tools.openapi.description import describe
from tools.openapi.operations import OPERATIONS, Operation

API = (ROOT / "docs" / "api.md").read_text("utf-8")
SCHEMAS = describe()["components"]["schemas"]
BY_CALL = {f"{one.route.method} {one.route.path}": one for one in OPERATIONS}


def sections(document: str) -> dict[str, str]:
    """The text of every section by its heading."""
    prose = re.sub(r"^```sh.*?^```$", "", document, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^#{2,3} (.*)$", prose, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str, head: str) -> list[list[str]]:
    """The rows, as lists of cells, of the tables whose first column has the heading ``head``."""
    tables = re.findall(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def documented() -> Iterator[tuple[str, list[Operation]]]:
    """The text and the operations of every section of docs/api.md that names operations."""
    for heading, text in sections(API).items():
        operations = [BY_CALL[call] for call in words(heading) if call in BY_CALL]
        if operations:
            yield text, operations


def test_every_operation_has_a_section() -> None:
    found = [one.route for _, operations in documented() for one in operations]
    assert sorted(found) == sorted(ROUTES)


def test_every_endpoint_is_in_the_table_of_all_calls() -> None:
    table = sections(API)["Endpoints"]
    missing = []
    for route in ROUTES:
        # A row may name several methods, only the end of a path, or a path without its id.
        names = (route.path, f"…/{route.path.rpartition('/')[2]}", route.path.removesuffix("/{id}"))
        lines = [line for line in table.splitlines() if route.method in line]
        if not any(re.search(rf"{re.escape(name)}[`?]", line) for line in lines for name in names):
            missing.append(route)
    assert missing == []


def test_a_table_of_fields_has_the_fields_of_the_request() -> None:
    seen = 0
    for text, operations in documented():
        listed = {name for row in rows(text, "field") for name in words(row[0])}
        if not listed:
            continue
        fields = {
            name
            for one in operations
            if one.body
            for name in SCHEMAS[one.body.type.__name__]["properties"]
        }
        assert listed <= fields
        assert [name for name in fields if not re.search(rf"\b{name}\b", text)] == []
        seen += 1
    assert seen == 3


def test_a_table_of_parameters_has_the_parameters_of_the_request() -> None:
    text = sections(API)["`GET /api/sendbox`, `GET /api/sendbox/{id}`"]
    listed = {name for row in rows(text, "parameter") for name in words(row[0])}
    parameters = BY_CALL["GET /api/sendbox"].parameters
    assert listed == {parameter.name for parameter in parameters}


def test_the_table_of_responses_names_errors_of_sending() -> None:
    listed = rows(sections(API)["What the response means"], "status")
    codes = {code for row in listed for code in words(row[1]) if "…" not in code}
    assert codes
    assert codes <= {*BY_CALL["POST /api/send_mail"].errors}


def test_the_tables_of_statuses_and_sandbox_recipients_are_complete() -> None:
    listed = rows(sections(API)["`GET /api/sendbox`, `GET /api/sendbox/{id}`"], "`status`")
    assert {status for row in listed for status in words(row[0])} == {*get_args(Status)}
    listed = rows(sections(API)["Sandbox recipients"], "recipient")
    recipients = [name for row in listed for name in words(row[0])]
    assert recipients == [f"{outcome}@test.invalid" for outcome in OUTCOMES]


def test_the_table_of_resends_statuses_is_that_of_the_code() -> None:
    listed = rows(sections(API)["Differences to Resend"], "`status`")
    said = {status: words(row[1])[0] for row in listed for status in words(row[0])}
    assert said == _BY_STATUS
    assert {word for row in listed for word in words(row[1])} <= {*get_args(LastEvent)}


def test_the_table_of_header_values_is_that_of_the_code() -> None:
    said = {words(row[0])[0].lower(): tuple(words(row[1])) for row in rows(API, "header")}
    assert said == _VALUES
