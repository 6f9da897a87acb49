"""Requests to a restored database: nothing that was waiting or in flight is sent a second time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.calls import send_call
from tests.api.restored import backup
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem, unique_name

LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

every_way = pytest.mark.parametrize("has_texts", [True, False], ids=["time travel", "export"])


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient(DEPLOYMENT) as running:
        yield Api(running)


def restored(api: Api, *, has_texts: bool) -> Api:
    """A deployment on a restored backup of the database. The provider is the same."""
    database = backup(api.server.database, has_texts=has_texts)
    return Api(TestClient(DEPLOYMENT, database=database, beside=api.server))


@every_way
def test_the_key_of_a_message_that_was_in_flight_sends_no_second_mail(
    api: Api, has_texts: bool
) -> None:
    sender = api.new_sender(balance=5)
    fields = {"subject": "[wait 5000] in flight"}
    api.server.start(*send_call(sender, "key", **fields))
    api.server.advance(1)
    after = restored(api, has_texts=has_texts)
    api.server.advance(10)
    assert len(api.sent_by(sender)) == 1

    response = after.send_with_key(sender, "key", **fields)
    sentence = "A request with this Idempotency-Key is still in progress"
    check_problem(response, 409, "idempotency_in_flight", sentence)
    after.server.advance(130)  # until its lease has expired
    after.server.run_cron()
    response = after.send_with_key(sender, "key", **fields)
    assert (response.status_code, response.json()["message_status"]) == (502, "unknown")
    assert (after.balance(sender), len(api.sent_by(sender))) == (4, 1)


@every_way
def test_the_keys_of_sent_and_scheduled_messages_send_no_second_mail(
    api: Api, has_texts: bool
) -> None:
    sender = api.new_sender(balance=5)
    sent = api.send_with_key(sender, "sent")
    scheduled = api.send_with_key(sender, "scheduled", scheduled_at=LATER)
    after = restored(api, has_texts=has_texts)
    after.server.run_cron()
    again = after.send_with_key(sender, "sent")
    assert (again.status_code, again.json()) == (200, sent.json())
    again = after.send_with_key(sender, "scheduled", scheduled_at=LATER)
    expected = {"id": scheduled.json()["id"], "status": "unknown"}
    assert (again.status_code, again.json()) == (202, expected)
    after.server.advance(4000)
    after.server.run_cron()
    after.server.settle()
    assert (after.balance(sender), len(api.sent_by(sender))) == (3, 1)


def test_an_owner_can_send_a_message_again_if_its_text_was_restored(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, scheduled_at=LATER).json()["id"]
    path = f"/api/sendbox/{message_id}/retry"
    for has_texts in (True, False):
        after = restored(api, has_texts=has_texts)
        after.server.run_cron()
        response = after.post(path, headers=sender.headers)
        if has_texts:
            assert response.status_code == 200
        else:
            sentence = "The content of this message has been removed"
            check_problem(response, 409, "content_removed", sentence)
    assert len(api.sent_by(sender)) == 1


@every_way
def test_the_credential_of_a_lost_address_is_invalid(api: Api, has_texts: bool) -> None:
    api.new_sender()
    after = restored(api, has_texts=has_texts)
    name = unique_name()
    lost = api.post("/api/new_address", {"name": name}).json()
    new = after.post("/api/new_address", {"name": name}).json()
    assert new["address"] == lost["address"]
    assert new["address_id"] > lost["address_id"]
    for made, status in ((lost, 401), (new, 200)):
        headers = {"Authorization": f"Bearer {made['jwt']}"}
        assert after.get("/api/settings", headers=headers).status_code == status


@every_way
def test_the_search_finds_restored_messages(api: Api, has_texts: bool) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject="Pelican").json()["id"]
    api.server.advance(200)
    api.server.run_cron()
    after = restored(api, has_texts=has_texts)
    after.server.run_cron()
    found = after.get("/api/sendbox?q=pelican", headers=sender.headers).json()["results"]
    assert [row["id"] for row in found] == [message_id]
