"""For each failure of the provider: the response, the row, the balance, and the mails sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT, Api, Sender

PERMANENT = [
    *("E_VALIDATION_ERROR", "E_FIELD_MISSING", "E_TOO_MANY_RECIPIENTS", "E_SENDER_NOT_VERIFIED"),
    *("E_RECIPIENT_NOT_ALLOWED", "E_RECIPIENT_SUPPRESSED", "E_SENDER_DOMAIN_NOT_AVAILABLE"),
    *("E_CONTENT_TOO_LARGE", "E_DELIVERY_FAILED", "E_HEADER_NOT_ALLOWED", "E_HEADER_USE_API_FIELD"),
    *("E_HEADER_VALUE_INVALID", "E_HEADER_VALUE_TOO_LONG", "E_HEADER_NAME_INVALID"),
    *("E_HEADERS_TOO_LARGE", "E_HEADERS_TOO_MANY", "E_SOMETHING_NEW"),
]
TRANSIENT = ["E_RATE_LIMIT_EXCEEDED", "E_DAILY_LIMIT_EXCEEDED"]


@dataclass(frozen=True)
class Deployment:
    api: Api
    provider: ScriptedBinding

    def mails_out(self, sender: Sender) -> int:
        return len(self.provider.mails_of(sender.address))

    def counted_today(self) -> int:
        rows = self.api.server.sql("SELECT sum(recipients) AS n FROM daily_recipients")
        return rows[0]["n"] or 0


@pytest.fixture(scope="module")
def faulty() -> Iterator[Deployment]:
    with TestClient(DEPLOYMENT) as server:
        yield Deployment(Api(server), server.provider)


def check_row(faulty: Deployment, sender: Sender, status: str, code: str | None) -> dict[str, Any]:
    """Check the status and the code of the sender's only message; return its row."""
    (row,) = faulty.api.messages_of(sender)
    assert (row["status"], row["provider_code"]) == (status, code)
    shown = faulty.api.message(sender, row["id"])
    assert [(to["status"], to["code"]) for to in shown["recipients"]] == [(status, code)]
    event = "deferred" if status == "queued" else status
    assert [(past["event"], past["code"], past["attempt"]) for past in shown["history"]] == [
        ("accepted", None, 0),
        (event, code, 1),
    ]
    return row


@pytest.mark.contract("send outcomes: A permanent rejection returns 502 with the provider's code")
@pytest.mark.parametrize("code", PERMANENT)
def test_a_permanent_rejection_fails_and_is_refunded(faulty: Deployment, code: str) -> None:
    sender = faulty.api.new_sender(balance=5)
    counted = faulty.counted_today()
    # A separate recipient per code: a recipient that the provider suppresses gets no more mail.
    response = faulty.api.send(sender, subject=f"[{code}]", to_mail=f"{code}@example.net")
    assert response.status_code == 502
    problem = response.json()
    assert (problem["code"], problem["retryable"]) == (code, False)
    assert problem["detail"]
    assert "{" not in problem["detail"]
    row = check_row(faulty, sender, "failed", code)
    assert (problem["id"], problem["message_status"]) == (row["id"], "failed")
    assert faulty.api.balance(sender) == 5
    assert faulty.counted_today() == counted
    assert faulty.mails_out(sender) == 0


@pytest.mark.contract(
    "send outcomes: A transient rejection by the provider returns 202 with status queued"
)
@pytest.mark.parametrize("code", TRANSIENT)
def test_a_transient_rejection_is_queued_and_stays_charged(faulty: Deployment, code: str) -> None:
    sender = faulty.api.new_sender(balance=5)
    counted = faulty.counted_today()
    response = faulty.api.send(sender, subject=f"[{code}]")
    row = check_row(faulty, sender, "queued", code)
    assert response.status_code == 202
    assert response.json() == {"status": "queued", "id": row["id"]}
    delay = row["next_attempt_at"] - row["accepted_at"]
    assert 30_000 <= delay <= 38_000
    assert faulty.api.balance(sender) == 4
    assert faulty.counted_today() == counted + 1
    assert faulty.mails_out(sender) == 0


@pytest.mark.contract(
    "send outcomes: An unknown outcome returns 502 outcome_unknown, not retryable; the charge stays"
)
@pytest.mark.parametrize(
    ("instructions", "code", "mails"),
    [
        ("[no code]", None, 0),
        ("[take] [no code]", None, 1),
        ("[E_INTERNAL_SERVER_ERROR]", "E_INTERNAL_SERVER_ERROR", 0),
        ("[take] [E_INTERNAL_SERVER_ERROR]", "E_INTERNAL_SERVER_ERROR", 1),
        ("[not a code]", None, 0),
    ],
)
def test_unknown_outcome_keeps_the_charge(
    faulty: Deployment, instructions: str, code: str | None, mails: int
) -> None:
    sender = faulty.api.new_sender(balance=5)
    counted = faulty.counted_today()
    response = faulty.api.send(sender, subject=instructions)
    assert response.status_code == 502
    problem = response.json()
    assert (problem["code"], problem["retryable"]) == ("outcome_unknown", False)
    row = check_row(faulty, sender, "unknown", code)
    assert (problem["id"], problem["message_status"]) == (row["id"], "unknown")
    assert faulty.api.balance(sender) == 4
    assert faulty.counted_today() == counted + 1
    assert faulty.mails_out(sender) == mails


@pytest.mark.parametrize(
    ("instructions", "outcome", "code", "cause"),
    [
        ("[no code]", "unknown", None, "Error"),
        ("[E_INTERNAL_SERVER_ERROR]", "unknown", "E_INTERNAL_SERVER_ERROR", "Error"),
        ("[wait 31000]", "unknown", None, "timeout"),
        ("[E_DELIVERY_FAILED]", "rejected", "E_DELIVERY_FAILED", None),
    ],
)
def test_the_log_has_the_cause_of_an_unknown_outcome(
    faulty: Deployment, instructions: str, outcome: str, code: str | None, cause: str | None
) -> None:
    sender = faulty.api.new_sender(balance=5)
    response = faulty.api.send(sender, subject=instructions)
    (line,) = faulty.api.log_lines(response.headers["X-Request-Id"])
    (attempt,) = line["attempts"]
    assert (attempt["outcome"], attempt["code"], attempt["cause"]) == (outcome, code, cause)


def test_an_accepted_mail_is_sent(faulty: Deployment) -> None:
    sender = faulty.api.new_sender(balance=5)
    response = faulty.api.send(sender)
    assert response.status_code == 200, response.text
    row = check_row(faulty, sender, "sent", None)
    assert response.json() == {
        "status": "ok",
        "id": row["id"],
        "message_id": row["provider_message_id"],
    }
    assert row["provider_message_id"].endswith("@provider.test>")
    assert (faulty.api.balance(sender), faulty.mails_out(sender)) == (4, 1)


def test_a_response_after_thirty_seconds_is_unknown_and_then_corrected(faulty: Deployment) -> None:
    senders = [faulty.api.new_sender(balance=5) for _ in range(2)]
    instructions = ["[wait 33000]", "[wait 33000] [E_DELIVERY_FAILED]"]
    started = faulty.api.server.now()
    responses = faulty.api.server.request_all(
        send_call(sender, subject=instruction)
        for sender, instruction in zip(senders, instructions, strict=True)
    )
    assert 29_000 < faulty.api.server.now() - started < 33_000
    for sender, response in zip(senders, responses, strict=True):
        assert (response.status_code, response.json()["code"]) == (502, "outcome_unknown")
        check_row(faulty, sender, "unknown", None)
        assert faulty.api.balance(sender) == 4
    faulty.api.server.settle()
    ends = [faulty.api.messages_of(sender)[0] for sender in senders]
    assert [(end["status"], end["provider_code"]) for end in ends] == [
        ("sent", None),
        ("failed", "E_DELIVERY_FAILED"),
    ]
    assert [faulty.api.balance(sender) for sender in senders] == [4, 5]
    assert [faulty.mails_out(sender) for sender in senders] == [1, 0]
    sql = "SELECT kind FROM events WHERE message_id = ? ORDER BY sequence"
    kinds = [[row["kind"] for row in faulty.api.server.sql(sql, [end["id"]])] for end in ends]
    assert kinds == [["unknown", "sent"], ["unknown", "failed"]]


@pytest.mark.contract("errors: Errors and logs contain no secrets or internal details")
def test_the_log_of_a_failure_has_nothing_of_the_mail(faulty: Deployment) -> None:
    sender = faulty.api.new_sender()
    faulty.api.send(
        sender, to_mail="private-person@example.net", content="secret words", subject="[no code]"
    )
    log = faulty.api.server.log_text
    for private in ("private-person", "secret words", sender.jwt.rpartition(".")[2]):
        assert private not in log
