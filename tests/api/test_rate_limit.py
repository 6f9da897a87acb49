"""SEND_RATE_LIMIT: exact under concurrency, reported in headers, and reset after its window."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem

DETAIL = "Too many messages for now, please try again later"


@pytest.fixture(scope="module")
def limited() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "SEND_RATE_LIMIT": "5/minute"}) as running:
        yield Api(running)


def test_five_of_twenty_concurrent_requests_are_sent(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    responses = limited.server.request_all([send_call(sender)] * 20)
    assert Counter(response.status_code for response in responses) == {200: 5, 429: 15}
    assert len(limited.sent_by(sender)) == 5
    assert limited.balance(sender) == 95
    remaining = [response.headers["ratelimit-remaining"] for response in responses]
    assert Counter(remaining) == {"4": 1, "3": 1, "2": 1, "1": 1, "0": 16}


def test_a_response_has_the_rate_limit_headers(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    response = limited.send(sender)
    assert response.headers["RateLimit-Policy"] == '"send";q=5;w=60'
    assert response.headers["ratelimit-limit"] == "5"
    assert response.headers["ratelimit-remaining"] == "4"
    assert response.headers["RateLimit"] == f'"send";r=4;t={response.headers["ratelimit-reset"]}'
    assert 55 <= int(response.headers["ratelimit-reset"]) <= 60


def test_every_response_has_the_policy_and_the_state_if_known(limited: Api) -> None:
    for response in (
        limited.post("/api/send_mail", {}),
        limited.post("/external/api/send_mail", {}),
        limited.send(limited.new_sender(), subject=""),
    ):
        assert response.status_code in (400, 401)
        assert response.headers["RateLimit-Policy"] == '"send";q=5;w=60'
        assert "RateLimit" not in response.headers
    assert "RateLimit-Policy" not in limited.get("/open_api/settings").headers


@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
def test_a_request_over_the_limit_is_rejected(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    other = limited.new_sender(balance=100)
    for _ in range(5):
        assert limited.send(sender).status_code == 200
    rejected = limited.send(sender)
    check_problem(rejected, 429, "rate_limit_exceeded", DETAIL)
    assert rejected.headers["Retry-After"] == rejected.headers["ratelimit-reset"]
    assert rejected.headers["ratelimit-remaining"] == "0"
    assert limited.balance(sender) == 95
    assert limited.send(other).status_code == 200  # each credential has its own limit

    # After the window the limit is reset.
    limited.server.sql(
        "UPDATE rate_windows SET started_at = started_at - 60000 WHERE address_id = ?",
        [sender.address_id],
    )
    assert limited.send(sender).headers["ratelimit-remaining"] == "4"


def test_replays_and_rejected_requests_do_not_count(limited: Api) -> None:
    sender = limited.new_sender(balance=1)
    first = limited.send_with_key(sender, "once")
    replayed = limited.send_with_key(sender, "once")
    assert replayed.headers["Idempotent-Replayed"] == "true"
    rejected = limited.send(sender)
    assert rejected.json()["code"] == "no_balance"
    for response in (first, replayed, rejected):
        assert response.headers["ratelimit-remaining"] == "4"


def test_a_batch_larger_than_the_limit_is_rejected_for_its_size(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    email = {"from": sender.address, "to": "a@example.net", "subject": "s", "text": "t"}
    response = limited.post("/emails/batch", [email] * 6, headers=sender.headers)
    assert (response.status_code, response.json()["code"]) == (400, "batch_over_rate_limit")
    assert limited.post("/emails/batch", [email] * 5, headers=sender.headers).status_code == 200


def test_the_rate_limit_is_off_by_default(api: Api) -> None:
    headers = api.send(api.new_sender()).headers
    assert [name for name in headers if name.lower().startswith("ratelimit")] == []
