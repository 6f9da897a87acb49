"""Scheduled messages: stored with all their fields, and sent once, at their time."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.api import Api, Sender


def now(api: Api) -> datetime:
    return datetime.fromtimestamp(api.server.now() / 1000, UTC)


def at(api: Api, **delta: float) -> str:
    return (now(api) + timedelta(**delta)).isoformat()


def wait_for_status(api: Api, sender: Sender, message_id: str, status: str) -> dict[str, Any]:
    api.server.wait_until(lambda: api.message(sender, message_id)["status"] == status, 20)
    return api.message(sender, message_id)


def test_a_scheduled_message_is_sent_unchanged_at_its_time(api: Api) -> None:
    sender = api.new_sender(balance=5)
    picture = bytes(range(256)) * 5000  # over a megabyte, so it has several parts
    due = now(api) + timedelta(seconds=3)
    response = api.send(
        sender,
        html="<p>Later</p>",
        reply_to="answers@example.org",
        headers={"X-Order": "42"},
        attachments=[
            {"filename": "a.bin", "content": base64.b64encode(picture).decode()},
            {"filename": "empty.txt", "content": ""},
        ],
        scheduled_at=due.isoformat(),
    )
    assert (response.status_code, response.json()["status"]) == (202, "scheduled"), response.text
    message_id = response.json()["id"]
    assert api.balance(sender) == 4
    assert api.sent_by(sender) == []
    message = wait_for_status(api, sender, message_id, "sent")
    sent_at = datetime.fromisoformat(message["finished_at"])
    assert timedelta() <= sent_at - due < timedelta(seconds=10)
    (mail,) = api.sent_by(sender)
    assert mail["headers"]["X-Order"] == "42"
    assert "answers@example.org" in str(mail["replyTo"])
    sizes = {file["filename"]: file["size"] for file in mail["attachments"]}
    assert sizes == {"a.bin": len(picture), "empty.txt": 0}
    assert api.server.sql(
        "SELECT count(*) AS n FROM attachment_parts WHERE message_id = ?", [message_id]
    ) == [{"n": 0}]
    assert [file["size"] for file in message["attachments"]] == [len(picture), 0]
    assert [event["event"] for event in message["history"]] == ["accepted", "sent"]


def test_the_cron_enqueues_messages_of_the_next_minute(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, scheduled_at=at(api, hours=1)).json()["id"]
    soon = api.server.now() + 2_000
    api.server.sql("UPDATE messages SET next_attempt_at = ? WHERE id = ?", [soon, message_id])
    api.server.run_cron()
    assert api.message(sender, message_id)["status"] == "scheduled"
    wait_for_status(api, sender, message_id, "sent")
    assert len(api.sent_by(sender)) == 1


def test_a_replay_has_the_current_status(api: Api) -> None:
    sender = api.new_sender(balance=5)
    fields = {"scheduled_at": at(api, hours=1)}
    first = api.send_with_key(sender, "later", **fields)
    again = api.send_with_key(sender, "later", **fields)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json() == {"status": "scheduled", "id": first.json()["id"]}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.balance(sender) == 4


def test_a_just_past_schedule_is_sent_at_once(api: Api) -> None:
    sender = api.new_sender(balance=5)
    assert api.send(sender, scheduled_at=at(api, seconds=-30)).status_code == 200


def test_invalid_schedules_are_rejected(api: Api) -> None:
    sender = api.new_sender(balance=5)
    for wrong in (at(api, minutes=-5), at(api, days=30, minutes=5), "in 1 hour", "2026-11-22", ""):
        response = api.send(sender, scheduled_at=wrong)
        assert response.status_code == 400, wrong
        assert [error["field"] for error in response.json()["errors"]] == ["scheduled_at"]
    assert api.messages_of(sender) == []
