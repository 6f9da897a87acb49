"""Several transports: the next one is tried only after a rejection that concerns the transport."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail.message import Message
from store.database import Statement
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender
from transport.outcome import Outcome, Rejected, Sent, Unknown

ROUTED = {
    **DEPLOYMENT,
    "TRANSPORTS": [
        {"name": "first", "type": "resend"},
        {"name": "second", "type": "smtp", "host": "smtp.example.net", "port": 465},
    ],
    "TRANSPORT_SECRETS": {"first": {"api_key": "re_1"}},
    "ROUTES": {"example.com": ["first", "second"], "example.org": ["second"]},
    "PAUSE_FAILED_PERCENT": 0,
}

SENT = Sent("an-id")
# The provider has accepted the mail, but its response is lost; or the request is.
TAKEN, LOST = "taken", "lost"
OUTCOMES: dict[str, Outcome | str] = {
    "sent": SENT,
    "wrong key": Rejected("credentials_rejected", "X_KEY", transient=True, detail="a wrong key"),
    "unreachable": Rejected("unreachable", "X_UNREACHABLE", transient=True),
    "throttled": Rejected("throttled", "X_THROTTLED", transient=True),
    "quota": Rejected("quota_reached", "X_QUOTA", transient=True),
    "sender": Rejected("sender_not_allowed", "X_SENDER"),
    "recipient": Rejected("recipient_rejected", "X_RECIPIENT"),
    "suppressed": Rejected("recipient_suppressed", "X_SUPPRESSED"),
    "content": Rejected("content_rejected", "X_CONTENT"),
    "error": Rejected("provider_error", "X_ERROR"),
    "taken": TAKEN,
    "lost": LOST,
}
GOES_ON = {"wrong key", "unreachable", "throttled", "quota", "sender"}
TRANSIENT = {"wrong key", "unreachable", "throttled", "quota"}
UNKNOWN = {"taken", "lost"}


@dataclass
class Ledger:
    """A provider: its outcomes in their order, and which mails it has accepted, by key.

    With ``keyed``, it returns the first response again if it has accepted a mail with this key.
    """

    outcomes: list[str]
    keyed: bool
    accepted: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def transport(self, key: str) -> "Provider":
        return Provider(self, key)


@dataclass
class Provider:
    ledger: Ledger
    key: str

    async def send(self, message: Message) -> Outcome:
        ledger = self.ledger
        ledger.calls.append(self.key)
        name = ledger.outcomes.pop(0) if ledger.outcomes else "sent"
        outcome = OUTCOMES[name]
        if isinstance(outcome, Rejected) or outcome == LOST:
            return outcome if isinstance(outcome, Rejected) else Unknown(cause="timeout")
        if not (ledger.keyed and self.key in ledger.accepted):
            ledger.accepted.append(self.key)
        return Sent(f"id-{self.key}") if isinstance(outcome, Sent) else Unknown(cause="timeout")


@dataclass
class Scene:
    """A deployment with two transports; only the first one has idempotency keys."""

    server: TestClient
    api: Api
    sender: Sender
    first: Ledger
    second: Ledger

    def script(self, first: list[str], second: list[str]) -> None:
        self.first.outcomes, self.second.outcomes = first, second

    def row(self) -> dict[str, Any]:
        return self.api.messages_of(self.sender)[-1]

    def accepted(self) -> int:
        return len(self.first.accepted) + len(self.second.accepted)


def scene(server: TestClient) -> Scene:
    api = Api(server)
    found = Scene(server, api, api.new_sender(), Ledger([], True), Ledger([], False))
    server.transports = {"first": found.first.transport, "second": found.second.transport}
    server.sql("DELETE FROM transport_states")
    server.sql("DELETE FROM suppressions")
    return found


@pytest.fixture(scope="module")
def shared() -> Iterator[TestClient]:
    with TestClient(ROUTED, transport=False) as server:
        yield server


@pytest.fixture
def two(shared: TestClient) -> Iterator[Scene]:
    yield scene(shared)
    shared.sql("DELETE FROM messages")


@pytest.mark.parametrize("second", OUTCOMES)
@pytest.mark.parametrize("first", OUTCOMES)
def test_every_outcome_of_the_first_transport_with_every_one_of_the_second(
    two: Scene, first: str, second: str
) -> None:
    two.script([first], [second])
    before = two.api.balance(two.sender)
    response = two.api.send(two.sender)
    row = two.row()
    last = second if first in GOES_ON else first
    # Each provider's ledger: the second one is called only after a rejection about the first.
    assert len(two.first.calls) == 1
    assert len(two.second.calls) == (first in GOES_ON)
    assert two.accepted() == (last in ("sent", "taken"))
    # The row. The outcome of the last attempt decides, and whether an earlier one was transient.
    is_asked_again = first in UNKNOWN
    is_retried = first in GOES_ON and second in GOES_ON and bool({first, second} & TRANSIENT)
    if last == "sent":
        expected = (200, "sent")
    elif is_asked_again or is_retried:
        expected = (202, "queued")
    else:
        expected = (502, "unknown" if last in UNKNOWN else "failed")
    assert (response.status_code, row["status"]) == expected
    assert row["attempt"] == 1 + (first in GOES_ON)
    assert (row["ask_until"] is not None) == is_asked_again
    assert row["transport"] == ("second" if first in GOES_ON and not is_retried else "first")
    # The balance.
    assert before - two.api.balance(two.sender) == (row["status"] != "failed")
    # The history.
    history = two.api.message(two.sender, row["id"])["history"][1:]
    assert [event["transport"] for event in history] == ["first", "second"][: len(history)]
    if first in GOES_ON:
        rejection = OUTCOMES[first]
        assert isinstance(rejection, Rejected)
        assert history[0]["next_transport"] == "second"
        assert (history[0]["event"], history[0]["code"]) == ("deferred", rejection.provider_code)
    two.server.settle()


def test_an_unknown_outcome_is_asked_again_with_the_same_key(two: Scene) -> None:
    two.script(["taken", "throttled", "wrong key", "content", "sent"], [])
    assert two.api.send(two.sender).status_code == 202
    for _ in range(200):
        two.server.advance(60)
        two.server.run_cron()
    row = two.row()
    assert row["status"] == "sent"
    assert two.first.calls == [row["id"]] * 5
    assert two.first.accepted == [row["id"]]
    assert two.second.calls == []
    assert row["ask_until"] is None
    history = two.api.message(two.sender, row["id"])["history"]
    assert [event["event"] for event in history] == ["accepted", *["deferred"] * 4, "sent"]
    assert {event["code"] for event in history[1:-1]} == {"asked_again"}


def test_an_outcome_that_stays_unknown_is_unknown_when_the_time_of_the_key_is_over(
    two: Scene,
) -> None:
    two.script(["lost"] * 100, [])
    assert two.api.send(two.sender).status_code == 202
    started = two.server.now()
    while two.row()["status"] in ("queued", "sending"):
        two.server.advance(600)
        two.server.run_cron()
        assert two.server.now() - started < 24 * 3_600_000
    assert two.row()["status"] == "unknown"
    assert two.server.now() - started > 22 * 3_600_000
    assert two.api.balance(two.sender) == 999


def test_a_message_that_was_perhaps_sent_is_not_cancelled_but_unknown(two: Scene) -> None:
    two.script(["taken", "lost"], [])
    two.api.send(two.sender)
    id_ = two.row()["id"]
    cancelled = two.api.post(f"/emails/{id_}/cancel", headers=two.sender.headers)
    assert (cancelled.status_code, two.row()["status"]) == (409, "queued")
    two.api.admin("DELETE", f"/admin/delete_address/{two.sender.address_id}")
    (row,) = two.server.sql("SELECT status, charge FROM messages WHERE id = ?", [id_])
    assert row["status"] == "unknown"


def test_a_failing_transport_is_skipped_and_tried_again(two: Scene) -> None:
    two.script(["wrong key", "wrong key", "sent"], [])
    assert two.api.send(two.sender).status_code == 200
    assert two.api.send(two.sender).status_code == 200
    assert (len(two.first.calls), len(two.second.calls)) == (1, 2)
    (state,) = two.server.sql("SELECT * FROM transport_states")
    assert (state["name"], state["failures"], state["last_error"]) == ("first", 1, "a wrong key")
    two.server.advance(61)
    two.api.send(two.sender)  # fails again, and is skipped for two minutes
    two.server.advance(61)
    two.api.send(two.sender)
    assert (len(two.first.calls), len(two.second.calls)) == (2, 4)
    two.server.advance(60)
    two.api.send(two.sender)
    assert (len(two.first.calls), len(two.second.calls)) == (3, 4)
    (state,) = two.server.sql("SELECT * FROM transport_states")
    assert (state["failures"], state["skipped_until"]) == (0, 0)
    two.api.send(two.sender)
    assert len(two.first.calls) == 4


def test_a_transport_is_skipped_for_at_most_half_an_hour(two: Scene) -> None:
    two.script(["unreachable"] * 20, [])
    for _ in range(10):
        two.api.send(two.sender)
        (state,) = two.server.sql("SELECT * FROM transport_states")
        left = (state["skipped_until"] - two.server.now()) / 1000
        two.server.advance(left + 1)
    assert 1790 < left <= 1800


def test_a_waiting_message_leaves_by_a_transport_that_works(two: Scene) -> None:
    two.script(["throttled", "throttled"], ["throttled", "sent"])
    assert two.api.send(two.sender).status_code == 202
    two.server.sql(
        "INSERT INTO transport_states VALUES ('first', 1, ?, 'x', 0)",
        [two.server.now() + 3_600_000],
    )
    two.server.wait_until(lambda: two.row()["status"] == "sent", 600)
    assert (len(two.first.calls), len(two.second.calls)) == (1, 2)
    assert two.row()["transport"] == "second"


def test_a_domain_has_its_own_route(two: Scene) -> None:
    response = two.api.admin(
        "POST",
        "/admin/send_mail",
        json={
            "from_mail": "a@example.org",
            "to_mail": "you@example.net",
            "subject": "Hello",
            "content": "Hello",
        },
    )
    assert response.status_code == 200, response.text
    assert (len(two.first.calls), len(two.second.calls)) == (0, 1)


def test_a_domain_without_a_transport_is_rejected() -> None:
    variables = {**ROUTED, "ROUTES": {"example.org": ["first"]}}
    with TestClient(variables, transport=False) as server:
        api = Api(server)
        sender = api.new_sender()
        response = api.send(sender)
        assert (response.status_code, response.json()["code"]) == (400, "send_mail_not_enabled")
        assert (
            response.json()["detail"]
            == "Failed to send mail Please enable SEND_MAIL for this domain first"
        )


def test_mail_to_verified_recipients_leaves_by_the_binding() -> None:
    variables = {**DEPLOYMENT, "RESEND_TOKEN": "re_1"}
    with TestClient(variables) as server:
        ledger = Ledger([], True)
        server.transports = {"resend": ledger.transport}
        api = Api(server)
        sender = api.new_sender()
        server.sql("INSERT INTO list_entries (list, value) VALUES ('verified', 'you@example.net')")
        api.send(sender, to_mail="you@example.net")
        assert (len(server.provider.taken), len(ledger.calls)) == (1, 0)
        assert api.messages_of(sender)[-1]["transport"] == "send_email"
        api.send(sender, to_mail="me@example.net")
        assert (len(server.provider.taken), len(ledger.calls)) == (1, 1)
        assert api.messages_of(sender)[-1]["transport"] == "resend"


@pytest.mark.parametrize("first", sorted(GOES_ON))
def test_a_batch_goes_on_within_the_subrequests_of_workers_free(two: Scene, first: str) -> None:
    """What does not fit into the invocation is queued. TestClient ends one with too many."""
    two.script([first] * 100, [])
    mails = [
        {"from": two.sender.address, "to": f"to{n}@example.net", "subject": "Hello", "text": "Hi"}
        for n in range(40)
    ]
    response = two.api.post("/emails/batch", mails, headers=two.sender.headers)
    assert response.status_code == 200, response.text
    for _ in range(90):
        two.server.advance(60)
        two.server.run_cron()
    rows = two.api.messages_of(two.sender)
    assert Counter(row["status"] for row in rows) == {"sent": 40}
    assert len(two.second.accepted) + len(two.first.accepted) == 40
    assert max(one.used for one in two.server.invocations) <= 50


def test_without_a_queue_the_caller_gets_an_error_and_the_charge_back() -> None:
    with TestClient(ROUTED, transport=False, queue=False) as server:
        found = scene(server)
        found.script(["throttled"], ["throttled"])
        response = found.api.send(found.sender)
        assert (response.status_code, response.json()["code"]) == (503, "X_THROTTLED")
        assert found.row()["status"] == "failed"
        assert found.api.balance(found.sender) == 1000


def test_an_outcome_that_is_not_known_is_asked_again_without_a_queue() -> None:
    with TestClient(ROUTED, transport=False, queue=False) as server:
        found = scene(server)
        found.script(["taken"], [])
        assert found.api.send(found.sender).status_code == 202
        server.advance(60)
        server.run_cron()
        assert found.row()["status"] == "sent"
        assert len(found.first.accepted) == 1


def test_waiting_messages_go_on_within_the_subrequests_of_workers_free(two: Scene) -> None:
    """All of them are claimed for a transport that is skipped, so another one takes them over."""
    two.script(["throttled"] * 100, ["throttled"] * 100)
    mails = [
        {"from": two.sender.address, "to": f"to{n}@example.net", "subject": "Hello", "text": "Hi"}
        for n in range(60)
    ]
    assert two.api.post("/emails/batch", mails, headers=two.sender.headers).status_code == 200
    two.script(["wrong key"] * 1000, [])
    before = len(two.server.invocations)
    for _ in range(90):
        two.server.advance(60)
        two.server.run_cron()
    assert Counter(row["status"] for row in two.api.messages_of(two.sender)) == {"sent": 60}
    assert len(two.second.accepted) == 60
    assert max(one.used for one in two.server.invocations[before:]) <= 50


def test_a_send_by_one_transport_or_two_takes_two_round_trips(two: Scene) -> None:
    response = two.api.send(two.sender)
    (line,) = two.api.log_lines(response.headers["X-Request-Id"])
    assert line["d1_round_trips"] == 2
    assert line["d1_rows_written"] <= 12


STEPS = st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=8)


class Losing:
    """Loses the responses at these places, counted over all batches, before or after the batch."""

    def __init__(self, places: set[int]) -> None:
        self._places, self._count = places, itertools.count()

    def __call__(self, when: str, statements: list[Statement]) -> bool:
        return next(self._count) in self._places


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    first=STEPS,
    second=STEPS,
    kills=st.lists(st.integers(0, 6), max_size=2),
    lost=st.sets(st.integers(0, 20), max_size=12),
)
def test_no_recipient_gets_a_message_twice(
    shared: TestClient, first: list[str], second: list[str], kills: list[int], lost: set[int]
) -> None:
    """Over any outcomes, crashes and lost responses, a message is accepted once at most."""
    found = scene(shared)
    found.script(first, second)
    shared.lose_responses = Losing(lost)
    found.api.send(found.sender)
    for minute in range(50):
        if minute in kills:
            shared.kill()
        shared.advance(60)
        shared.run_cron()
    shared.lose_responses = lambda when, statements: False
    counts = Counter([*found.first.accepted, *found.second.accepted])
    assert max(counts.values(), default=0) <= 1
    rows = found.api.messages_of(found.sender)
    assert len(rows) <= 1
    for row in rows:
        if row["status"] in ("failed", "cancelled"):
            assert not counts
        if row["status"] == "sent":
            assert counts == {row["id"]: 1}
        assert found.api.balance(found.sender) == 1000 - (
            row["status"] not in ("failed", "cancelled")
        )
    assert rows or not counts
    shared.sql("DELETE FROM messages")
