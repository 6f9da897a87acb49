"""The limit for clients holds on exactly the routes that the table says."""

import re
from collections.abc import Iterator

import pytest

from routes import ROUTES, Route
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api

LIMITED = {
    "/api/new_address",
    "/api/address_login",
    "/open_api/credential_login",
    "/open_api/site_login",
    "/open_api/admin_login",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Api]:
    """A deployment that admits one call per minute, path and client."""
    with TestClient(DEPLOYMENT, rate_limit=1) as running:
        yield Api(running)


@pytest.mark.parametrize("route", ROUTES, ids=[f"{one.method} {one.path}" for one in ROUTES])
def test_only_the_routes_without_a_credential_are_limited(strict: Api, route: Route) -> None:
    headers = {"x-admin-auth": ADMIN_PASSWORD, "cf-connecting-ip": "192.0.2.1"}
    path = re.sub(r"\{\w+\}", "1", route.path)
    calls = [strict.call(route.method, path, json={}, headers=headers) for _ in range(3)]
    are_limited = [call.json()["code"] == "client_rate_exceeded" for call in calls if not call.ok]
    assert any(are_limited) is (route.path in LIMITED), [call.text for call in calls]
