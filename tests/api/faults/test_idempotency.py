"""One key, one message: a repeated request sends and charges nothing."""

from typing import Any

import pytest
import requests

from tests.api.calls import send_call
from tests.client.provider import ScriptedBinding
from tests.e2e.api import Api, Sender, check_problem, mail

PREFIX = "Failed to send mail "


@pytest.mark.parametrize(
    ("subject", "status", "mails", "balance"),
    [
        ("fine", 200, 1, 4),
        ("[E_RATE_LIMIT_EXCEEDED]", 202, 0, 4),
        ("[E_DELIVERY_FAILED]", 502, 0, 5),
        ("[no code]", 502, 0, 4),
        ("[take] [no code]", 502, 1, 4),
    ],
)
def test_a_replay_returns_the_first_response(
    api: Api, provider: ScriptedBinding, subject: str, status: int, mails: int, balance: int
) -> None:
    sender = api.new_sender(balance=5)
    first = api.send_with_key(sender, "one", subject=subject)
    assert first.status_code == status
    assert "Idempotent-Replayed" not in first.headers
    for path in ("/api/send_mail", "/external/api/send_mail"):
        headers = {**sender.headers, "Idempotency-Key": "one"}
        body = {**mail(subject=subject), "token": sender.jwt}
        again = api.post(path, body, headers=headers)
        assert again.status_code == status
        assert again.headers["Idempotent-Replayed"] == "true"
        assert without_request_id(again.json()) == without_request_id(first.json())
    assert len(api.messages_of(sender)) == 1
    assert len(provider.mails_of(sender.address)) == mails
    assert api.balance(sender) == balance


def without_request_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "request_id"}


def test_a_replay_has_the_current_status(api: Api) -> None:
    sender = api.new_sender(balance=5)
    subject = "[E_RATE_LIMIT_EXCEEDED 1] later"
    first = api.send_with_key(sender, "later", subject=subject)
    assert first.json()["status"] == "queued"
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [first.json()["id"]])
    api.server.run_cron()
    api.server.wait_until(lambda: api.messages_of(sender)[0]["status"] == "sent", 15)
    again = api.send_with_key(sender, "later", subject=subject)
    assert again.status_code == 202
    assert again.json().keys() == {"status", "id", "message_id"}
    assert (again.json()["id"], again.json()["status"]) == (first.json()["id"], "sent")


def test_another_request_with_the_key_is_rejected(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    assert api.send_with_key(sender, "one").status_code == 200
    for changes in ({"subject": "B"}, {"to_mail": "b@example.net"}, {"is_html": True}):
        response = api.send_with_key(sender, "one", **changes)
        sentence = "This Idempotency-Key was used for another request"
        check_problem(response, 409, "idempotency_key_reused", sentence)
    assert len(provider.mails_of(sender.address)) == 1
    assert api.balance(sender) == 4


def test_a_repeated_request_in_flight_is_rejected(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    subject = "[wait 1500] slow"
    first = api.server.start(*send_call(sender, "one", subject=subject))
    api.server.wait_until(lambda: api.messages_of(sender))
    response = api.send_with_key(sender, "one", subject=subject)
    sentence = "A request with this Idempotency-Key is still in progress"
    check_problem(response, 409, "idempotency_in_flight", sentence)
    assert int(response.headers["Retry-After"]) >= 1
    assert first.response().status_code == 200
    again = api.send_with_key(sender, "one", subject=subject)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(provider.mails_of(sender.address)) == 1


@pytest.mark.parametrize("key", ["", "x" * 257])
def test_invalid_keys_are_rejected(api: Api, key: str) -> None:
    sender = api.new_sender()
    response = api.send_with_key(sender, key)
    sentence = PREFIX + "The Idempotency-Key must have 1 to 256 characters, in UTF-8"
    check_problem(response, 400, "invalid_idempotency_key", sentence)
    assert api.messages_of(sender) == []


@pytest.mark.parametrize("key", ["x", "x" * 256, "' OR 1=1 --", "{json}"])
def test_valid_keys_are_accepted(api: Api, key: str) -> None:
    sender = api.new_sender()
    assert api.send_with_key(sender, key).status_code == 200
    assert api.send_with_key(sender, key).headers["Idempotent-Replayed"] == "true"


def test_a_message_of_a_dead_worker_is_replayed_as_unknown(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send_with_key(sender, "one").json()["id"]
    api.server.sql(
        "UPDATE messages SET status = 'sending', lease_until = 1, finished_at = NULL, "
        "reported_as = NULL, provider_message_id = NULL WHERE id = ?",
        [message_id],
    )
    assert api.send_with_key(sender, "one").json()["code"] == "idempotency_in_flight"
    api.server.run_cron()
    response = api.send_with_key(sender, "one")
    problem = response.json()
    assert (response.status_code, problem["code"]) == (502, "outcome_unknown")
    assert (problem["id"], problem["message_status"]) == (message_id, "unknown")


def test_a_message_ended_by_the_sweep_is_not_reported_as_queued(api: Api) -> None:
    sender = api.new_sender(balance=5)
    subject = "[wait 1500] [E_RATE_LIMIT_EXCEEDED] swept"
    first = api.server.start(*send_call(sender, "one", subject=subject))
    api.server.wait_until(lambda: api.messages_of(sender))
    sql = "UPDATE messages SET lease_until = 1 WHERE address_id = ?"
    api.server.sql(sql, [sender.address_id])
    api.server.run_cron()
    assert api.messages_of(sender)[0]["status"] == "unknown"
    responses = [first.response(), api.send_with_key(sender, "one", subject=subject)]
    for response in responses:
        problem = response.json()
        assert (response.status_code, problem["code"]) == (502, "E_RATE_LIMIT_EXCEEDED")
        assert problem["message_status"] == "failed"
    assert api.messages_of(sender)[0]["status"] == "failed"
    assert api.balance(sender) == 5


def test_a_key_must_be_utf8(api: Api) -> None:
    sender = api.new_sender()
    headers = {**sender.headers, "Idempotency-Key": b"\xff"}
    response = api.post("/api/send_mail", mail(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_idempotency_key")


def storm(api: Api, sender: Sender, key: str | None = None) -> list[requests.Response]:
    """Send the same request two hundred times concurrently; with ``key``, all have this key."""
    responses: list[requests.Response] = api.server.request_all([send_call(sender, key)] * 200)
    return responses


@pytest.mark.contract("POST /api/send_mail: Sends once per Idempotency-Key")
def test_two_hundred_concurrent_requests_with_one_key_send_one_mail(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=500)
    responses = storm(api, sender, "storm")
    statuses = [response.status_code for response in responses]
    assert set(statuses) <= {200, 409}
    fresh = [
        a for a in responses if a.status_code == 200 and "Idempotent-Replayed" not in a.headers
    ]
    assert len(fresh) == 1
    assert {a.json()["code"] for a in responses if a.status_code == 409} <= {
        "idempotency_in_flight"
    }
    assert {a.json()["id"] for a in responses if a.status_code == 200} == {fresh[0].json()["id"]}
    assert len(provider.mails_of(sender.address)) == 1
    assert api.balance(sender) == 499


def test_two_hundred_concurrent_requests_use_a_balance_of_fifty_exactly(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=50)
    statuses = [response.status_code for response in storm(api, sender)]
    assert (statuses.count(200), statuses.count(400)) == (50, 150)
    assert len(provider.mails_of(sender.address)) == 50
    assert api.balance(sender) == 0


@pytest.mark.contract(
    "send checks: Limits count recipients exactly per UTC day and month, over all addresses"
)
def test_two_hundred_concurrent_requests_keep_a_limit(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=500)
    (today,) = api.server.sql("SELECT sum(recipients) AS n FROM daily_recipients")
    limits = f'{{"dailyEnabled": true, "dailyLimit": {today["n"] + 50}}}'
    api.server.sql("INSERT INTO settings (key, value) VALUES ('send_limits', ?)", [limits])
    try:
        statuses = [response.status_code for response in storm(api, sender)]
    finally:
        api.server.sql("DELETE FROM settings")
    assert (statuses.count(200), statuses.count(400)) == (50, 150)
    assert len(provider.mails_of(sender.address)) == 50
    assert api.balance(sender) == 450
