"""The table of routes: every path has the access rule of its prefix, and every handler exists."""

import inspect
import re

import pytest

from routes import (
    AREAS,
    METHODS,
    ROUTES,
    Route,
    area_of,
    known_path,
    load_handler,
    match,
)
from web.auth import Access

# Routes whose callers have no credential yet.
WITHOUT_CREDENTIAL = {"/api/new_address", "/api/address_login"}

every_route = pytest.mark.parametrize(
    "route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES]
)


def demanded_access(path: str) -> Access:
    if path.startswith("/admin/"):
        return Access.ADMIN
    if path in WITHOUT_CREDENTIAL:
        return Access.SITE
    if path.startswith("/api/"):
        return Access.ADDRESS
    if path.split("/")[1] in ("emails", "webhooks"):
        return Access.API_KEY
    if path.startswith("/external/"):
        return Access.SITE  # the credential is in the body
    return Access.OPEN


def test_the_endpoints_of_the_seed_page_exist() -> None:
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


def test_the_operations_of_resend_exist() -> None:
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
def test_a_route_has_the_access_rule_of_its_prefix(route: Route) -> None:
    assert area_of(route.path).access is demanded_access(route.path)


@every_route
def test_a_route_is_unique(route: Route) -> None:
    same = [other for other in ROUTES if other[:2] == route[:2]]
    assert same == [route]
    assert match(route.path).routes[route.method] == route


@every_route
def test_a_route_is_in_the_area_of_its_whole_path(route: Route) -> None:
    # application.py looks up the area of the requested path, not of its pattern.
    for value in ("4711", "new_address", "{id}", ""):
        called = re.sub(r"\{\w+\}", value, route.path)
        assert area_of(called) == area_of(route.path)


@every_route
def test_only_the_operations_of_resend_have_its_errors(route: Route) -> None:
    is_of_resend = route.path.split("/")[1] in ("emails", "webhooks")
    assert area_of(route.path).has_resend_errors == is_of_resend


@pytest.mark.parametrize(
    ("path", "access"),
    [
        ("/", Access.SITE),
        ("/unknown", Access.SITE),
        ("/admin", Access.SITE),
        ("/admin/", Access.ADMIN),
        ("/admin/unknown", Access.ADMIN),
        ("/api/unknown", Access.ADDRESS),
        ("/api/new_address/", Access.ADDRESS),
        ("/api/new_addresses", Access.ADDRESS),
        ("/emails/batch/unknown", Access.API_KEY),
        ("/emailsx", Access.SITE),
        ("/health_check/", Access.SITE),
        ("/open_api/unknown", Access.OPEN),
    ],
)
def test_an_unknown_path_has_the_access_rule_of_its_area(path: str, access: Access) -> None:
    assert match(path).routes == {}
    assert area_of(path).access is access


def test_no_area_hides_another_one() -> None:
    assert [area for area in AREAS if area_of(area.prefix) != area] == []


@every_route
def test_a_method_is_one_of_http(route: Route) -> None:
    assert route.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert route.method in METHODS


@every_route
def test_a_path_begins_and_does_not_end_with_a_slash(route: Route) -> None:
    assert route.path.startswith("/")
    assert not route.path.endswith("/")


@every_route
def test_a_segment_is_a_word_or_a_named_one(route: Route) -> None:
    segments = route.path.split("/")[1:]
    assert [s for s in segments if not re.fullmatch(r"[a-z_-]+|\{[a-z_]+\}", s)] == []
    assert len(set(names(route.path))) == len(names(route.path))


@every_route
def test_no_path_is_also_matched_by_another_pattern(route: Route) -> None:
    # A path without names comes first, so only patterns with names must differ.
    others = {other.path for other in ROUTES} - {route.path}
    rivals = [other for other in others if names(other) and names(route.path)]
    assert [other for other in rivals if overlap(route.path, other)] == []


@every_route
def test_a_handler_exists_and_reads_the_parameters_of_its_path(route: Route) -> None:
    handler = load_handler(route)
    assert inspect.iscoroutinefunction(handler)
    read = re.findall(r"context\.parameters\[\"(\w+)\"\]", inspect.getsource(handler))
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


@pytest.mark.parametrize(
    ("path", "pattern", "parameters"),
    [
        ("/api/sendbox", "/api/sendbox", {}),
        ("/api/Sendbox", None, {}),
        ("/api", None, {}),
        ("/api/sendbox/m1", "/api/sendbox/{id}", {"id": "m1"}),
        ("/api/sendbox/{id}", "/api/sendbox/{id}", {"id": "{id}"}),
        ("/api/other/m1", None, {}),
        ("/api/sendbox/m1/retry", "/api/sendbox/{id}/retry", {"id": "m1"}),
        ("/api/sendbox/m1/m2", None, {}),
        ("/emails/batch", "/emails/batch", {}),
        ("/emails/batches", "/emails/{id}", {"id": "batches"}),
    ],
)
def test_a_path_matches_whole_segments(
    path: str, pattern: str | None, parameters: dict[str, str]
) -> None:
    found = match(path)
    assert {route.path for route in found.routes.values()} == ({pattern} if pattern else set())
    assert found.parameters == parameters


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/emails/", "/emails"),
        ("/emails/batch/", "/emails/batch"),
        ("/emails/4711/", "/emails/4711"),
        ("/api/new_address/", "/api/new_address"),
        ("/", "/"),
        ("//", "//"),
        ("/emails", "/emails"),
        ("/admin/", "/admin/"),
        ("/admin/unknown/", "/admin/unknown/"),
        ("/admin/show_password/", "/admin/show_password/"),
        ("/health_check//", "/health_check//"),
    ],
)
def test_a_slash_at_the_end_is_left_out_if_there_are_routes_without_it(
    path: str, known: str
) -> None:
    assert known_path(path) == known
