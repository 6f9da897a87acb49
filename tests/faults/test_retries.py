"""Temporary refusals are tried again, once each time, until it works or is too late."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.api import Api, Sender, check_problem
from tests.faults.deployment import failing_deployment
from tests.faults.ledger import Ledger

CODE = "E_RATE_LIMIT_EXCEEDED"


def make_due(api: Api, message_id: str) -> None:
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [message_id])


def wait_for(api: Api, sender: Sender, **expected: Any) -> dict[str, Any]:
    """Wait until the sender's last message has these values; the message as the API shows it."""
    deadline = time.monotonic() + 15
    while True:
        row = api.messages_of(sender)[-1]
        if all(row[name] == value for name, value in expected.items()):
            return api.message(sender, row["id"])
        assert time.monotonic() < deadline, row
        time.sleep(0.1)


def history(message: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    return [(event["event"], event["attempt"], event["code"]) for event in message["history"]]


def test_the_queue_wakes_it_when_it_is_due(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    answer = api.send(sender, subject=f"[{CODE} 1] by itself")
    assert answer.status_code == 202
    deadline = time.monotonic() + 60
    while api.messages_of(sender)[0]["status"] != "sent":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    message = api.message(sender, answer.json()["id"])
    assert history(message) == [("accepted", 0, None), ("deferred", 1, CODE), ("sent", 2, None)]
    assert len(ledger.mails_of(sender.address)) == 1
    assert api.balance(sender) == 4


def test_the_sweep_wakes_what_nobody_woke(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 2] by the sweep"
    message_id = api.send(sender, subject=subject, content="as it was ü").json()["id"]
    for attempt, status in ((2, "queued"), (3, "sent")):
        make_due(api, message_id)
        api.server.run_cron()
        message = wait_for(api, sender, attempt=attempt, status=status)
    assert history(message) == [
        ("accepted", 0, None),
        ("deferred", 1, CODE),
        ("deferred", 2, CODE),
        ("sent", 3, None),
    ]
    (mail,) = ledger.mails_of(sender.address)
    assert (mail["subject"], mail["text"]) == (subject, "as it was ü")
    assert mail["to"] == [{"name": "A Recipient", "email": "recipient@example.net"}]
    assert api.balance(sender) == 4


def test_woken_many_times_it_is_sent_once(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 1] [wait 300] many times"
    message_id = api.send(sender, subject=subject).json()["id"]
    make_due(api, message_id)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: api.server.run_cron(), range(10)))
    wait_for(api, sender, status="sent", attempt=2)
    api.server.run_cron()
    time.sleep(1.5)
    assert len(ledger.mails_of(sender.address)) == 1
    assert api.messages_of(sender)[0]["attempt"] == 2


def test_what_is_not_due_is_left_alone(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    api.send(sender, subject=f"[{CODE} 1] not due")
    api.server.run_cron()
    time.sleep(1.5)
    assert api.messages_of(sender)[0]["attempt"] == 1
    assert ledger.mails_of(sender.address) == []


def test_after_three_days_it_has_failed_and_the_charge_goes_back(api: Api) -> None:
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
        0,  # given back to the day of acceptance
        *(row["recipients"] for row in before),
    ]


def test_a_permanent_refusal_ends_it(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject=f"[{CODE} 1] [E_DELIVERY_FAILED]").json()["id"]
    make_due(api, message_id)
    api.server.run_cron()
    message = wait_for(api, sender, status="failed")
    assert history(message)[-1] == ("failed", 2, "E_DELIVERY_FAILED")
    assert api.balance(sender) == 5
    assert ledger.mails_of(sender.address) == []


def test_an_unknown_outcome_ends_it(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject=f"[{CODE} 1] [take] [no code]").json()["id"]
    make_due(api, message_id)
    api.server.run_cron()
    wait_for(api, sender, status="unknown")
    api.server.run_cron()
    time.sleep(1.5)
    assert api.balance(sender) == 4
    assert len(ledger.mails_of(sender.address)) == 1


@pytest.fixture(scope="module")
def without_queue(ledger: Ledger) -> Iterator[Api]:
    with failing_deployment(ledger, queue=False) as server:
        yield Api(server)


@pytest.mark.contract("send outcomes: A transient rejection without a queue returns 503")
def test_without_a_queue_it_is_refused_and_nothing_is_half_done(without_queue: Api) -> None:
    api = without_queue
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 1] no queue"
    answer = api.send_with_key(sender, "a key", subject=subject)
    detail = "The mail provider's rate limit is reached, please try again later"
    problem = check_problem(answer, 503, CODE, detail)
    assert problem["message_status"] == "failed"
    assert api.balance(sender) == 5
    counted = api.server.sql("SELECT sum(recipients) AS n FROM daily_recipients")
    assert counted == [{"n": 0}]
    assert history(api.message(sender, problem["id"])) == [
        ("accepted", 0, None),
        ("failed", 1, CODE),
    ]
    # The key is not used up, and the next try is a new message.
    again = api.send_with_key(sender, "a key", subject=subject)
    assert (again.status_code, again.json()["status"]) == (200, "ok")
    assert "Idempotent-Replayed" not in again.headers
    assert again.json()["id"] != problem["id"]


def test_without_its_queue_a_queued_message_is_sent_by_the_sweep(
    without_queue: Api, ledger: Ledger
) -> None:
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
    assert len(ledger.mails_of(sender.address)) == 2
