"""Other invocations do the work that exceeds the subrequests of one. No outcome and mail is lost.

The deployment ends an invocation that makes more subrequests than the plan allows, even if they
record outcomes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from store.database import Statement
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, file
from tests.faults.gate.passage import batch_passage

SUPPRESSED = "E_RECIPIENT_SUPPRESSED"
LATE = "[wait 33000]"
BUSY = "[E_RATE_LIMIT_EXCEEDED]"
# The attachments of one message, larger than the bytes that are held at a time.
LARGE = [file(b"a" * 3_300_000)]


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "SEND_RATE_LIMIT": "1000/minute"}) as server:
        yield Api(server)


def schedule(api: Api, sender: Sender, subject: str, **fields: Any) -> None:
    at = datetime.fromtimestamp(api.server.now() / 1000 + 3600, UTC).isoformat()
    response = api.send(sender, subject=subject, scheduled_at=at, **fields)
    assert response.status_code == 202, response.text


def make_due(api: Api) -> None:
    api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL")


def statuses(api: Api, sender: Sender) -> list[str]:
    return [row["status"] for row in api.messages_of(sender)]


def submit(api: Api, sender: Sender, subjects: list[str], **headers: str) -> None:
    emails = [
        {"from": sender.address, "to": "you@example.net", "subject": subject, "text": "Hello"}
        for subject in subjects
    ]
    response = api.post("/emails/batch", emails, headers={**sender.headers, **headers})
    assert response.status_code == 200, response.text


def events(api: Api) -> set[str]:
    return {line["event"] for line in api.server.log_lines()}


@pytest.mark.parametrize("count", [4, 9])
def test_rejections_of_large_messages_are_recorded(api: Api, count: int) -> None:
    sender = api.new_sender(balance=100)
    for number in range(count):
        to = f"large{number}@example.net"
        schedule(api, sender, f"[{SUPPRESSED}]", to_mail=to, attachments=LARGE)
    make_due(api)
    api.server.run_cron()
    api.server.settle()
    assert statuses(api, sender) == ["failed"] * count
    assert api.balance(sender) == 100
    assert len(api.server.sql("SELECT address FROM suppressions")) == count
    assert not {"record_failed", "record_given_up"} & events(api)


def test_large_messages_end_with_the_status_of_their_outcome(api: Api) -> None:
    sender = api.new_sender(balance=100)
    subjects = ["", LATE, f"[{SUPPRESSED}]", f"{LATE} [{SUPPRESSED}]", "[no code]", BUSY] * 2
    for number, subject in enumerate(subjects):
        to = f"any{number}@example.net"
        schedule(api, sender, f"{subject} {number}", to_mail=to, attachments=LARGE)
    make_due(api)
    api.server.run_cron()
    api.server.advance(70)
    ends = Counter(statuses(api, sender))
    assert ends == {"sent": 4, "failed": 4, "unknown": 2, "queued": 2}
    assert api.balance(sender) == 100 - 8
    assert len(api.server.provider.mails_of(sender.address)) == 4
    assert "record_given_up" not in events(api)


@pytest.mark.parametrize("count", [10, 19])
@pytest.mark.parametrize("step", [100, 2600])
def test_late_responses_are_all_recorded(api: Api, count: int, step: int) -> None:
    sender = api.new_sender(balance=100)
    last = min(54_000, 31_000 + step * (count - 1))
    times = [min(last, 31_000 + step * number) for number in range(count)]
    submit(api, sender, [f"[wait {time}] {number}" for number, time in enumerate(times)])
    assert set(statuses(api, sender)) <= {"unknown", "queued", "sent"}
    api.server.settle()
    assert statuses(api, sender) == ["sent"] * count
    assert not {"record_failed", "record_given_up"} & events(api)


def test_late_responses_of_every_kind_are_recorded(api: Api) -> None:
    sender = api.new_sender(balance=100)
    endings = ["", f"[{SUPPRESSED}]", BUSY]
    subjects = [f"[wait {31_000 + 2600 * n}] {endings[n % 3]} {n}" for n in range(9)]
    submit(api, sender, subjects, **{"Idempotency-Key": "k"})
    api.server.settle()
    assert Counter(statuses(api, sender)) == {"sent": 3, "failed": 6}
    assert api.balance(sender) == 97
    assert not {"record_failed", "record_given_up"} & events(api)


def test_a_response_that_never_comes_does_not_delay_the_others(api: Api) -> None:
    sender = api.new_sender(balance=100)
    times = [*range(31_000, 52_000, 2600), 10**9]
    submit(api, sender, [f"[wait {time}]" for time in times])
    # The platform may end the invocation half a minute after the response.
    api.server.advance(30)
    assert statuses(api, sender) == ["sent"] * (len(times) - 1) + ["unknown"]


class Silent:
    """The database does not respond to batches that record outcomes for ``seconds``."""

    def __init__(self, api: Api, seconds: float) -> None:
        self._now, self._until = api.server.now, api.server.now() + seconds * 1000

    def __call__(self, when: str, statements: Sequence[Statement]) -> bool:
        is_record = batch_passage(when, statements).point == "record"
        return when == "before" and is_record and self._now() < self._until


@pytest.mark.parametrize("subject", ["accepted", f"[{SUPPRESSED}]", BUSY])
@pytest.mark.parametrize("seconds", [0.3, 5, 25])
def test_an_outcome_is_recorded_as_soon_as_the_database_responds(
    api: Api, subject: str, seconds: float
) -> None:
    sender = api.new_sender(balance=5)
    api.server.lose_responses = Silent(api, seconds)
    api.send_with_key(sender, "k", subject=subject)
    api.server.advance(31)
    expected = {"accepted": ("sent", 4), BUSY: ("queued", 4)}.get(subject, ("failed", 5))
    (status,) = statuses(api, sender)
    # After the transient rejection (BUSY), the message was attempted again.
    assert (status, api.balance(sender)) == expected
    assert "record_given_up" not in events(api)


def test_a_batch_waits_for_a_silent_database_as_well(api: Api) -> None:
    sender = api.new_sender(balance=100)
    api.server.lose_responses = Silent(api, 25)
    submit(api, sender, [f"[{SUPPRESSED}] {n}" for n in range(15)], **{"Idempotency-Key": "k"})
    api.server.advance(31)
    assert set(statuses(api, sender)) == {"failed"}
    assert api.balance(sender) == 100


@pytest.mark.parametrize(("subrequests", "inline"), [(50, range(15, 25)), (10_000, [25])])
def test_a_batch_sends_at_once_what_the_plan_allows(subrequests: int, inline: Any) -> None:
    with TestClient({**DEPLOYMENT, "SUBREQUESTS": subrequests}) as server:
        api = Api(server)
        sender = api.new_sender(balance=100)
        submit(api, sender, [f"number {number}" for number in range(40)])
        counts = Counter(statuses(api, sender))
        assert counts["sent"] in inline
        assert counts["queued"] == 40 - counts["sent"]
        server.settle()
        assert statuses(api, sender) == ["sent"] * 40


def test_messages_that_do_not_fit_are_enqueued_again_without_a_delay(api: Api) -> None:
    sender = api.new_sender(balance=100)
    for number in range(4):
        schedule(api, sender, f"[{SUPPRESSED}] {number}", attachments=LARGE)
    make_due(api)
    before = api.server.now()
    api.server.run_cron()
    api.server.settle()
    assert api.server.now() - before < 10_000
    assert statuses(api, sender) == ["failed"] * 4


def test_mail_is_whole_whichever_invocation_sends_it(api: Api) -> None:
    sender = api.new_sender(balance=100)
    contents = [bytes([65 + number]) * 1_500_000 for number in range(6)]
    for number, content in enumerate(contents):
        attachments = [file(content), file(b"small")]
        schedule(api, sender, f"{number}", content=f"text {number}", attachments=attachments)
    make_due(api)
    api.server.run_cron()
    api.server.settle()
    taken = {one.form["subject"]: one for one in api.server.provider.taken}
    assert sorted(taken) == [str(number) for number in range(6)]
    for number, content in enumerate(contents):
        one = taken[str(number)]
        assert (one.form["text"], one.contents) == (f"text {number}", [content, b"small"])
