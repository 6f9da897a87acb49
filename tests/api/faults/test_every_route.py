"""On every route, the first response of each batch is lost. The request succeeds, and acts once."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from routes import ROUTES
from store.database import Statement
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, mail, unique_name

PASSWORD, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"first", b"second"))
# These send mail, do not use the database, or report whether it responds.
WITHOUT = {
    ("GET", "/health_check"),
    ("GET", "/open_api/settings"),
    ("GET", "/admin/domains/{domain}/dns"),
    ("POST", "/open_api/site_login"),
    ("POST", "/open_api/admin_login"),
    *((route.method, route.path) for route in ROUTES if route.sends),
    ("POST", "/admin/send_mail"),
    ("POST", "/admin/send_mail_by_binding"),
}


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@dataclass
class Given:
    """A paused address with a sent message and a scheduled one."""

    sender: Sender
    sent: str
    scheduled: str
    email: str = field(default_factory=lambda: f"{unique_name()}@example.net")


Body = Callable[[Given], Any]
# The body of the request, by its route. None: there is no body.
REQUESTS: dict[tuple[str, str], Body] = {
    ("POST", "/api/new_address"): lambda given: {"name": unique_name()},
    ("POST", "/api/address_login"): lambda given: {
        "email": given.sender.address,
        "password": PASSWORD,
    },
    ("POST", "/api/address_change_password"): lambda given: {
        "current_password": PASSWORD,
        "new_password": OTHER,
    },
    ("POST", "/api/rotate_credential"): lambda given: None,
    ("POST", "/open_api/credential_login"): lambda given: {"credential": given.sender.jwt},
    ("GET", "/api/usage"): lambda given: None,
    ("GET", "/api/settings"): lambda given: None,
    ("POST", "/api/request_send_mail_access"): lambda given: None,
    ("GET", "/api/sendbox"): lambda given: None,
    ("GET", "/api/sendbox/{id}"): lambda given: None,
    ("DELETE", "/api/sendbox/{id}"): lambda given: None,
    ("DELETE", "/api/clear_sent_items"): lambda given: None,
    ("DELETE", "/api/delete_address"): lambda given: None,
    ("GET", "/emails"): lambda given: None,
    ("GET", "/emails/{id}"): lambda given: None,
    ("PATCH", "/emails/{id}"): lambda given: {"scheduled_at": in_days(3)},
    ("POST", "/emails/{id}/cancel"): lambda given: None,
    ("POST", "/admin/new_address"): lambda given: {
        "name": unique_name(),
        "domain": "example.com",
    },
    ("GET", "/admin/address"): lambda given: None,
    ("DELETE", "/admin/delete_address/{id}"): lambda given: None,
    ("GET", "/admin/show_password/{id}"): lambda given: None,
    ("POST", "/admin/address/{id}/reset_password"): lambda given: {"password": PASSWORD},
    ("DELETE", "/admin/clear_sent_items/{id}"): lambda given: None,
    ("GET", "/admin/address_sender"): lambda given: None,
    ("POST", "/admin/address_sender"): lambda given: {
        "address_id": given.sender.address_id,
        "balance": 7,
        "enabled": True,
    },
    ("DELETE", "/admin/address_sender"): lambda given: None,
    ("DELETE", "/admin/address_sender/{id}"): lambda given: None,
    ("GET", "/admin/account_settings"): lambda given: None,
    ("POST", "/admin/account_settings"): lambda given: {"sendBlockList": [given.email]},
    ("GET", "/admin/sendbox"): lambda given: None,
    ("GET", "/admin/sendbox/{id}"): lambda given: None,
    ("DELETE", "/admin/sendbox/{id}"): lambda given: None,
    ("GET", "/admin/domains"): lambda given: None,
    ("GET", "/admin/suppressions"): lambda given: None,
    ("POST", "/admin/suppressions"): lambda given: {"address": given.email},
    ("DELETE", "/admin/suppressions"): lambda given: None,
    ("POST", "/admin/suppressions/import"): lambda given: {"csv": given.email},
    ("GET", "/admin/suppressions/export"): lambda given: None,
    ("GET", "/admin/pauses"): lambda given: None,
    ("DELETE", "/admin/pauses/{id}"): lambda given: None,
    ("GET", "/admin/usage"): lambda given: None,
    ("GET", "/admin/audit"): lambda given: None,
}
WITH_PASSWORD = {("POST", "/api/address_login"), ("POST", "/api/address_change_password")}
OF_SCHEDULED = {("PATCH", "/emails/{id}"), ("POST", "/emails/{id}/cancel")}


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    variables = {
        **DEPLOYMENT,
        "ENABLE_ADDRESS_PASSWORD": "true",
        "ENABLE_USER_DELETE_EMAIL": "true",
        "PASSWORD_PEPPER": "a-pepper-of-the-tests-0123456789abcdef",
        "SUBREQUESTS": "10000",
    }
    with TestClient(variables) as running:
        yield Api(running)


def given_for(api: Api, route: tuple[str, str]) -> Given:
    sender = api.new_sender(balance=5)
    if route in WITH_PASSWORD:  # it takes some time
        reset = f"/admin/address/{sender.address_id}/reset_password"
        assert api.admin("POST", reset, json={"password": PASSWORD}).status_code == 200
    sent = api.send(sender).json()["id"]
    scheduled = api.post(
        "/api/send_mail", mail(scheduled_at=in_days(2)), headers=sender.headers
    ).json()["id"]
    pause = "INSERT INTO send_pauses VALUES (?, 1, 0)"
    api.server.sql(pause, [sender.address_id])
    return Given(sender, sent, scheduled)


def request(api: Api, route: tuple[str, str], given: Given) -> requests.Response:
    method, path = route
    is_of_address = path.startswith(("/admin/address", "/admin/delete", "/admin/clear"))
    is_of_address = is_of_address or path.startswith(("/admin/show", "/admin/pauses"))
    message = given.scheduled if route in OF_SCHEDULED else given.sent
    id_ = given.sender.address_id if is_of_address else message
    headers = {"x-admin-auth": ADMIN_PASSWORD} if path.startswith("/admin") else None
    headers = headers or given.sender.headers
    if route == ("DELETE", "/admin/suppressions"):
        path += f"?address={given.email}"
    if route == ("DELETE", "/admin/address_sender"):
        path += f"?id={given.sender.address_id}"
    return api.call(
        method, path.replace("{id}", str(id_)), json=REQUESTS[route](given), headers=headers
    )


class LosesFirst:
    """Loses the first response of each batch, before the batch runs or after it has run."""

    def __init__(self, when: str) -> None:
        self._when = when
        self.lost: list[str] = []

    def __call__(self, when: str, statements: list[Statement]) -> bool:
        batch = "".join(statement.sql for statement in statements)
        if when != self._when or batch in self.lost:
            return False
        self.lost.append(batch)
        return True


def test_every_route_has_a_request() -> None:
    assert {(route.method, route.path) for route in ROUTES} == WITHOUT | REQUESTS.keys()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("route", REQUESTS, ids=" ".join)
def test_a_lost_response_changes_nothing(own: Api, route: tuple[str, str], when: str) -> None:
    found = []
    for loses in (None, LosesFirst(when)):
        given = given_for(own, route)
        if route == ("DELETE", "/admin/suppressions"):
            own.admin("POST", "/admin/suppressions", json={"address": given.email})
        own.server.settle()
        before = own.server.sql("SELECT max(id) AS id FROM audit")[0]["id"]
        if loses:
            own.server.lose_responses = loses
        response = request(own, route, given)
        own.server.settle()
        own.server.lose_responses = lambda when, statements: False
        audited = own.server.sql("SELECT action FROM audit WHERE id > ?", [before])
        found.append((response.status_code, [row["action"] for row in audited]))
        assert not loses or loses.lost, "no batch"
    assert found[0] == found[1], response.text
    assert found[0][0] < 400, response.text
