"""Behaviour that only the real runtime has: its queue, its cron, and ``waitUntil``."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.api import Api, Sender
from tests.faults.ledger import Ledger

CODE = "E_RATE_LIMIT_EXCEEDED"


def wait_for(api: Api, sender: Sender, **expected: Any) -> dict[str, Any]:
    """Wait until the sender's last message has these values, and return the API's view of it."""
    deadline = time.monotonic() + 15
    while True:
        row = api.messages_of(sender)[-1]
        if all(row[name] == value for name, value in expected.items()):
            return api.message(sender, row["id"])
        assert time.monotonic() < deadline, row
        time.sleep(0.1)


def history(message: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    return [(event["event"], event["attempt"], event["code"]) for event in message["history"]]


@pytest.mark.slow
def test_the_queue_attempts_a_deferred_message_when_it_is_due(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    response = api.send(sender, subject=f"[{CODE} 1] by itself")
    assert response.status_code == 202
    deadline = time.monotonic() + 60
    while api.messages_of(sender)[0]["status"] != "sent":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    message = api.message(sender, response.json()["id"])
    assert history(message) == [("accepted", 0, None), ("deferred", 1, CODE), ("sent", 2, None)]
    assert len(ledger.mails_of(sender.address)) == 1
    assert api.balance(sender) == 4


@pytest.mark.slow
def test_the_sweep_enqueues_due_messages(api: Api, ledger: Ledger) -> None:
    sender = api.new_sender(balance=5)
    subject = f"[{CODE} 2] by the sweep"
    message_id = api.send(sender, subject=subject, content="as it was ü").json()["id"]
    for attempt, status in ((2, "queued"), (3, "sent")):
        api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [message_id])
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


@pytest.mark.slow
def test_a_late_response_corrects_an_unknown_outcome(api: Api, ledger: Ledger) -> None:
    taken, rejected = api.new_sender(balance=5), api.new_sender(balance=5)
    subjects = {taken: "[wait 31000]", rejected: "[wait 31000] [E_RECIPIENT_SUPPRESSED]"}
    with ThreadPoolExecutor() as pool:
        # Another recipient than in other tests, because the provider says that it is suppressed.
        sends = [
            pool.submit(api.send, one, subject=text, to_mail="late@example.net")
            for one, text in subjects.items()
        ]
        assert [send.result().status_code for send in sends] == [502, 502]
    shown = wait_for(api, taken, status="sent")
    assert history(shown)[1:] == [("unknown", 1, None), ("sent", 1, None)]
    shown = wait_for(api, rejected, status="failed")
    assert history(shown)[1:] == [
        ("unknown", 1, None),
        ("failed", 1, "E_RECIPIENT_SUPPRESSED"),
    ]
    assert (api.balance(taken), len(ledger.mails_of(taken.address))) == (4, 1)


def test_the_log_names_the_class_of_the_providers_exception(api: Api) -> None:
    response = api.send(api.new_sender(balance=5), subject="[no code]")
    (line,) = api.log_lines(response.headers["X-Request-Id"])
    (attempt,) = line["attempts"]
    assert (attempt["outcome"], attempt["code"], attempt["cause"]) == ("unknown", None, "Error")
