"""The contract markers cover every route, and name only routes and known rules."""

import ast
from collections.abc import Iterator
from functools import cache

from routes import ROUTES
from tests.unit.source import ROOT

# The parts of the contract that apply to several routes.
RULES = {
    *("address names", "attacks", "balance", "console", "credential", "deletion", "errors"),
    *("guards", "passwords", "send checks", "send outcomes", "variables"),
}


def _markers() -> Iterator[str]:
    """The text of every contract marker in the tests."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.contract":
                (text,) = node.args
                yield ast.literal_eval(text)


@cache
def markers() -> list[str]:
    return sorted(set(_markers()))


def parts() -> set[str]:
    return {marker.partition(": ")[0] for marker in markers()}


ROUTE_NAMES = {f"{route.method} {route.path}" for route in ROUTES}


def test_every_marker_has_a_sentence() -> None:
    assert [marker for marker in markers() if not marker.partition(": ")[2].strip()] == []


def test_every_route_has_a_marker() -> None:
    assert sorted(ROUTE_NAMES - parts()) == []


def test_every_rule_has_a_marker() -> None:
    assert sorted(RULES - parts()) == []


def test_every_marker_names_a_route_or_a_rule() -> None:
    assert sorted(parts() - ROUTE_NAMES - RULES) == []
