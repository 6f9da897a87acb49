"""Deliveries of webhooks: what is written with a send, and how it reaches the receiver."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mail.delivery import DeliveryKind
from mail.webhook_events import EVENTS
from tests.api.delivery import event, sent_message
from tests.client import TestClient
from tests.client.receiver import Received, respond_with
from tests.e2e.api import DEPLOYMENT, Api, Sender

URL = "https://hooks.example.net/mail"
VARIABLES = {**DEPLOYMENT, "SUBREQUESTS": "10000"}


@pytest.fixture
def server() -> Iterator[TestClient]:
    with TestClient(VARIABLES) as running:
        yield running


@pytest.fixture
def api(server: TestClient) -> Api:
    return Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=10_000)


def listen(api: Api, address_id: int, *events: str, id: str = "w1", url: str = URL) -> None:
    api.server.sql(
        "INSERT INTO webhooks (id, address_id, endpoint, events, created_at)"
        " VALUES (?, ?, ?, ?, 0)",
        [id, address_id, url, json.dumps(events or EVENTS)],
    )


def received(api: Api) -> list[Received]:
    api.server.settle()
    found: list[Received] = api.server.receiver.received
    return found


def test_a_send_is_delivered(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    message = sent_message(api, sender, tags=[{"name": "kind", "value": "order"}])
    (one,) = received(api)
    assert one.type == "email.sent"
    assert one.url == URL
    assert one.data["email_id"] == message["id"]
    assert one.data["to"] == [message["to_mail"]]
    assert one.data["message_id"] == message["provider_message_id"]
    assert one.data["tags"] == {"kind": "order"}
    (row,) = api.server.sql("SELECT * FROM webhook_deliveries")
    assert (row["status"], row["attempt"], row["body"]) == ("success", 1, one.body)
    (attempt,) = api.server.sql("SELECT * FROM webhook_attempts")
    assert (attempt["code"], attempt["response"]) == (204, "thank you")


def test_no_delivery_has_the_content_of_a_mail(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    attachment = {"filename": "a-secret-name.txt", "content": "YS1zZWNyZXQtZmlsZQ=="}
    message = sent_message(
        api, sender, content="<p>a-secret-text</p>", is_html=True, attachments=[attachment]
    )
    kinds: tuple[DeliveryKind, ...] = ("delayed", "delivered", "bounced", "complained")
    api.server.deliver_events([event(kind, message) for kind in kinds])
    bodies = {one.type: one.body for one in received(api)}
    assert len(bodies) == 6
    rows = api.server.sql("SELECT * FROM webhook_deliveries")
    for secret in ("a-secret", "YS1zZWNyZXQ"):
        assert secret not in str(bodies)
        assert secret not in str(rows)


def test_delivery_events_are_delivered_once(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    message = sent_message(api, sender)
    bounced = event("bounced", message)
    api.server.deliver_events([bounced, bounced])
    api.server.deliver_events([bounced])
    types = [one.type for one in received(api)]
    assert sorted(types) == ["email.bounced", "email.sent", "suppression.added"]


def test_scheduled_and_cancelled_are_delivered(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    body = {"to_mail": "you@example.net", "subject": "Hi", "content": "x"}
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    found = api.post("/api/send_mail", {**body, "scheduled_at": later}, headers=sender.headers)
    assert found.status_code == 202, found.text
    api.server.settle()
    id_ = found.json()["id"]
    assert api.call("POST", f"/emails/{id_}/cancel", headers=sender.headers).status_code == 200
    api.server.run_cron()
    assert [one.type for one in received(api)] == ["email.scheduled", "email.cancelled"]
    assert received(api)[0].data["to"] == ["you@example.net"]
    assert "scheduled_at" in received(api)[0].data


def test_administrators_hear_of_all_addresses_and_others_of_their_own(
    api: Api, sender: Sender
) -> None:
    other = api.new_sender(balance=5)
    listen(api, 0, "email.sent")
    listen(api, other.address_id, id="w2", url=f"{URL}/other")
    sent_message(api, sender)
    assert [one.url for one in received(api)] == [URL]
    sent_message(api, other)
    assert sorted(one.url for one in received(api)[1:]) == [URL, f"{URL}/other"]


def test_a_failure_is_retried_with_the_same_bytes(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    api.server.receiver.respond = respond_with(500)
    sent_message(api, sender)
    for _ in range(40 * 60):
        api.server.advance(60)
        api.server.run_cron()
        if api.server.sql("SELECT 1 FROM webhook_deliveries WHERE status = 'failed'"):
            break
    api.server.settle()
    requests = received(api)
    assert len(requests) == 8
    assert len({(one.id, one.body) for one in requests}) == 1
    gaps = [(b.at - a.at) / 1000 for a, b in itertools.pairwise(requests)]
    for gap, seconds in zip(gaps, (5, 300, 1800, 7200, 18_000, 36_000, 36_000), strict=True):
        assert seconds <= gap <= seconds * 1.2 + 61


def test_a_hanging_endpoint_gets_four_at_once_and_holds_up_no_other(
    api: Api, sender: Sender
) -> None:
    listen(api, sender.address_id)
    other = api.new_sender(balance=5)
    listen(api, other.address_id, id="w2", url=f"{URL}/quick")

    async def respond(one: Received) -> tuple[int, str | None]:
        if one.url == URL:
            return await respond_with(200, seconds=100)(one)
        return 200, None

    api.server.receiver.respond = respond
    for _ in range(12):
        sent_message(api, sender)
    api.server.advance(3)
    sent_message(api, other)
    api.server.advance(2)
    assert [one.url for one in api.server.receiver.received].count(f"{URL}/quick") == 1
    api.server.advance(60)
    assert api.server.receiver.most_at_once[URL] == 4
    (attempt, *_) = api.server.sql("SELECT * FROM webhook_attempts WHERE webhook_id = 'w1'")
    assert attempt["error"] == "no response within 15 s"


def test_an_endpoint_that_is_no_longer_allowed_gets_no_request(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id, url="http://localhost:3000/")
    sent_message(api, sender)
    assert received(api) == []
    (attempt, *_) = api.server.sql("SELECT * FROM webhook_attempts")
    assert (attempt["code"], attempt["error"]) == (None, "invalid_endpoint")


def test_410_disables_the_webhook(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    api.server.receiver.respond = respond_with(410)
    sent_message(api, sender)
    assert len(received(api)) == 1
    (webhook,) = api.server.sql("SELECT disabled_by FROM webhooks")
    assert webhook["disabled_by"] == "gone"
    sent_message(api, sender)
    assert len(received(api)) == 1
    assert len(api.server.sql("SELECT 1 FROM webhook_deliveries")) == 1


def costs(api: Api, **fields: Any) -> tuple[int, int, int]:
    """Rows written, statements and round trips of a request that sends one mail."""
    sender = api.new_sender(balance=5)
    api.send(sender, to_mail="a@example.net")
    api.server.settle()
    before = len(api.server.database.statements)
    assert api.send(sender, to_mail="b@example.net", **fields).status_code in (200, 202)
    (line,) = [one for one in api.server.log_lines() if one["event"] == "request"][-1:]
    statements = len(api.server.database.statements) - before
    return line["d1_rows_written"], statements, line["d1_round_trips"]


@pytest.mark.parametrize("is_scheduled", [False, True])
def test_a_webhook_costs_a_send_only_the_row_of_its_delivery(
    api: Api, *, is_scheduled: bool
) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    fields = {"scheduled_at": later} if is_scheduled else {}
    without = costs(api, **fields)
    listen(api, 0, "email.bounced")
    assert costs(api, **fields) == without
    listen(api, 0, "email.sent", "email.scheduled", id="w2")
    rows, statements, round_trips = costs(api, **fields)
    assert (rows - 1, statements, round_trips) == without


def test_a_pause_is_reported_within_a_minute(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id, "address.paused")
    pause = "INSERT INTO send_pauses VALUES (?, 1, ?)"
    api.server.sql(pause, [sender.address_id, api.server.now()])
    api.server.run_cron()
    api.server.advance(5)
    (one,) = received(api)
    assert one.data == {"address": sender.address}


def test_each_listening_webhook_gets_its_own_delivery(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id, "email.delivered")
    listen(api, 0, "email.delivered", id="w2", url=f"{URL}/all")
    message = sent_message(api, sender)
    api.server.deliver_events([event("delivered", message), event("delayed", message)])
    assert sorted(one.url for one in received(api)) == [URL, f"{URL}/all"]


def test_a_sent_message_is_reported_once(api: Api, sender: Sender) -> None:
    """Even if delivery events correct its outcome, and correct it back."""
    listen(api, sender.address_id)
    message = sent_message(api, sender, subject="[take] [no code]")
    kinds: tuple[DeliveryKind, ...] = ("delayed", "failed", "delivered")
    for kind in kinds:
        api.server.deliver_events([event(kind, message)])
        api.server.advance(1)
    types = [one.type for one in received(api)]
    history = [row["kind"] for row in api.server.sql("SELECT kind FROM events ORDER BY sequence")]
    assert history == ["unknown", "sent", "failed", "sent"]
    assert types.count("email.sent") == 1


def test_a_body_that_cannot_be_made_holds_up_no_other(api: Api, sender: Sender) -> None:
    listen(api, sender.address_id)
    api.server.sql(
        "INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)"
        " VALUES ('w1', 'd0', 'email.sent', 1, '{}', 1)"
    )
    sent_message(api, sender)
    assert [one.type for one in received(api)] == ["email.sent"]
    (broken,) = api.server.sql("SELECT * FROM webhook_deliveries WHERE id = 'd0'")
    assert (broken["status"], broken["facts"]) == ("failed", "{}")
    (attempt,) = api.server.sql("SELECT * FROM webhook_attempts WHERE delivery_id = 'd0'")
    assert attempt["error"] == "the body could not be made"
    (webhook,) = api.server.sql("SELECT * FROM webhooks")
    assert webhook["failing_since"] is None


def test_an_error_with_half_a_character_is_recorded(api: Api, sender: Sender) -> None:
    async def fail(_: Received) -> tuple[int, str | None]:
        raise RuntimeError("lost \ud83d connection")

    listen(api, sender.address_id)
    api.server.receiver.respond = fail
    sent_message(api, sender)
    received(api)
    attempts = api.server.sql("SELECT DISTINCT error FROM webhook_attempts")
    assert attempts == [{"error": "lost ? connection"}]
    tested = api.post("/webhooks/w1/test", {}, headers=sender.headers)
    assert (tested.status_code, tested.json()["error"]) == (200, "lost ? connection")
