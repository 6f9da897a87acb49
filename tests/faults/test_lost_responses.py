"""Responses of D1 are lost at the real bridge, and calls of the queue fail."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.api import Api, Sender
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger
from tests.faults.misled import Misled, check_sent

BUSY = "E_RATE_LIMIT_EXCEEDED"


class Gated(Misled):
    """A deployment whose calls the gate can hold or break off.

    The methods read the state of a sender's only message.
    """

    def __init__(self, api: Api, gate: Gate, ledger: Ledger) -> None:
        super().__init__(api)
        self.gate, self.ledger = gate, ledger

    def row_when(self, sender: Sender, status: str) -> dict[str, Any]:
        """Wait until the row has this status, and return it."""
        deadline = time.monotonic() + 15
        while (row := self.row(sender))["status"] != status:
            assert time.monotonic() < deadline, row
            time.sleep(0.1)
        return row

    def mails(self, sender: Sender) -> int:
        return len(self.ledger.mails_of(sender.address))


@pytest.fixture(scope="module")
def running() -> Iterator[Gated]:
    with Ledger() as ledger, Gate() as gate, failing_deployment(ledger, gate=gate) as server:
        yield Gated(Api(server), gate, ledger)


@pytest.fixture
def misled(running: Gated) -> Iterator[Gated]:
    yield running
    running.gate.reset()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("granted", [True, False])
def test_reserve_is_repeated(misled: Gated, times: int, granted: bool) -> None:
    """``granted``: the address already has a balance. Otherwise the batch grants one."""
    sender = misled.api.new_sender(balance=5 if granted else None)
    balance = misled.api.balance(sender)
    misled.gate.break_off("reserve", "after", times=times)
    response = misled.api.send_with_key(sender, "key")
    check_sent(response, misled.row(sender))
    assert "Idempotent-Replayed" not in response.headers
    assert len(misled.gate.passed("reserve", "before")) == times + 1
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (balance - 1, 1)


def test_a_message_is_sent_after_its_enqueue_failed(misled: Gated) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    misled.gate.break_off("enqueue", "before")
    response = misled.api.send(sender)
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    misled.attempt_queued()
    misled.row_when(sender, "sent")
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)
