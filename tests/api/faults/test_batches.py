"""Batches take two round trips, send each mail once, and charge exactly what was sent."""

from collections import Counter
from typing import Any

import requests

from tests.api.calls import Call
from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT, Api, Sender


def batch_call(sender: Sender, subjects: list[str], key: str | None = None, **headers: str) -> Call:
    """The request for a batch with one mail per subject."""
    mails = [
        {"from": sender.address, "to": f"to{number}@example.net", "subject": subject, "text": "Hi"}
        for number, subject in enumerate(subjects)
    ]
    if key:
        headers["Idempotency-Key"] = key
    return "POST", "/emails/batch", {"json": mails, "headers": {**sender.headers, **headers}}


def post(api: Api, sender: Sender, subjects: list[str], **headers: str) -> requests.Response:
    """Send a batch with one mail per subject."""
    method, path, options = batch_call(sender, subjects, **headers)
    return api.call(method, path, **options)


def ids(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [email["id"] for email in response.json()["data"]]


def wait_until_sent(api: Api, sender: Sender, count: int) -> None:
    def is_sent() -> bool:
        return Counter(row["status"] for row in api.messages_of(sender)) == {"sent": count}

    api.server.wait_until(is_sent, 40)


def test_the_queue_sends_the_rest_of_a_batch(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=100)
    subjects = [f"number {number}" for number in range(40)]
    response = post(api, sender, subjects, **{"x-request-id": f"overflow-{sender.address_id}"})
    statuses = Counter(row["status"] for row in api.messages_of(sender))
    assert statuses["sent"] >= 15  # as many as fit into the subrequests of a request
    (line,) = api.log_lines(response.headers["X-Request-Id"])
    assert line["d1_round_trips"] == 2
    wait_until_sent(api, sender, 40)
    # Each mail is sent once, and the ids are in the order of the mails.
    assert sorted(mail["subject"] for mail in provider.mails_of(sender.address)) == sorted(subjects)
    rows = {row["id"]: row["subject"] for row in api.messages_of(sender)}
    assert [rows[id_] for id_ in ids(response)] == subjects
    assert api.balance(sender) == 60


def test_each_mail_has_its_own_outcome(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=10)
    response = post(
        api,
        sender,
        ["[E_DELIVERY_FAILED] refused", "[E_RATE_LIMIT_EXCEEDED 1] busy", "[no code] ?", "fine"],
    )
    found = [api.message(sender, id_) for id_ in ids(response)]
    assert [message["status"] for message in found] == ["failed", "queued", "unknown", "sent"]
    assert api.balance(sender) == 7  # only the rejected message is refunded
    again = [api.message(sender, id_)["history"] for id_ in ids(response)]
    assert [events[-1]["event"] for events in again] == ["failed", "deferred", "unknown", "sent"]


def test_concurrent_requests_with_one_key_make_one_batch(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=100)
    subjects = [f"[wait 100] storm {number}" for number in range(5)]
    responses = api.server.request_all([batch_call(sender, subjects, "storm")] * 20)
    assert len({tuple(ids(response)) for response in responses}) == 1
    assert len(provider.mails_of(sender.address)) == 5
    assert api.balance(sender) == 95
    other = post(api, sender, subjects[:4], key="storm")
    assert (other.status_code, other.json()["name"]) == (409, "invalid_idempotent_request")


def batches_at_once(api: Api, sender: Sender, **headers: str) -> list[requests.Response]:
    subjects = ["a", "b", "c", "d", "e"]
    responses: list[requests.Response] = api.server.request_all(
        [batch_call(sender, subjects, **headers)] * 10
    )
    return responses


def test_a_strict_batch_is_all_or_nothing_against_a_balance(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=12)
    responses = batches_at_once(api, sender)
    assert Counter(response.status_code for response in responses) == {200: 2, 403: 8}
    (message,) = {
        a.json()["message"] for a in responses if a.status_code == 403 and "[2]" in a.text
    }
    assert message == "`[2]`: No balance"
    assert len(provider.mails_of(sender.address)) == 10
    assert api.balance(sender) == 2


def test_a_permissive_batch_uses_the_remaining_balance(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=12)
    responses = batches_at_once(api, sender, **{"x-batch-validation": "permissive"})
    bodies: list[dict[str, Any]] = [response.json() for response in responses]
    assert sum(len(body["data"]) for body in bodies) == 12
    assert sum(len(body["errors"]) for body in bodies) == 38
    assert {error["message"] for body in bodies for error in body["errors"]} == {"No balance"}
    assert len(provider.mails_of(sender.address)) == 12
    assert api.balance(sender) == 0


def test_without_a_queue_a_batch_is_limited_to_the_inline_messages() -> None:
    with TestClient({**DEPLOYMENT, "BATCH_INLINE": "3"}, queue=False) as server:
        api = Api(server)
        sender = api.new_sender(balance=10)
        rejected = post(api, sender, ["a", "b", "c", "d"])
        assert (rejected.status_code, rejected.json()["code"]) == (400, "batch_too_long")
        assert api.messages_of(sender) == []
        assert len(ids(post(api, sender, ["a", "b", "c"]))) == 3
        wait_until_sent(api, sender, 3)
