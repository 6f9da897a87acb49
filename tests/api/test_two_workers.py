"""Two Workers with different settings on one database, for example while a deployment changes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem

BUSY_ONCE = "[E_RATE_LIMIT_EXCEEDED 1]"
NEW_SECRET = "a-new-secret-of-the-tests-0123456789abcdef0123456789abcdef0123456789"
DAY = 86_400
NO_QUEUE = {"queue": False}


class Beside(Protocol):
    """Starts a Worker beside the one of ``api``."""

    def __call__(self, variables: Mapping[str, str], **options: Any) -> Api: ...


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient(DEPLOYMENT) as running:
        yield Api(running)


@pytest.fixture
def beside(api: Api) -> Iterator[Beside]:
    with ExitStack() as stack:

        def start(variables: Mapping[str, str], **options: Any) -> Api:
            worker = TestClient({**DEPLOYMENT, **variables}, beside=api.server, **options)
            return Api(stack.enter_context(worker))

        yield start


def at(api: Api, **ahead: float) -> str:
    now = datetime.fromtimestamp(api.server.now() / 1000, UTC)
    return (now + timedelta(**ahead)).isoformat()


def test_concurrent_crons_and_queues_send_each_message_once(api: Api, beside: Beside) -> None:
    paid = beside({"SUBREQUESTS": "10000"})
    queueless = beside({}, queue=False)
    senders = [api.new_sender(balance=100) for _ in range(3)]
    calls = [
        send_call(sender, scheduled_at=at(api, seconds=30), subject=f"{number}")
        for number in range(20)
        for sender in senders
    ]
    assert {response.status_code for response in api.server.request_all(calls)} == {202}
    for _ in range(3):
        api.server.advance(12)
        for worker in (api, paid, queueless) * 2:
            worker.server.start_cron()
    for worker in (api, paid, queueless):
        worker.server.settle()
    assert api.server.sql("SELECT DISTINCT status, attempt FROM messages") == [
        {"status": "sent", "attempt": 1}
    ]
    mails = Counter((mail["from"], mail["subject"]) for mail in api.server.sent_mails())
    assert (len(mails), set(mails.values())) == (60, {1})
    assert [api.balance(sender) for sender in senders] == [80] * 3


def test_a_paused_worker_leaves_messages_to_the_other(api: Api, beside: Beside) -> None:
    paused = beside({"SENDING_PAUSED": "true"})
    sender = api.new_sender(balance=5)
    waits = api.send_with_key(sender, "key", subject=BUSY_ONCE)
    assert waits.status_code == 202
    api.server.kill()  # the queue loses the message
    api.server.advance(60)
    paused.server.run_cron()
    paused.server.settle()
    assert api.messages_of(sender)[0]["status"] == "queued"
    assert paused.send(sender).status_code == 503
    again = paused.send_with_key(sender, "key", subject=BUSY_ONCE)
    assert (again.status_code, again.json()) == (202, waits.json())
    api.server.run_cron()
    api.server.settle()
    assert api.messages_of(sender)[0]["status"] == "sent"
    assert (api.balance(sender), len(api.sent_by(sender))) == (4, 1)


def test_a_paused_worker_ends_the_leases_of_a_killed_one(api: Api, beside: Beside) -> None:
    paused = beside({"SENDING_PAUSED": "true"})
    sender = api.new_sender(balance=5)
    api.server.start(*send_call(sender, subject="[wait 5000]"))
    api.server.advance(1)
    api.server.kill()
    api.server.advance(130)
    paused.server.run_cron()
    assert api.messages_of(sender)[0]["status"] == "unknown"


def test_a_worker_without_a_queue_retries_messages_that_another_queued(
    api: Api, beside: Beside
) -> None:
    queueless = beside({}, queue=False)
    sender = api.new_sender(balance=5)
    assert api.send(sender, subject=BUSY_ONCE).status_code == 202
    rejected = queueless.send(sender, subject=f"{BUSY_ONCE} without a queue")
    assert rejected.status_code == 503
    api.server.kill()
    api.server.advance(60)
    queueless.server.run_cron()
    statuses = [row["status"] for row in api.messages_of(sender)]
    assert statuses == ["sent", "failed"]
    assert (api.balance(sender), len(api.sent_by(sender))) == (4, 1)


def test_a_shorter_retention_removes_no_waiting_message(api: Api, beside: Beside) -> None:
    short = beside({"RETENTION_DAYS": "1", "RETENTION_METADATA_DAYS": "1"})
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, scheduled_at=at(api, days=20), content="later").json()["id"]
    for _ in range(19):
        api.server.advance(DAY)
        short.server.run_cron()
    assert api.message(sender, message_id)["text"] == "later"
    api.server.advance(DAY)
    api.server.run_cron()
    api.server.settle()
    (mail,) = api.sent_by(sender)
    assert api.server.mail_bodies(mail).text == "later"
    api.server.advance(DAY + 60)
    api.server.run_cron()
    assert api.message(sender, message_id)["text"] == "later"
    short.server.run_cron()
    assert api.messages_of(sender) == []


def test_credentials_are_valid_where_their_secret_is_known(api: Api, beside: Beside) -> None:
    new = beside({"JWT_SECRET": NEW_SECRET, "JWT_SECRET_PREVIOUS": DEPLOYMENT["JWT_SECRET"]})
    old_sender, new_sender = api.new_sender(balance=5), new.new_sender(balance=5)
    assert (api.send(old_sender).status_code, new.send(old_sender).status_code) == (200, 200)
    assert new.send(new_sender).status_code == 200
    rejected = api.send(new_sender)
    check_problem(rejected, 401, "invalid_credential", "Invalid address credential")
    rotated = api.post("/api/rotate_credential", headers=old_sender.headers)
    assert rotated.status_code == 200
    assert (api.send(old_sender).status_code, new.send(old_sender).status_code) == (401, 401)


def test_a_default_balance_is_granted_once(api: Api, beside: Beside) -> None:
    generous = beside({"DEFAULT_SEND_BALANCE": "5000"})
    sender, other = api.new_sender(), api.new_sender()
    calls = [send_call(sender)] * 3
    responses = api.server.request_all(calls) + generous.server.request_all(calls)
    assert {response.status_code for response in responses} == {200}
    assert (api.balance(sender), generous.balance(sender)) == (994, 994)
    assert generous.send(other).status_code == 200
    assert api.balance(other) == 4999


def test_only_the_worker_with_a_rate_limit_counts(api: Api, beside: Beside) -> None:
    limited = beside({"SEND_RATE_LIMIT": "2/minute"})
    sender = api.new_sender(balance=20)
    for _ in range(3):
        assert api.send(sender).status_code == 200
    assert [limited.send(sender).status_code for _ in range(3)] == [200, 200, 429]
    assert api.send(sender).status_code == 200
    assert (api.balance(sender), len(api.sent_by(sender))) == (14, 6)


@pytest.mark.parametrize(
    ("variables", "options"),
    [({"BATCH_INLINE": "1", "SEND_RATE_LIMIT": "2/minute"}, {}), ({"BATCH_INLINE": "1"}, NO_QUEUE)],
    ids=["rate limit", "no queue"],
)
def test_a_batch_is_replayed_by_a_worker_with_lower_limits(
    api: Api, beside: Beside, variables: dict[str, str], options: dict[str, Any]
) -> None:
    small = beside(variables, **options)
    sender = api.new_sender(balance=20)
    emails = [
        {"from": sender.address, "to": "a@example.net", "subject": f"{number}", "text": "Hi"}
        for number in range(6)
    ]
    headers = {**sender.headers, "Idempotency-Key": "batch"}
    first = api.post("/emails/batch", emails, headers=headers)
    again = small.post("/emails/batch", emails, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert small.post("/emails/batch", emails[1:], headers=headers).status_code == 409
    other = {**headers, "Idempotency-Key": "another batch"}
    assert small.post("/emails/batch", emails, headers=other).status_code == 400
    api.server.settle()
    assert (api.balance(sender), len(api.sent_by(sender))) == (14, 6)
