"""The response of a database batch is lost, a few times or always.

In every case a message is charged once and sent at most once, and the response never claims more
than is known.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.faults.lost_responses import LostResponses
from tests.e2e.api import Api, Sender
from tests.faults.misled import Misled, check_sent

ALWAYS = None


class Losing(Misled):
    """A deployment whose database loses responses, and the state of a sender's only message."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.lost = LostResponses()
        api.server.lose_responses = self.lost

    def row_when(self, sender: Sender, status: str) -> dict[str, Any]:
        """Wait until the row has this status; return the row."""
        self.api.server.wait_until(lambda: self.row(sender)["status"] == status, 15)
        return self.row(sender)

    def mails(self, sender: Sender) -> int:
        return len(self.api.server.provider.mails_of(sender.address))

    def end_leases(self) -> None:
        self.api.server.sql("UPDATE messages SET lease_until = 1 WHERE lease_until IS NOT NULL")

    def leave_behind(self, sender: Sender) -> None:
        """Change the message of ``sender`` as if the worker had died while sending it."""
        self.api.server.sql(
            "UPDATE messages SET status = 'sending', lease_until = 1, finished_at = NULL "
            "WHERE address_id = ?",
            [sender.address_id],
        )


@pytest.fixture
def misled(api: Api) -> Iterator[Losing]:
    deployment = Losing(api)
    yield deployment
    deployment.lost.reset()
    api.server.settle()


def busy_once(sender: Sender) -> str:
    """A subject that makes the provider reject the first attempt transiently."""
    return f"[E_RATE_LIMIT_EXCEEDED 1] {sender.address}"


def test_reserve_without_any_response_is_undone(misled: Losing) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("reserve", "after", times=3)
    response = misled.api.send_with_key(sender, "key")
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    misled.row_when(sender, "failed")
    assert misled.history(sender) == ["failed"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)

    again = misled.api.send_with_key(sender, "key")
    assert again.status_code == 200, again.text
    assert "Idempotent-Replayed" not in again.headers
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_reserve_that_never_ran_leaves_nothing(misled: Losing) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("reserve", "before")
    response = misled.api.send(sender)
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert misled.api.messages_of(sender) == []
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_record_of_a_sent_mail(misled: Losing, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "after", times=times)
    response = misled.api.send_with_key(sender, "key")
    check_sent(response, misled.row(sender))
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)

    again = misled.api.send_with_key(sender, "key")
    assert (again.status_code, again.json()) == (200, response.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_record_of_a_rejection_refunds_once(misled: Losing, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "after", times=times)
    response = misled.api.send(sender, subject="[E_DELIVERY_FAILED]")
    assert (response.status_code, response.json()["code"]) == (502, "E_DELIVERY_FAILED")
    assert response.json()["message_status"] == "failed"
    assert misled.row(sender)["status"] == "failed"
    assert misled.history(sender) == ["failed"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (5, 0)


@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_record_of_a_deferral(misled: Losing, times: int | None) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "after", times=times)
    response = misled.api.send(sender, subject=busy_once(sender))
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    misled.lost.reset()
    misled.attempt_queued()
    misled.row_when(sender, "sent")
    assert misled.history(sender) == ["deferred", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_record_is_repeated_until_it_succeeds(misled: Losing) -> None:
    """The response reports the outcome. The row has it as soon as the database responds again."""
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "before", times=3)
    response = misled.api.send_with_key(sender, "key")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    early = misled.api.send_with_key(sender, "key")
    assert (early.status_code, early.json()["code"]) == (409, "idempotency_in_flight")

    check_sent(response, misled.row_when(sender, "sent"))
    late = misled.api.send_with_key(sender, "key")
    assert (late.status_code, late.json()) == (200, response.json())
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_record_of_a_deferral_is_repeated_until_it_succeeds(misled: Losing) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "before", times=3)
    response = misled.api.send(sender, subject=busy_once(sender))
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    misled.row_when(sender, "queued")
    misled.attempt_queued()
    misled.row_when(sender, "sent")
    assert misled.history(sender) == ["deferred", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_record_after_the_sweep_corrects_unknown(misled: Losing) -> None:
    """The sweep sets the row to ``unknown``, and the late record of the outcome corrects it."""
    sender = misled.api.new_sender(balance=5)
    misled.lost.break_off("record", "before")
    response = misled.api.send_with_key(sender, "key")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    misled.end_leases()
    misled.api.server.run_cron()
    late = misled.api.send_with_key(sender, "key")
    assert (late.status_code, late.json()["code"]) == (502, "outcome_unknown")
    assert late.headers["Idempotent-Replayed"] == "true"
    assert late.json()["id"] == response.json()["id"]

    misled.lost.reset()
    misled.row_when(sender, "sent")
    corrected = misled.api.send_with_key(sender, "key")
    assert (corrected.status_code, corrected.json()) == (200, response.json())
    assert misled.history(sender) == ["unknown", "sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


@pytest.mark.parametrize("times", [1, 2])
def test_claim_is_repeated(misled: Losing, times: int) -> None:
    sender = misled.api.new_sender(balance=5)
    assert misled.api.send(sender, subject=busy_once(sender)).status_code == 202
    misled.lost.break_off("claim", "after", times=times)
    misled.attempt_queued()
    row = misled.row_when(sender, "sent")
    assert (row["attempt"], misled.history(sender)) == (2, ["deferred", "sent"])
    assert misled.lost.passed("claim", "before") == times + 1
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)


def test_claim_without_any_response_is_not_sent(misled: Losing) -> None:
    """The row is the same as after a worker died during its call, so it becomes ``unknown``."""
    sender = misled.api.new_sender(balance=5)
    assert misled.api.send(sender, subject=busy_once(sender)).status_code == 202
    misled.lost.break_off("claim", "after", times=3)
    misled.attempt_queued()
    misled.row_when(sender, "sending")
    misled.api.server.wait_until(lambda: misled.lost.passed("claim", "after") == 3, 5)
    misled.end_leases()
    misled.api.server.run_cron()
    assert misled.row(sender)["status"] == "unknown"
    assert misled.history(sender) == ["deferred", "unknown"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 0)


@pytest.mark.parametrize("point", ["sweep leases", "sweep due"])
@pytest.mark.parametrize("times", [1, 2, ALWAYS])
def test_sweep(misled: Losing, point: str, times: int | None) -> None:
    """A sweep repeats a batch after lost responses; if all are lost, the next sweep continues."""
    left, busy = misled.api.new_sender(balance=5), misled.api.new_sender(balance=5)
    misled.api.send(left)
    misled.leave_behind(left)
    misled.api.send(busy, subject=busy_once(busy))
    misled.lost.break_off(point, "after", times=times)
    misled.attempt_queued()
    assert misled.lost.passed(point, "after")
    misled.lost.reset()
    misled.attempt_queued()
    misled.row_when(busy, "sent")
    assert misled.row(left)["status"] == "unknown"
    assert misled.history(left) == ["sent", "unknown"]
    for sender in (left, busy):
        assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)
