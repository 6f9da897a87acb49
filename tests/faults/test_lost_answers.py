"""D1 carries a batch out and its answer is lost: once, so that it is repeated, or each time.

Whatever is lost, a message is charged once and sent at most once, and its client hears no more
than what is known.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.api import Api, Sender
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger

ALWAYS = None
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

    def end_leases(self) -> None:
        self.api.server.sql("UPDATE messages SET lease_until = 1 WHERE lease_until IS NOT NULL")

    def leave_behind(self, sender: Sender) -> None:
        """Make its message one whose worker died while it was being sent."""
        self.api.server.sql(
            "UPDATE messages SET status = 'sending', lease_until = 1, finished_at = NULL "
            "WHERE address_id = ?",
            [sender.address_id],
        )

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


def test_reserve_without_any_answer_is_undone(misled: Misled) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("reserve", "after", times=3)
    answer = misled.api.send_with_key(sender, "key")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    misled.row_when(sender, "failed")
    assert misled.history(sender) == ["failed"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)

    again = misled.api.send_with_key(sender, "key")
    assert again.status_code == 200, again.text
    assert "Idempotent-Replayed" not in again.headers
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_reserve_that_is_never_carried_out(misled: Misled) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("reserve", "before")
    answer = misled.api.send(sender)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert misled.api.messages_of(sender) == []
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_confirm_of_a_sent_mail(misled: Misled, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("confirm", "after", times=times)
    answer = misled.api.send_with_key(sender, "key")
    check_sent(answer, misled.row(sender))
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)

    again = misled.api.send_with_key(sender, "key")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_confirm_of_a_refusal_gives_back_once(misled: Misled, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("confirm", "after", times=times)
    answer = misled.api.send(sender, subject="[E_DELIVERY_FAILED]")
    assert (answer.status_code, answer.json()["code"]) == (502, "E_DELIVERY_FAILED")
    assert answer.json()["message_status"] == "failed"
    assert misled.row(sender)["status"] == "failed"
    assert misled.history(sender) == ["failed"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_confirm_of_a_deferral(misled: Misled, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("confirm", "after", times=times)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    answer = misled.api.send(sender)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    misled.gate.reset()
    misled.wake()
    misled.row_when(sender, "sent")
    assert misled.history(sender) == ["deferred", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_confirm_that_is_carried_out_later(misled: Misled) -> None:
    """The client hears what is known, and the row follows when the database is there again."""
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("confirm", "before", times=3)
    answer = misled.api.send_with_key(sender, "key")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    early = misled.api.send_with_key(sender, "key")
    assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_flight")

    check_sent(answer, misled.row_when(sender, "sent"))
    late = misled.api.send_with_key(sender, "key")
    assert (late.status_code, late.json()) == (200, answer.json())
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_deferral_that_is_written_later(misled: Misled) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    misled.gate.break_off("confirm", "before", times=3)
    answer = misled.api.send(sender)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    misled.row_when(sender, "queued")
    misled.wake()
    misled.row_when(sender, "sent")
    assert misled.history(sender) == ["deferred", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_confirm_after_the_sweep_corrects_it(misled: Misled) -> None:
    """As long as nothing is written the row can say no more than that nobody knows."""
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("confirm", "before")
    answer = misled.api.send_with_key(sender, "key")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    misled.end_leases()
    misled.api.server.run_cron()
    late = misled.api.send_with_key(sender, "key")
    assert (late.status_code, late.json()["code"]) == (502, "outcome_unknown")
    assert late.headers["Idempotent-Replayed"] == "true"
    assert late.json()["id"] == answer.json()["id"]

    misled.gate.reset()
    misled.row_when(sender, "sent")
    corrected = misled.api.send_with_key(sender, "key")
    assert (corrected.status_code, corrected.json()) == (200, answer.json())
    assert misled.history(sender) == ["unknown", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


@pytest.mark.parametrize("times", [1, 2])
def test_claim_is_repeated(misled: Misled, times: int) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    assert misled.api.send(sender).status_code == 202
    misled.gate.break_off("claim", "after", times=times)
    misled.wake()
    row = misled.row_when(sender, "sent")
    assert (row["attempt"], misled.history(sender)) == (2, ["deferred", "sent"])
    assert len(misled.gate.passed("claim", "before")) == times + 1
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_claim_without_any_answer_is_not_sent(misled: Misled) -> None:
    """Nobody can tell it from a worker that died while it called the provider."""
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    assert misled.api.send(sender).status_code == 202
    misled.gate.break_off("claim", "after", times=3)
    misled.wake()
    misled.row_when(sender, "sending")
    deadline = time.monotonic() + 5
    while len(misled.gate.passed("claim", "after")) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    misled.end_leases()
    misled.api.server.run_cron()
    assert misled.row(sender)["status"] == "unknown"
    assert misled.history(sender) == ["deferred", "unknown"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 0)


@pytest.mark.parametrize("point", ["sweep leases", "sweep due"])
@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_sweep(misled: Misled, point: str, times: int | None) -> None:
    """A sweep whose answers are lost goes on, or the one of the next minute does."""
    left, busy = misled.api.new_sender(balance=5), misled.api.new_sender(balance=5)
    misled.api.send(left)
    misled.leave_behind(left)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    misled.api.send(busy)
    misled.gate.break_off(point, "after", times=times)
    misled.wake()
    assert misled.gate.passed(point, "after")
    misled.gate.reset()
    misled.wake()
    misled.row_when(busy, "sent")
    assert misled.row(left)["status"] == "unknown"
    assert misled.history(left) == ["sent", "unknown"]
    for sender in (left, busy):
        assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_queue_that_answers_nothing(misled: Misled) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off("call", "before", times=1, code=BUSY)
    misled.gate.break_off("alarm", "before")
    answer = misled.api.send(sender)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    misled.wake()
    misled.row_when(sender, "sent")
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)
