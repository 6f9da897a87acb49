"""Webhooks by HTTP: who may see and change them, their limits, secrets, log and removal."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.api.delivery import sent_message
from tests.client import TestClient
from tests.client.receiver import Received, respond_with
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender

URL = "https://hooks.example.net/mail?token=a-token"
EVENTS = ["email.sent", "email.bounced"]
DAY = 86_400


@pytest.fixture
def server() -> Iterator[TestClient]:
    with TestClient({**DEPLOYMENT, "SUBREQUESTS": "10000"}) as running:
        yield running


@pytest.fixture
def api(server: TestClient) -> Api:
    return Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=1000)


class Owner:
    """An address or the administrators, and the path of their webhooks."""

    def __init__(self, api: Api, path: str, headers: dict[str, str]) -> None:
        self.api, self.path, self.headers = api, path, headers

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        """The body of the response, which is no error."""
        response = self.try_(method, path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def try_(self, method: str, path: str = "", body: Any = None) -> Any:
        return self.api.call(method, self.path + path, json=body, headers=self.headers)

    def create(self, **fields: Any) -> Any:
        return self.call("POST", "", {"endpoint": URL, "events": EVENTS, **fields})


@pytest.fixture(params=["address", "administrators"])
def owner(request: pytest.FixtureRequest, api: Api, sender: Sender) -> Owner:
    if request.param == "address":
        return Owner(api, "/webhooks", sender.headers)
    return Owner(api, "/admin/webhooks", {"x-admin-auth": ADMIN_PASSWORD})


def received(api: Api) -> list[Received]:
    api.server.settle()
    found: list[Received] = api.server.receiver.received
    return found


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.contract("POST /webhooks: Creates a webhook, and returns its secret")
@pytest.mark.contract("GET /webhooks: Lists the webhooks of the owner")
@pytest.mark.contract("GET /webhooks/{id}: Returns the webhook with its secret")
@pytest.mark.contract("PATCH /webhooks/{id}: Changes the endpoint, the events or the status")
@pytest.mark.contract("DELETE /webhooks/{id}: Removes the webhook")
@pytest.mark.contract("POST /admin/webhooks: Creates a webhook, and returns its secret")
@pytest.mark.contract("GET /admin/webhooks: Lists the webhooks of the owner")
@pytest.mark.contract("GET /admin/webhooks/{id}: Returns the webhook with its secret")
@pytest.mark.contract("PATCH /admin/webhooks/{id}: Changes the endpoint, the events or the status")
@pytest.mark.contract("DELETE /admin/webhooks/{id}: Removes the webhook")
def test_a_webhook_is_created_shown_changed_and_removed(api: Api, owner: Owner) -> None:
    created = owner.create()
    assert created["object"] == "webhook"
    assert created["signing_secret"].startswith("whsec_")
    path = f"/{created['id']}"
    shown = owner.call("GET", path)
    assert shown["signing_secret"] == created["signing_secret"]
    assert (shown["endpoint"], shown["events"], shown["status"]) == (URL, EVENTS, "enabled")
    (listed,) = owner.call("GET")["data"]
    assert "signing_secret" not in listed
    assert listed.items() <= shown.items()
    change = {"endpoint": "https://b.example.net/", "events": ["email.failed"]}
    assert owner.call("PATCH", path, {**change, "status": "disabled"})["id"] == created["id"]
    shown = owner.call("GET", path)
    assert change.items() <= shown.items()
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "owner")
    assert owner.call("DELETE", path) == {
        "object": "webhook",
        "id": created["id"],
        "deleted": True,
    }
    assert owner.call("GET")["data"] == []
    for method in ("GET", "DELETE"):
        assert code(owner.try_(method, path)) == (404, "webhook_not_found")
    actions = [row["action"] for row in api.server.sql("SELECT action FROM audit ORDER BY id")]
    assert actions[-3:] == ["webhook.created", "webhook.updated", "webhook.removed"]


@pytest.mark.contract("POST /webhooks/{id}/rotate_secret: Only the owner replaces the secret")
@pytest.mark.contract("GET /webhooks/{id}/deliveries: Only the owner sees the deliveries")
@pytest.mark.contract("POST /admin/webhooks/{id}/rotate_secret: Only the owner replaces the secret")
@pytest.mark.contract("GET /admin/webhooks/{id}/deliveries: Only the owner sees the deliveries")
def test_a_webhook_of_another_owner_is_not_found(api: Api, owner: Owner, sender: Sender) -> None:
    id_ = owner.create()["id"]
    stranger = Owner(api, "/webhooks", api.new_sender().headers)
    others = [stranger, Owner(api, "/webhooks", sender.headers)]
    others += [Owner(api, "/admin/webhooks", {"x-admin-auth": ADMIN_PASSWORD})]
    for other in others:
        if other.path == owner.path and other.headers == owner.headers:
            continue
        assert other.call("GET")["data"] == []
        paths = ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate_secret")
        for method, path in (*paths, ("POST", "/test"), ("GET", "/deliveries")):
            body = {"status": "disabled"} if method == "PATCH" else None
            assert code(other.try_(method, f"/{id_}{path}", body)) == (404, "webhook_not_found")
    assert owner.call("GET", f"/{id_}")["status"] == "enabled"
    assert api.server.receiver.received == []


def test_the_number_of_webhooks_is_limited(owner: Owner) -> None:
    most = 10 if owner.path == "/webhooks" else 20
    ids = [owner.create()["id"] for _ in range(most)]
    body = {"endpoint": URL, "events": EVENTS}
    assert code(owner.try_("POST", "", body)) == (400, "too_many_webhooks")
    owner.call("DELETE", f"/{ids[0]}")
    owner.create()
    first = owner.call("GET", "?limit=6")
    assert (first["has_more"], len(first["data"])) == (True, 6)
    rest = owner.call("GET", f"?limit=100&after={first['data'][-1]['id']}")
    assert (rest["has_more"], len(rest["data"])) == (False, most - 6)
    back = owner.call("GET", f"?limit=6&before={rest['data'][0]['id']}")
    assert back["data"] == first["data"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"endpoint": "http://hooks.example.net"}, "invalid_endpoint"),
        ({"endpoint": "https://10.0.0.1/"}, "invalid_endpoint"),
        ({"endpoint": None}, "required_field_missing"),
        ({"events": []}, "required_field_missing"),
        ({"events": None}, "required_field_missing"),
        ({"events": ["email.opened"]}, "invalid_input"),
        ({"events": "email.sent"}, "invalid_input"),
    ],
)
def test_an_invalid_webhook_is_rejected(owner: Owner, fields: Any, expected: str) -> None:
    response = owner.try_("POST", "", {"endpoint": URL, "events": EVENTS, **fields})
    assert response.status_code in (400, 422)
    assert response.json()["code"] == expected
    if owner.path == "/webhooks":
        assert {"statusCode", "name", "message"} <= response.json().keys()


@pytest.mark.contract("POST /webhooks/{id}/test: Returns the response to an example")
@pytest.mark.contract("POST /admin/webhooks/{id}/test: Returns the response to an example")
def test_a_test_shows_what_came_back_and_is_signed(api: Api, owner: Owner) -> None:
    created = owner.create()
    api.server.receiver.text = "no, thank you " * 200
    api.server.receiver.respond = respond_with(418)
    found = owner.call("POST", f"/{created['id']}/test", {"type": "email.bounced"})
    assert (found["success"], found["status_code"]) == (False, 418)
    assert len(found["response"]) == 1024
    (one,) = received(api)
    assert json.loads(one.body) == found["payload"]
    assert one.type == "email.bounced"
    assert one.headers["webhook-id"] == one.headers["svix-id"]
    assert api.server.sql("SELECT 1 FROM webhook_deliveries") == []

    async def fail(one: Received) -> tuple[int, str | None]:
        raise OSError("connection refused")

    api.server.receiver.respond = fail
    found = owner.call("POST", f"/{created['id']}/test")
    assert (found["status_code"], found["error"]) == (None, "connection refused")


@pytest.mark.contract("POST /webhooks/{id}/signing-secret/rotate: Both secrets sign for a day")
def test_after_a_rotation_both_secrets_verify_for_a_day(api: Api, sender: Sender) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    created = owner.create()
    old = Webhook(created["signing_secret"])
    new = Webhook(owner.call("POST", f"/{created['id']}/rotate_secret")["signing_secret"])
    shown = owner.call("GET", f"/{created['id']}")
    assert shown["signing_secret"] != created["signing_secret"]
    test = f"/{created['id']}/test"
    sent_message(api, sender)
    received(api)
    owner.call("POST", test)
    api.server.advance(DAY + 1)
    sent_message(api, sender)
    received(api)
    owner.call("POST", test)
    for one, count in zip(received(api), (2, 2, 1, 1), strict=True):
        headers = one.headers | {"webhook-timestamp": one.headers["svix-timestamp"]}
        assert len(headers["webhook-signature"].split(" ")) == count
    first, first_test, *_ = received(api)
    for secret in (old, new):
        assert secret.verify(first.body, first.headers)
        assert secret.verify(first_test.body, first_test.headers)


def test_secrets_and_tokens_are_in_no_row_and_no_log(api: Api, owner: Owner) -> None:
    created = owner.create()
    owner.call("POST", f"/{created['id']}/rotate_secret")
    owner.call("POST", f"/{created['id']}/test")
    secret = created["signing_secret"].removeprefix("whsec_")
    for table, rows in api.server.database.dump().items():
        assert secret not in str(rows)
        assert table == "webhooks" or "a-token" not in str(rows)
    assert secret not in api.server.log_text
    assert "a-token" not in api.server.log_text


@pytest.mark.contract(
    "POST /webhooks/{id}/deliveries/{delivery}/replay: Sends the same id and body again"
)
@pytest.mark.contract(
    "POST /admin/webhooks/{id}/deliveries/{delivery}/replay: Sends the same id and body again"
)
@pytest.mark.contract("POST /webhooks/{id}/events/{event}/replay: Sends the same id and body again")
@pytest.mark.contract("GET /webhooks/{id}/events: Lists the deliveries")
@pytest.mark.contract("GET /webhooks/{id}/events/{event}: Returns the delivery with its body")
@pytest.mark.contract(
    "GET /webhooks/{id}/events/{event}/attempts: Lists the attempts, newest first"
)
def test_the_log_shows_attempts_and_replays(api: Api, sender: Sender) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    path = f"/{owner.create()['id']}"
    api.server.receiver.respond = respond_with(410)
    sent_message(api, sender)
    (first,) = received(api)
    (delivery,) = owner.call("GET", f"{path}/deliveries?status=failed")["results"]
    assert (delivery["id"], delivery["type"], delivery["status"]) == (
        *(first.id, "email.sent", "failed"),
    )
    (attempt,) = delivery["attempts"]
    assert (attempt["number"], attempt["status_code"]) == (1, 410)
    assert owner.call("GET", f"{path}/deliveries?status=success")["results"] == []
    (same,) = owner.call("GET", f"{path}/deliveries?status=failed&type=email.sent")["results"]
    assert same == delivery
    assert owner.call("GET", f"{path}/deliveries?type=email.bounced")["results"] == []
    assert code(owner.try_("GET", f"{path}/deliveries?status=gone")) == (400, "invalid_status")
    assert code(owner.try_("GET", f"{path}/deliveries?type=gone")) == (400, "invalid_type")
    replay = f"{path}/deliveries/{delivery['id']}/replay"
    assert code(owner.try_("POST", replay)) == (409, "webhook_disabled")
    owner.call("PATCH", path, {"status": "enabled"})
    api.server.receiver.respond = respond_with(200)
    assert owner.call("POST", replay) == {"object": "webhook_event", "id": delivery["id"]}
    first, second = received(api)
    assert (first.id, first.body) == (second.id, second.body)
    event = f"{path}/events/{delivery['id']}"
    assert owner.call("GET", event)["payload"] == json.loads(first.body)
    assert owner.call("GET", event)["status"] == "success"
    attempts = owner.call("GET", f"{event}/attempts")["data"]
    assert [one["http_status_code"] for one in attempts] == [200, 410]
    assert owner.call("GET", f"{event}/attempts?limit=1")["has_more"] is True
    owner.call("POST", f"{path}/rotate_secret")
    rows = api.server.sql("SELECT action FROM audit WHERE object = ? ORDER BY id", [path[1:]])
    actions = ("created", "updated", "delivery_replayed", "secret_rotated")
    assert [row["action"] for row in rows] == [f"webhook.{action}" for action in actions]
    unknown = owner.try_("POST", f"{path}/deliveries/unknown/replay")
    assert code(unknown) == (404, "webhook_delivery_not_found")


def test_a_page_of_deliveries_has_a_cursor(api: Api, sender: Sender) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    path = f"/{owner.create()['id']}/deliveries"
    for _ in range(5):
        sent_message(api, sender)
    api.server.settle()
    first = owner.call("GET", f"{path}?limit=3")
    rest = owner.call("GET", f"{path}?limit=3&cursor={first['next_cursor']}")
    assert rest["next_cursor"] is None
    ids = [one["id"] for one in first["results"] + rest["results"]]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


@pytest.mark.contract("GET /admin/webhooks/disabled: Lists the disabled webhooks of all owners")
def test_an_endpoint_that_fails_for_three_days_is_disabled(api: Api, sender: Sender) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    path = f"/{owner.create()['id']}"
    api.server.receiver.respond = respond_with(500)
    for _ in range(4 * 24):
        sent_message(api, sender)
        api.server.advance(3600)
        api.server.run_cron()
    shown = owner.call("GET", path)
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "failing")
    listed = api.admin("GET", "/admin/webhooks/disabled").json()["results"]
    assert [(one["id"], one["address"]) for one in listed] == [(path[1:], sender.address)]
    for _ in range(3):
        api.server.run_cron()
    left = api.server.sql("SELECT DISTINCT status FROM webhook_deliveries")
    assert [row["status"] for row in left] == ["failed"]
    count = len(received(api))
    api.server.advance(2 * DAY)
    api.server.run_cron()
    assert len(received(api)) == count
    owner.call("PATCH", path, {"status": "enabled"})
    assert owner.call("GET", path)["failing_since"] is None


def test_bodies_are_removed_after_a_week_and_deliveries_after_a_month(
    api: Api, sender: Sender
) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    path = f"/{owner.create()['id']}"
    sent_message(api, sender)
    delivery = received(api)[0].id
    for days, has_body, exists in ((6, True, True), (2, False, True), (23, False, False)):
        api.server.advance(days * DAY)
        for _ in range(3):
            api.server.run_cron()
        response = owner.try_("GET", f"{path}/events/{delivery}")
        assert (response.status_code == 200) == exists
        assert not exists or (response.json()["payload"] is not None) == has_body
        if exists and not has_body:
            replayed = owner.try_("POST", f"{path}/events/{delivery}/replay")
            assert code(replayed) == (409, "webhook_body_removed")
    assert api.server.sql("SELECT 1 FROM webhook_attempts") == []


def test_the_webhooks_of_a_removed_address_are_removed(api: Api, sender: Sender) -> None:
    owner = Owner(api, "/webhooks", sender.headers)
    owner.create()
    api.server.receiver.respond = respond_with(500)
    sent_message(api, sender)
    api.server.settle()
    assert api.admin("DELETE", f"/admin/delete_address/{sender.address_id}").status_code == 200
    for _ in range(3):
        api.server.run_cron()
    assert api.server.sql("SELECT 1 FROM webhooks") == []
    assert api.server.sql("SELECT 1 FROM webhook_deliveries") == []
    assert api.server.sql("SELECT 1 FROM webhook_attempts") == []


def test_administrators_hear_of_suppressions_that_they_enter(api: Api) -> None:
    admin = Owner(api, "/admin/webhooks", {"x-admin-auth": ADMIN_PASSWORD})
    admin.create(events=["suppression.added", "suppression.removed"])
    body = {"address": "you@example.net"}
    for _ in range(2):  # the second one changes nothing
        assert api.admin("POST", "/admin/suppressions", json=body).status_code == 200
    path = "/admin/suppressions?address=you@example.net"
    assert api.admin("DELETE", path).status_code == 200
    api.server.run_cron()
    assert [one.type for one in received(api)] == ["suppression.added", "suppression.removed"]
    added, removed = (one.data for one in received(api))
    assert added["id"] == removed["id"]
    assert (added["email"], added["origin"]) == ("you@example.net", "manual")
