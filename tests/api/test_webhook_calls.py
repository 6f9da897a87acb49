"""The daily limit of the calls with which owners create, change, test and replay webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.delivery import sent_message
from tests.api.test_webhooks import URL, Owner, code, received
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender

MOST = 8
OVER = (
    "An address can create, change, test and replay webhooks 8 times a day, please try again after "
    "midnight UTC"
)


@pytest.fixture
def api() -> Iterator[Api]:
    limits = {"MAX_WEBHOOK_CALLS_PER_DAY": str(MOST), "SUBREQUESTS": "10000"}
    with TestClient({**DEPLOYMENT, **limits}) as running:
        yield Api(running)


def owner_of(api: Api, sender: Sender) -> Owner:
    return Owner(api, "/webhooks", sender.headers)


def counted(api: Api) -> list[int]:
    sql = "SELECT count FROM daily_counts WHERE act = 'webhook_calls' ORDER BY day, subject"
    return [row["count"] for row in api.server.sql(sql)]


CALLS: dict[str, Callable[[Owner, str, str], Any]] = {
    "create": lambda owner, _, __: owner.try_(
        "POST", "", {"endpoint": URL, "events": ["email.sent"]}
    ),
    "change": lambda owner, path, _: owner.try_("PATCH", path, {"status": "disabled"}),
    "secret": lambda owner, path, _: owner.try_("POST", f"{path}/rotate_secret"),
    "signing-secret": lambda owner, path, _: owner.try_("POST", f"{path}/signing-secret/rotate"),
    "test": lambda owner, path, _: owner.try_("POST", f"{path}/test", {"type": "email.sent"}),
    "replay": lambda owner, path, id: owner.try_("POST", f"{path}/deliveries/{id}/replay"),
    "replay of an event": lambda owner, path, id: owner.try_("POST", f"{path}/events/{id}/replay"),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_call_counts_until_the_limit_of_the_day(api: Api, name: str) -> None:
    sender, other = api.new_sender(balance=9), api.new_sender(balance=9)
    owner = owner_of(api, sender)
    path = f"/{owner.create()['id']}"
    sent_message(api, sender)
    received(api)
    (delivery,) = owner.call("GET", f"{path}/deliveries")["results"]

    def call(of: Owner) -> Any:
        return CALLS[name](of, path, delivery["id"])

    assert call(owner).status_code == 200
    assert counted(api) == [2]
    api.server.sql("UPDATE daily_counts SET count = ?", [MOST])
    requests, rows = len(received(api)), api.server.sql("SELECT count(*) AS n FROM audit")
    over = call(owner)
    assert code(over) == (429, "too_many_webhook_calls")
    assert over.json()["message"] == OVER
    seconds = 86_400 - api.server.now() // 1000 % 86_400
    assert abs(int(over.headers["Retry-After"]) - seconds) <= 1
    assert len(received(api)) == requests
    assert api.server.sql("SELECT count(*) AS n FROM audit") == rows
    assert counted(api) == [MOST]
    # Another address, administrators, and the next day have their own counts.
    owner_of(api, other).create()
    assert sorted(counted(api)) == [1, MOST]
    api.server.advance(86_400)
    assert call(owner).status_code == 200
    assert sorted(counted(api)) == [1, 1, MOST]


def test_reading_and_removing_never_count(api: Api) -> None:
    owner = owner_of(api, api.new_sender())
    path = f"/{owner.create()['id']}"
    api.server.sql("UPDATE daily_counts SET count = ?", [MOST])
    for read in ("", path, f"{path}/deliveries"):
        owner.call("GET", read)
    assert owner.call("DELETE", path)["deleted"] is True
    assert counted(api) == [MOST]


def test_administrators_have_no_limit(api: Api) -> None:
    owner = Owner(api, "/admin/webhooks", {"x-admin-auth": ADMIN_PASSWORD})
    path = f"/{owner.create()['id']}"
    for _ in range(MOST + 1):
        owner.call("POST", f"{path}/rotate_secret")
    assert counted(api) == []


def test_a_replaced_credential_uses_up_nothing(api: Api) -> None:
    sender = api.new_sender()
    owner = owner_of(api, sender)
    assert api.post("/api/rotate_credential", None, headers=sender.headers).status_code == 200
    response = owner.try_("POST", "", {"endpoint": URL, "events": ["email.sent"]})
    assert code(response) == (401, "invalid_credential")
    assert counted(api) == []


def test_without_a_limit_nothing_is_counted() -> None:
    with TestClient({**DEPLOYMENT, "MAX_WEBHOOK_CALLS_PER_DAY": "0"}) as server:
        api = Api(server)
        owner_of(api, api.new_sender()).create()
        assert counted(api) == []


@pytest.mark.parametrize(
    ("given", "is_changed"),
    [
        ({}, False),
        ({"status": "enabled"}, False),
        ({"endpoint": URL}, False),
        ({"events": ["email.bounced", "email.sent"]}, False),
        ({"status": "disabled"}, True),
        ({"endpoint": URL + "2"}, True),
        ({"events": ["email.sent"]}, True),
    ],
)
def test_a_request_that_changes_nothing_writes_no_audit_row(
    api: Api, given: dict[str, Any], is_changed: bool
) -> None:
    owner = owner_of(api, api.new_sender())
    path = f"/{owner.create()['id']}"
    for _ in range(2):  # the second request changes nothing
        owner.call("PATCH", path, given)
    rows = api.server.sql("SELECT 1 FROM audit WHERE action = 'webhook.updated'")
    assert len(rows) == int(is_changed)
