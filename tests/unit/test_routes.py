"""The table of routes: every path has the guard that its prefix demands.

``routes.py`` imports the runtime, so it is read here and not run.
"""

import ast
from typing import NamedTuple

import pytest

from tests.unit.source import TREES


class Route(NamedTuple):
    method: str
    path: str
    guard: str
    handler: str


def _routes() -> list[Route]:
    found = []
    for node in ast.walk(TREES["routes.py"]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Route":
            method, path, guard, handler = node.args
            found.append(
                Route(
                    ast.literal_eval(method),
                    ast.literal_eval(path),
                    ast.unparse(guard),
                    ast.unparse(handler),
                )
            )
    return found


ROUTES = _routes()
# Whoever calls these has no credential yet.
WITHOUT_CREDENTIAL = {"/api/new_address", "/api/address_login"}

every_route = pytest.mark.parametrize(
    "route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES]
)


def demanded_guard(path: str) -> str:
    if path.startswith("/admin/"):
        return "Guard.ADMIN"
    if path in WITHOUT_CREDENTIAL:
        return "Guard.SITE"
    if path.startswith("/api/"):
        return "Guard.ADDRESS"
    if path.startswith("/external/"):
        return "Guard.SITE"  # the credential stands in the body
    return "Guard.OPEN"


def test_the_endpoints_of_the_seed_page_are_there() -> None:
    assert {
        ("POST", "/api/new_address"),
        ("POST", "/admin/new_address"),
        ("POST", "/api/send_mail"),
        ("POST", "/external/api/send_mail"),
        ("GET", "/health_check"),
    } <= {(route.method, route.path) for route in ROUTES}


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
