"""The table of routes: every path has the guard that its prefix demands.

``routes.py`` imports the runtime, so it is read and not run.
"""

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.source import TREES
from tools.openapi.routes import ROUTES, Route

# Whoever calls these has no credential yet.
WITHOUT_CREDENTIAL = {"/api/new_address", "/api/address_login"}

every_route = pytest.mark.parametrize(
    "route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES]
)


def demanded_guard(path: str) -> str:
    if path.startswith("/admin/"):
        return "ADMIN"
    if path in WITHOUT_CREDENTIAL:
        return "SITE"
    if path.startswith("/api/"):
        return "ADDRESS"
    if path == "/emails" or path.startswith("/emails/"):
        return "API_KEY"
    if path.startswith("/external/"):
        return "SITE"  # the credential stands in the body
    return "OPEN"


def test_the_endpoints_of_the_seed_page_are_there() -> None:
    assert {
        ("POST", "/api/new_address"),
        ("POST", "/admin/new_address"),
        ("POST", "/api/send_mail"),
        ("POST", "/external/api/send_mail"),
        ("GET", "/api/sendbox"),
        ("GET", "/api/sendbox/{id}"),
        ("POST", "/api/sendbox/{id}/retry"),
        ("GET", "/health_check"),
    } <= {(route.method, route.path) for route in ROUTES}


def test_the_operations_of_resend_are_there() -> None:
    assert {
        ("POST", "/emails"),
        ("GET", "/emails"),
        ("POST", "/emails/batch"),
        ("GET", "/emails/{id}"),
        ("PATCH", "/emails/{id}"),
        ("POST", "/emails/{id}/cancel"),
    } <= {(route.method, route.path) for route in ROUTES}


@pytest.mark.contract("guards: Every route has the guard of its path prefix")
@every_route
def test_a_route_has_the_guard_of_its_prefix(route: Route) -> None:
    assert route.guard == demanded_guard(route.path)


@every_route
def test_a_route_stands_once(route: Route) -> None:
    same = [other for other in ROUTES if other[:2] == route[:2]]
    assert same == [route]


@every_route
def test_the_routes_of_one_path_have_one_guard(route: Route) -> None:
    # application.py checks the guard before it knows whether the method is taken.
    assert {other.guard for other in ROUTES if other.path == route.path} == {route.guard}


@every_route
def test_a_method_is_one_of_http(route: Route) -> None:
    assert route.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}


@every_route
def test_a_path_begins_and_does_not_end_with_a_slash(route: Route) -> None:
    assert route.path.startswith("/")
    assert not route.path.endswith("/")


@every_route
def test_a_segment_is_a_word_or_stands_for_one(route: Route) -> None:
    segments = route.path.split("/")[1:]
    assert [s for s in segments if not re.fullmatch(r"[a-z_]+|\{[a-z_]+\}", s)] == []
    assert len(set(names(route.path))) == len(names(route.path))


@every_route
def test_no_path_is_also_matched_by_another_pattern(route: Route) -> None:
    # Of two patterns that match, the one with fewer names counts: there must be one.
    others = {other.path for other in ROUTES} - {route.path}
    rivals = [other for other in others if len(names(other)) == len(names(route.path))]
    assert [other for other in rivals if overlap(route.path, other)] == []


def _handlers() -> dict[str, str]:
    """The modules that routes.py names, now or later, by what it calls them."""
    modules = {}
    for node in TREES["routes.py"].body:
        if isinstance(node, ast.Assign) and "Later(" in ast.unparse(node):
            (name,), call = node.targets, ast.unparse(node.value)
            modules[ast.unparse(name)] = call.removeprefix("Later('").removesuffix("')")
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return modules


HANDLERS = _handlers()


@every_route
def test_a_handler_is_there_and_reads_the_parameters_of_its_path(route: Route) -> None:
    name, _, function = route.handler.rpartition(".")
    tree = TREES[HANDLERS[name].replace(".", "/") + ".py"]
    (handler,) = [
        node
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function
    ]
    read = re.findall(r"call\.parameters\['(\w+)'\]", ast.unparse(handler))
    assert set(read) == set(names(route.path))


def names(path: str) -> list[str]:
    """The named segments of a path."""
    return re.findall(r"\{(\w+)\}", path)


def overlap(one: str, other: str) -> bool:
    """Whether there is a path that both patterns match."""
    pairs = list(zip(one.split("/"), other.split("/"), strict=False))
    return one.count("/") == other.count("/") and all(
        a == b or "{" in a or "{" in b for a, b in pairs
    )


def _parameters() -> Callable[[tuple[str, ...], list[str]], dict[str, str] | None]:
    """The function of routes.py that matches a path, without what routes.py imports."""
    (function,) = [
        node
        for node in TREES["routes.py"].body
        if isinstance(node, ast.FunctionDef) and node.name == "_parameters"
    ]
    names: dict[str, Any] = {}
    exec(compile(ast.Module([function], []), "routes.py", "exec"), names)
    found: Callable[[tuple[str, ...], list[str]], dict[str, str] | None] = names["_parameters"]
    return found


@pytest.mark.parametrize(
    ("pattern", "path", "parameters"),
    [
        ("/api/sendbox", "/api/sendbox", {}),
        ("/api/sendbox", "/api/sendbox/", None),
        ("/api/sendbox", "/api/Sendbox", None),
        ("/api/sendbox", "/api", None),
        ("/api/sendbox/{id}", "/api/sendbox/m1", {"id": "m1"}),
        ("/api/sendbox/{id}", "/api/sendbox/{id}", {"id": "{id}"}),
        ("/api/sendbox/{id}", "/api/sendbox/m1/retry", None),
        ("/api/sendbox/{id}", "/api/sendbox", None),
        ("/api/sendbox/{id}", "/api/other/m1", None),
        ("/api/sendbox/{id}/retry", "/api/sendbox/m1/retry", {"id": "m1"}),
        ("/api/sendbox/{id}/retry", "/api/sendbox/m1/m2", None),
    ],
)
def test_a_pattern_matches_whole_segments(
    pattern: str, path: str, parameters: dict[str, str] | None
) -> None:
    assert _parameters()(tuple(pattern.split("/")), path.split("/")) == parameters
