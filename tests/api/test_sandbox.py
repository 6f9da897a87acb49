"""Sandbox recipients: each outcome with its history, without a mail and without a charge."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.client.ports import UnlimitedMemory
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem

SUPPRESSED = "E_RECIPIENT_SUPPRESSED"
BUSY = "E_RATE_LIMIT_EXCEEDED"


def wait_for_history(api: Api, sender: Sender, message_id: str, *events: str) -> dict[str, Any]:
    """Wait until the history has ``accepted`` and then exactly these events; return the message."""

    def has_events() -> bool:
        history = api.message(sender, message_id)["history"]
        return [event["event"] for event in history] == ["accepted", *events]

    api.server.wait_until(has_events, 45)
    return api.message(sender, message_id)


@pytest.mark.parametrize(
    ("recipient", "events", "status"),
    [
        ("delivered@test.invalid", ("sent", "delivered"), "delivered"),
        ("delivered+user1@test.invalid", ("sent", "delivered"), "delivered"),
        ("bounced@test.invalid", ("sent", "bounced"), "bounced"),
        ("complained@test.invalid", ("sent", "delivered", "complained"), "complained"),
    ],
)
def test_delivery_events_follow_sending(
    api: Api, recipient: str, events: tuple[str, ...], status: str
) -> None:
    sender = api.new_sender(balance=0)
    response = api.send(sender, to_mail=recipient)
    assert (response.status_code, response.json()["status"]) == (200, "ok"), response.text
    message = wait_for_history(api, sender, response.json()["id"], *events)
    assert message["status"] == "sent"
    assert [(to["address"], to["status"]) for to in message["recipients"]] == [(recipient, status)]
    assert message["history"][-1]["recipient"] == recipient
    assert api.sent_by(sender) == []


def test_suppressed_is_a_rejection(api: Api) -> None:
    sender = api.new_sender(balance=0)
    response = api.send(sender, to_mail="suppressed@test.invalid")
    detail = "The recipient is on the mail provider's suppression list"
    problem = check_problem(response, 502, SUPPRESSED, detail)
    message = wait_for_history(api, sender, problem["id"], "failed")
    assert (message["status"], message["code"]) == ("failed", SUPPRESSED)


def test_ratelimited_is_sent_at_the_second_attempt(api: Api) -> None:
    sender = api.new_sender(balance=0)
    response = api.send(sender, to_mail="ratelimited@test.invalid")
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    message_id = response.json()["id"]
    wait_for_history(api, sender, message_id, "deferred")
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [message_id])
    api.server.run_cron()
    wait_for_history(api, sender, message_id, "deferred", "sent", "delivered")


def test_slow_is_unknown_first_and_sent_later(api: Api) -> None:
    sender = api.new_sender(balance=0)
    sending = api.server.start(*send_call(sender, to_mail="slow@test.invalid"))
    api.server.advance(1)
    assert [row["status"] for row in api.messages_of(sender)] == ["sending"]
    response = sending.response()
    assert (response.status_code, response.json()["code"]) == (502, "outcome_unknown")
    wait_for_history(api, sender, response.json()["id"], "unknown", "sent", "delivered")


def seconds_between(message: dict[str, Any], first: str, second: str) -> float:
    times = {event["event"]: event["at"] for event in message["history"]}
    began, ended = (datetime.fromisoformat(times[event]) for event in (first, second))
    return (ended - began).total_seconds()


def test_slow_waits_for_its_late_response_only_if_a_caller_waits(api: Api) -> None:
    sender = api.new_sender(balance=0)
    at = datetime.fromtimestamp(api.server.now() / 1000 + 300, UTC).isoformat()
    sent = api.send(sender, to_mail="slow@test.invalid").json()["id"]
    queued = [
        api.send(sender, to_mail="slow@test.invalid", scheduled_at=at).json()["id"]
        for _ in range(3)
    ]
    sent = wait_for_history(api, sender, sent, "unknown", "sent", "delivered")
    assert seconds_between(sent, "unknown", "sent") >= 5
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE status = 'scheduled'")
    api.server.run_cron()
    for message_id in queued:
        message = wait_for_history(api, sender, message_id, "unknown", "sent", "delivered")
        assert seconds_between(message, "unknown", "sent") < 1


def test_large_free_messages_do_not_wait(api: Api) -> None:
    # They would keep the memory that others need for large bodies.
    sender = api.new_sender(balance=0)
    for size, least, most in ((1_000, 30, 31), (70_000, 0, 1)):
        response = api.send(sender, to_mail="slow@test.invalid", content="x" * size)
        assert response.json()["code"] == "outcome_unknown"
        message_id = response.json()["id"]
        message = wait_for_history(api, sender, message_id, "unknown", "sent", "delivered")
        assert least <= seconds_between(message, "accepted", "unknown") <= most


def test_free_messages_that_wait_keep_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    monkeypatch.setattr(UnlimitedMemory, "keep", lambda _, size: kept.append(size))
    with TestClient(DEPLOYMENT) as alone:  # in the shared deployment, messages of others wait too
        api = Api(alone)
        sender = api.new_sender()
        api.send(sender, to_mail="slow@test.invalid")
        assert kept == [0]
        api.send(sender)
        assert kept[1] > 0


def test_a_batch_of_free_messages_does_not_wait_if_it_is_large(api: Api) -> None:
    sender = api.new_sender(balance=0)
    for size, least, most in ((1_000, 30, 31), (40_000, 0, 1)):
        email = {
            "from": sender.address,
            "to": "slow@test.invalid",
            "subject": "s",
            "text": "x" * size,
        }
        before = api.server.now()
        response = api.post("/emails/batch", [email] * 2, headers=sender.headers)
        assert response.status_code == 200, response.text
        assert least * 1000 <= api.server.now() - before <= most * 1000


def test_sandbox_messages_are_free_and_count_towards_no_limit(api: Api) -> None:
    sender = api.new_sender(balance=1)
    counted = "SELECT coalesce(sum(recipients), 0) AS n FROM daily_recipients"
    before = api.server.sql(counted)
    for word in ("delivered", "suppressed"):
        api.send(sender, to_mail=f"{word}@test.invalid")
    assert api.server.sql(counted) == before
    assert api.balance(sender) == 1


def test_sandbox_recipients_are_not_mixed_with_others(api: Api) -> None:
    sender = api.new_sender(balance=5)
    response = api.send(sender, to=["delivered@test.invalid"])
    assert response.status_code == 400
    assert api.messages_of(sender) == []


def test_unknown_sandbox_recipients_are_rejected(api: Api) -> None:
    sender = api.new_sender(balance=5)
    assert api.send(sender, to_mail="someone@test.invalid").status_code == 400
