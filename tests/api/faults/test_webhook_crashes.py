"""The deployment dies at any time of a send and of its deliveries, or the database is silent.

Every change of a message reaches the receiver at least once, always with the same id and bytes.
Nothing is delivered that did not happen.
"""

import random
from collections.abc import Iterator

import pytest

from mail.webhook_events import EVENTS
from store.database import Statement
from tests.api.delivery import event
from tests.client import TestClient
from tests.client.receiver import Received, respond_with
from tests.e2e.api import DEPLOYMENT, Api, Sender, mail

URL = "https://hooks.example.net/"
# The length of a send with its delivery, in seconds of virtual time.
_LENGTH = 0.12


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "SUBREQUESTS": "10000"}) as server:
        yield Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    sender = api.new_sender(balance=1000)
    body = {"endpoint": URL, "events": list(EVENTS)}
    assert api.post("/webhooks", body, headers=sender.headers).status_code == 200
    return sender


def run_until_nothing_waits(api: Api) -> None:
    """Let the cron end leases, and deliver what waits."""
    for _ in range(6):
        api.server.advance(60)
        api.server.run_cron()
    api.server.settle()


def check(api: Api) -> None:
    """Check that the receiver knows every change, and nothing else."""
    received: dict[str, set[str]] = {}
    for one in api.server.receiver.received:
        received.setdefault(one.id, set()).add(one.body)
    assert {len(bodies) for bodies in received.values()} <= {1}
    rows = api.server.sql("SELECT id, type, status, body FROM webhook_deliveries")
    assert {row["status"] for row in rows} <= {"success"}
    assert {row["id"]: {row["body"]} for row in rows} == received
    heard = sorted((one.type, one.data["email_id"]) for one in _each_once(api))
    assert heard == sorted(_changes(api))


def _each_once(api: Api) -> list[Received]:
    found = {one.id: one for one in api.server.receiver.received}
    return list(found.values())


def _changes(api: Api) -> list[tuple[str, str]]:
    """The events of all changes of messages, with the ids of the messages."""
    kinds = {"deferred": "queued"}
    changes = [
        (f"email.{kinds.get(row['kind'], row['kind'])}", row["message_id"])
        for row in api.server.sql("SELECT kind, message_id FROM events")
    ]
    delivered = api.server.sql("SELECT message_id FROM delivery_events")
    return changes + [("email.delivered", row["message_id"]) for row in delivered]


@pytest.mark.parametrize("seed", range(20))
def test_a_crash_loses_no_event(api: Api, sender: Sender, seed: int) -> None:
    chance = random.Random(seed)
    api.server.receiver.respond = respond_with(200, seconds=0.03)
    for _ in range(3):
        request = ("POST", "/api/send_mail", {"json": mail(), "headers": sender.headers})
        api.server.start(*request)
        api.server.advance(chance.uniform(0, _LENGTH))
        api.server.kill()
        # Others run on while what was killed waits for its lease to end.
        api.server.advance(chance.uniform(0, 2))
    for row in api.messages_of(sender):
        if row["status"] == "sent":
            api.server.deliver_events([event("delivered", row, "recipient@example.net")])
            api.server.advance(chance.uniform(0, _LENGTH))
            api.server.kill()
    run_until_nothing_waits(api)
    check(api)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("seed", range(10))
def test_a_silent_database_loses_no_event(api: Api, sender: Sender, seed: int, when: str) -> None:
    chance = random.Random(seed)

    def lose(now: str, statements: list[Statement]) -> bool:
        return now == when and chance.random() < 0.3

    api.server.lose_responses = lose
    for _ in range(5):
        api.post("/api/send_mail", mail(), headers=sender.headers)
        api.server.settle()
    api.server.lose_responses = lambda now, statements: False
    run_until_nothing_waits(api)
    check(api)
