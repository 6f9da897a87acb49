"""SEND_RATE_LIMIT: exact under concurrency, told in headers, and over when its window is."""

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


def test_twenty_at_once_send_five(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    answers = limited.server.request_all([send_call(sender)] * 20)
    assert Counter(answer.status_code for answer in answers) == {200: 5, 429: 15}
    assert len(limited.sent_by(sender)) == 5
    assert limited.balance(sender) == 95
    remaining = [answer.headers["ratelimit-remaining"] for answer in answers]
    assert Counter(remaining) == {"4": 1, "3": 1, "2": 1, "1": 1, "0": 16}


def test_the_headers(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    answer = limited.send(sender)
    assert answer.headers["RateLimit-Policy"] == '"send";q=5;w=60'
    assert answer.headers["ratelimit-limit"] == "5"
    assert answer.headers["ratelimit-remaining"] == "4"
    assert answer.headers["RateLimit"] == f'"send";r=4;t={answer.headers["ratelimit-reset"]}'
    assert 55 <= int(answer.headers["ratelimit-reset"]) <= 60


def test_the_policy_goes_with_every_answer_and_the_state_where_it_is_known(limited: Api) -> None:
    for answer in (
        limited.post("/api/send_mail", {}),
        limited.post("/external/api/send_mail", {}),
        limited.send(limited.new_sender(), subject=""),
    ):
        assert answer.status_code in (400, 401)
        assert answer.headers["RateLimit-Policy"] == '"send";q=5;w=60'
        assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in limited.get("/open_api/settings").headers


@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
def test_too_many(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    other = limited.new_sender(balance=100)
    for _ in range(5):
        assert limited.send(sender).status_code == 200
    refused = limited.send(sender)
    check_problem(refused, 429, "rate_limit_exceeded", DETAIL)
    assert refused.headers["Retry-After"] == refused.headers["ratelimit-reset"]
    assert refused.headers["ratelimit-remaining"] == "0"
    assert limited.balance(sender) == 95
    assert limited.send(other).status_code == 200  # each credential has its own

    # When the window is over there is room again.
    limited.server.sql(
        "UPDATE rate_windows SET started_at = started_at - 60000 WHERE address_id = ?",
        [sender.address_id],
    )
    assert limited.send(sender).headers["ratelimit-remaining"] == "4"


def test_replays_and_refused_requests_do_not_count(limited: Api) -> None:
    sender = limited.new_sender(balance=1)
    first = limited.send_with_key(sender, "once")
    replayed = limited.send_with_key(sender, "once")
    assert replayed.headers["Idempotent-Replayed"] == "true"
    refused = limited.send(sender)
    assert refused.json()["code"] == "no_balance"
    for answer in (first, replayed, refused):
        assert answer.headers["ratelimit-remaining"] == "4"


def test_a_batch_that_can_never_pass_is_refused_for_its_size(limited: Api) -> None:
    sender = limited.new_sender(balance=100)
    email = {"from": sender.address, "to": "a@example.net", "subject": "s", "text": "t"}
    answer = limited.post("/emails/batch", [email] * 6, headers=sender.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch_over_rate_limit")
    assert limited.post("/emails/batch", [email] * 5, headers=sender.headers).status_code == 200


def test_it_is_off_by_default(api: Api) -> None:
    headers = api.send(api.new_sender()).headers
    assert [name for name in headers if name.lower().startswith("ratelimit")] == []
