"""At the real bridge, responses of D1 are lost, calls fail, and clients disconnect."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.api import Api, Sender, unique_name
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger
from tests.faults.misled import Misled, check_sent

BUSY = "E_RATE_LIMIT_EXCEEDED"
STOPS = [(call, when) for call in ("reserve", "call", "record") for when in ("before", "after")]


class Gated(Misled):
    """A deployment whose calls the gate can hold or break off.

    The methods read the state of a sender's only message.
    """

    def __init__(self, api: Api, gate: Gate, ledger: Ledger) -> None:
        super().__init__(api)
        self.gate, self.ledger = gate, ledger

    def row_when(self, sender: Sender, status: str) -> dict[str, Any]:
        """Wait until the row has this status, and return it."""
        (row,) = self.rows_when(sender, status)
        return row

    def rows_when(self, sender: Sender, status: str) -> list[dict[str, Any]]:
        """Wait until there are rows and all have this status, and return them."""
        deadline = time.monotonic() + 15
        while True:
            rows = self.api.messages_of(sender)
            if {row["status"] for row in rows} == {status}:
                return rows
            assert time.monotonic() < deadline, rows
            time.sleep(0.1)

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


@pytest.mark.parametrize("stop", STOPS)
def test_a_send_is_completed_without_its_client(misled: Gated, stop: tuple[str, str]) -> None:
    sender, subject = misled.api.new_sender(balance=5), unique_name()
    misled.gate.hold(*stop)
    with pytest.raises(requests.Timeout):
        misled.api.send_impatiently(sender, 1, subject=subject)
    misled.gate.wait_for(*stop, [subject])
    misled.gate.reset()
    row = misled.row_when(sender, "sent")
    assert misled.history(sender) == ["sent"]
    assert (misled.api.balance(sender), misled.mails(sender)) == (4, 1)
    (line,) = misled.api.log_lines(row["request_id"])
    assert [attempt["outcome"] for attempt in line["attempts"]] == ["sent"]


@pytest.mark.parametrize("size", [1_000, 200_000], ids=["small", "large"])
def test_nothing_is_left_of_a_client_that_leaves_during_its_body(misled: Gated, size: int) -> None:
    """JavaScript reads a small body before Python runs, and a large one when Python asks for it."""
    sender, request_id = misled.api.new_sender(balance=5), unique_name()
    head = [
        "POST /api/send_mail HTTP/1.1",
        "Host: localhost",
        f"Authorization: {sender.headers['Authorization']}",
        f"X-Request-Id: {request_id}",
        "Content-Type: application/json",
        f"Content-Length: {size}",
    ]
    with socket.create_connection(("localhost", misled.api.server.port)) as client:
        client.sendall("\r\n".join([*head, "", "{".ljust(size // 2)]).encode())
    (line,) = misled.api.log_lines(request_id)
    assert (line["status"], line["code"]) == (400, "body_unreadable")
    assert misled.api.messages_of(sender) == []
    assert misled.api.send(sender).status_code == 200


# The status of the response, the status of the message in the end, and the mails sent.
_ENDS = {
    ("reserve", "before"): (503, None, 0),
    ("reserve", "after"): (503, "failed", 0),
    ("call", "before"): (502, "unknown", 0),
    ("call", "after"): (502, "unknown", 1),
    ("record", "before"): (200, "sent", 1),
    ("record", "after"): (200, "sent", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("stop", STOPS)
def test_each_call_of_a_submission_may_throw(
    misled: Gated, stop: tuple[str, str], size: int
) -> None:
    sender = misled.api.new_sender(balance=5)
    misled.gate.break_off(*stop, times=3 if stop[0] == "reserve" else size)
    if size == 1:
        response = misled.api.send(sender)
    else:
        email = {"from": sender.address, "to": "you@example.net", "subject": "s", "text": "t"}
        response = misled.api.post("/emails/batch", [email] * size, headers=sender.headers)
    status, end, mails = _ENDS[stop]
    # The response to a batch does not report outcomes.
    assert response.status_code == (200 if size > 1 and status == 502 else status)
    rows = misled.rows_when(sender, end) if end else misled.api.messages_of(sender)
    assert [row["status"] for row in rows] == ([end] * size if end else [])
    charged = size if end in ("sent", "unknown") else 0
    assert (misled.api.balance(sender), misled.mails(sender)) == (5 - charged, mails * size)
