"""D1 and the queue do their work and their answers are lost, at the real bridge."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.api import Api, Sender
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger

BUSY = "E_RATE_LIMIT_EXCEEDED"


class Misled:
    """A server behind the gate, and what one message left behind there."""

    def __init__(self, api: Api, gate: Gate, ledger: Ledger) -> None:
        self.api, self.gate, self.ledger = api, gate, ledger

    def row(self, sender: Sender) -> dict[str, Any]:
        (row,) = self.api.messages_of(sender)
        return row

    def row_when(self, sender: Sender, status: str) -> dict[str, Any]:
        """The row as soon as it has this status."""
        deadline = time.monotonic() + 15
        while (row := self.row(sender))["status"] != status:
            assert time.monotonic() < deadline, row
            time.sleep(0.1)
        return row

    def history(self, sender: Sender) -> list[str]:
        sql = "SELECT kind FROM events WHERE message_id = ? ORDER BY sequence"
        return [event["kind"] for event in self.api.server.sql(sql, [self.row(sender)["id"]])]

    def mails(self, sender: Sender) -> int:
        return len(self.ledger.mails_of(sender.address))

    def wake(self) -> None:
        self.api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE status = 'queued'")
        self.api.server.run_cron()


@pytest.fixture(scope="module")
def running() -> Iterator[Misled]:
    with Ledger() as ledger, Gate() as gate, failing_deployment(ledger, gate=gate) as server:
        yield Misled(Api(server), gate, ledger)


@pytest.fixture
def misled(running: Misled) -> Iterator[Misled]:
    yield running
    running.gate.reset()


def check_sent(answer: requests.Response, row: dict[str, Any]) -> None:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["id"]) == ("ok", row["id"])
    assert told["message_id"] == row["provider_message_id"]
    assert row["status"] == "sent"


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("granted", [True, False])
def test_reserve_is_repeated(misled: Misled, times: int, granted: bool) -> None:
    """Whether the address has its balance already, or is granted it by this very batch."""
    sender = misled.api.new_sender(balance=5 if granted else None)
    balance = misled.api.balance(sender)
    misled.gate.break_off("reserve", "after", times=times)
    answer = misled.api.send_with_key(sender, "key")
    check_sent(answer, misled.row(sender))
    assert "Idempotent-Replayed" not in answer.headers
    assert len(misled.gate.passed("reserve", "before")) == times + 1
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (balance - 1, 1)


def test_queue_that_answers_nothing(misled: Misled) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    misled.gate.break_off("alarm", "before")
    answer = misled.api.send(sender)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    misled.wake()
    misled.row_when(sender, "sent")
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)
