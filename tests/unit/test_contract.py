"""The table of the contract: every route stands in it, and every test that it names is there."""

import ast
import functools

import pytest

from tests.contract import ENDPOINTS, RULES
from tests.unit.source import ROOT
from tools.openapi.routes import ROUTES

NAMED = sorted(
    {
        test
        for lines in (*ENDPOINTS.values(), *RULES.values())
        for tests in lines.values()
        for test in tests
    }
)


@functools.cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file below ``tests/``."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_route_is_in_the_table_and_no_other() -> None:
    assert list(ENDPOINTS) == [f"{route.method} {route.path}" for route in ROUTES]


@pytest.mark.parametrize("part", [*ENDPOINTS, *RULES])
def test_every_line_is_held_by_a_test(part: str) -> None:
    lines = {**ENDPOINTS, **RULES}[part]
    assert lines
    assert [line for line, tests in lines.items() if not tests] == []


@pytest.mark.parametrize("test", NAMED)
def test_a_test_that_is_named_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert name in names_in(file)
