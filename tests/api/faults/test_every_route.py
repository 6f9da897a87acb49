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
# The other routes send mail, do not use the database, or report whether it responds. The hooks use
# it only if their signature is valid (test_transports.py).
OTHERS = {
    ("GET", "/health_check"),
    ("GET", "/open_api/settings"),
    ("GET", "/admin/domains/{domain}/dns"),
    ("POST", "/open_api/site_login"),
    ("POST", "/open_api/admin_login"),
    ("POST", "/admin/send_mail"),
    ("POST", "/admin/send_mail_by_binding"),
    ("POST", "/admin/transports/{name}/test"),
    ("POST", "/hooks/resend/{transport}"),
    ("POST", "/hooks/ses/{transport}"),
}
USED = [
    route for one in ROUTES if not one.sends and (route := (one.method, one.path)) not in OTHERS
]


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@dataclass
class Given:
    """A paused address with a sent message and a scheduled one."""

    sender: Sender
    sent: str
    scheduled: str
    webhook: str = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"
    delivery: str = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e80"
    email: str = field(default_factory=lambda: f"{unique_name()}@example.net")


Body = Callable[[Given], Any]
# The bodies of requests, by their routes. The others have none.
BODIES: dict[tuple[str, str], Body] = {
    ("POST", "/api/new_address"): lambda given: {"name": unique_name()},
    ("POST", "/api/address_login"): lambda given: {
        "email": given.sender.address,
        "password": PASSWORD,
    },
    ("POST", "/api/address_change_password"): lambda given: {
        "current_password": PASSWORD,
        "new_password": OTHER,
    },
    ("POST", "/open_api/credential_login"): lambda given: {"credential": given.sender.jwt},
    ("PATCH", "/emails/{id}"): lambda given: {"scheduled_at": in_days(3)},
    ("POST", "/admin/new_address"): lambda given: {
        "name": unique_name(),
        "domain": "example.com",
    },
    ("POST", "/admin/address/{id}/reset_password"): lambda given: {"password": PASSWORD},
    ("POST", "/admin/address_sender"): lambda given: {
        "address_id": given.sender.address_id,
        "balance": 7,
        "enabled": True,
    },
    ("POST", "/admin/account_settings"): lambda given: {"sendBlockList": [given.email]},
    ("POST", "/admin/suppressions"): lambda given: {"address": given.email},
    ("POST", "/admin/suppressions/import"): lambda given: {"csv": given.email},
}
for area in ("", "/admin"):
    BODIES[("POST", f"{area}/webhooks")] = lambda given: {
        "endpoint": "https://hooks.example.com",
        "events": ["email.sent"],
    }
    BODIES[("PATCH", f"{area}/webhooks/{{id}}")] = lambda given: {"events": ["email.bounced"]}
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
    given = Given(sender, sent, scheduled)
    if "webhooks" in route[1]:
        add_webhook(api, 0 if route[1].startswith("/admin") else sender.address_id, given)
    return given


def add_webhook(api: Api, address_id: int, given: Given) -> None:
    """Give an owner a webhook with a delivery that failed. There is no other webhook."""
    for table in ("webhooks", "webhook_deliveries"):
        api.server.sql(f"DELETE FROM {table}")
    api.server.sql(
        "INSERT INTO webhooks (id, address_id, endpoint, events, created_at)"
        " VALUES (?, ?, 'https://hooks.example.com/', '[]', 0)",
        [given.webhook, address_id],
    )
    api.server.sql(
        "INSERT INTO webhook_deliveries"
        " (webhook_id, id, type, status, body, created_at, finished_at)"
        " VALUES (?, ?, 'email.sent', 'failed', '{}', 0, 0)",
        [given.webhook, given.delivery],
    )


def request(api: Api, route: tuple[str, str], given: Given) -> requests.Response:
    method, path = route
    message = given.scheduled if route in OF_SCHEDULED else given.sent
    is_of_message = "/sendbox/" in path or path.startswith("/emails/")
    id_ = message if is_of_message else given.sender.address_id
    id_ = given.webhook if "/webhooks" in path else id_
    path = path.replace("{event}", given.delivery).replace("{delivery}", given.delivery)
    is_admin = path.startswith("/admin")
    headers = {"x-admin-auth": ADMIN_PASSWORD} if is_admin else given.sender.headers
    if route == ("DELETE", "/admin/suppressions"):
        path += f"?address={given.email}"
    if route == ("DELETE", "/admin/address_sender"):
        path += f"?id={given.sender.address_id}"
    body = BODIES[route](given) if route in BODIES else None
    return api.call(method, path.replace("{id}", str(id_)), json=body, headers=headers)


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


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("route", USED, ids=" ".join)
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
