"""Retries of transiently rejected messages, and what ends them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem

CODE = "E_RATE_LIMIT_EXCEEDED"


def make_due(api: Api, message_id: str) -> None:
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [message_id])


def wait_for(api: Api, sender: Sender, **expected: Any) -> dict[str, Any]:
    """Wait until the sender's last message has these values; return the API's view of it."""

    def has_come() -> bool:
        row = api.messages_of(sender)[-1]
        return all(row[name] == value for name, value in expected.items())

    api.server.wait_until(has_come, 15)
    return api.message(sender, api.messages_of(sender)[-1]["id"])


def history(message: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    return [(event["event"], event["attempt"], event["code"]) for event in message["history"]]


def test_a_message_enqueued_many_times_is_sent_once(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 1] [wait 300] many times"
    message_id = api.send(sender, subject=subject).json()["id"]
    make_due(api, message_id)
    api.server.run_cron(times=10)
    wait_for(api, sender, status="sent", attempt=2)
    api.server.run_cron()
    api.server.advance(1.5)
    assert len(provider.mails_of(sender.address)) == 1
    assert api.messages_of(sender)[0]["attempt"] == 2


def test_a_message_that_is_not_due_is_not_attempted(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    api.send(sender, subject=f"[{CODE} 1] not due")
    api.server.run_cron()
    api.server.advance(1.5)
    assert api.messages_of(sender)[0]["attempt"] == 1
    assert provider.mails_of(sender.address) == []


def test_after_three_days_a_message_has_failed_and_is_refunded(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject=f"[{CODE}] too late").json()["id"]
    assert api.balance(sender) == 4
    day = 86_400_000
    counted = "SELECT recipients FROM daily_recipients ORDER BY day"
    before = api.server.sql(counted)
    sql = "UPDATE messages SET accepted_at = accepted_at - ? WHERE id = ?"
    api.server.sql(sql, [3 * day, message_id])
    api.server.sql(
        "INSERT INTO daily_recipients SELECT strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch'),"
        " 1 FROM messages WHERE id = ?",
        [message_id],
    )
    make_due(api, message_id)
    api.server.run_cron()
    message = wait_for(api, sender, status="failed")
    assert history(message)[-1] == ("failed", 2, CODE)
    assert api.balance(sender) == 5
    assert [row["recipients"] for row in api.server.sql(counted)] == [
        0,  # the day of acceptance: the refund has reduced its count from 1
        *(row["recipients"] for row in before),
    ]


def test_a_permanent_rejection_ends_the_retries(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject=f"[{CODE} 1] [E_DELIVERY_FAILED]").json()["id"]
    make_due(api, message_id)
    api.server.run_cron()
    message = wait_for(api, sender, status="failed")
    assert history(message)[-1] == ("failed", 2, "E_DELIVERY_FAILED")
    assert api.balance(sender) == 5
    assert provider.mails_of(sender.address) == []


def test_an_unknown_outcome_ends_the_retries(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject=f"[{CODE} 1] [take] [no code]").json()["id"]
    make_due(api, message_id)
    api.server.run_cron()
    wait_for(api, sender, status="unknown")
    api.server.run_cron()
    api.server.advance(1.5)
    assert api.balance(sender) == 4
    assert len(provider.mails_of(sender.address)) == 1


@pytest.fixture(scope="module")
def without_queue() -> Iterator[Api]:
    with TestClient(DEPLOYMENT, queue=False) as server:
        yield Api(server)


@pytest.mark.contract("send outcomes: A transient rejection without a queue returns 503")
def test_without_a_queue_a_transient_rejection_leaves_nothing(without_queue: Api) -> None:
    api = without_queue
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 1] no queue"
    response = api.send_with_key(sender, "a key", subject=subject)
    detail = "The mail provider's rate limit is reached, please try again later"
    problem = check_problem(response, 503, CODE, detail)
    assert problem["message_status"] == "failed"
    assert api.balance(sender) == 5
    counted = api.server.sql("SELECT sum(recipients) AS n FROM daily_recipients")
    assert counted == [{"n": 0}]
    assert history(api.message(sender, problem["id"])) == [
        ("accepted", 0, None),
        ("failed", 1, CODE),
    ]
    # The key is still free, and the next request makes a new message.
    again = api.send_with_key(sender, "a key", subject=subject)
    assert (again.status_code, again.json()["status"]) == (200, "ok")
    assert "Idempotent-Replayed" not in again.headers
    assert again.json()["id"] != problem["id"]


def test_without_its_queue_a_queued_message_is_sent_by_the_cron(without_queue: Api) -> None:
    api = without_queue
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject="queued earlier").json()["id"]
    api.server.sql(
        "UPDATE messages SET status = 'queued', next_attempt_at = 1, finished_at = NULL "
        "WHERE id = ?",
        [message_id],
    )
    api.server.run_cron()
    wait_for(api, sender, status="sent", attempt=2)
    assert len(api.server.provider.mails_of(sender.address)) == 2
