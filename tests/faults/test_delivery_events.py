"""Delivery events through the real queue: many, unreadable ones, and while the database is away."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mail.delivery import KINDS
from tests.api.delivery import event
from tests.e2e.api import Api
from tests.faults.delivered import (
    counted,
    events_of,
    recorded,
    stored_messages,
    wait_for_events,
)
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger
from tools.event_producer import EventProducer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def gate() -> Iterator[Gate]:
    with Gate() as running:
        yield running


@pytest.fixture
def api(ledger: Ledger, gate: Gate) -> Iterator[Api]:
    with failing_deployment(ledger, gate=gate) as server:
        yield Api(server)


@pytest.fixture
def queue(api: Api) -> Iterator[EventProducer]:
    with EventProducer(api.server.registry) as producer:
        yield producer


def test_every_kind_arrives_among_poison_and_strangers(api: Api, queue: EventProducer) -> None:
    sender = api.new_sender(balance=5)
    rows = stored_messages(api.server, sender, len(KINDS))
    unknown = stored_messages(api.server, sender, 1, status="unknown")
    ours = [event(kind, row) for kind, row in zip(KINDS, rows, strict=True)]
    stranger = event("bounced", unknown[0], sender="a@stranger.example")
    poison: list[Any] = [None, 5, "text", [], {}, {"type": "cf.email.sending.message.delivered"}]
    long = {**ours[0], "padding": "x" * 100_000}
    # Deep recursion crashes Python in the runtime.
    nested = event("bounced", rows[0], bounce={"reason": "LISTS"})
    bodies = json.dumps([*poison, stranger, nested, *ours, long, *events_of(unknown, "delivered")])
    queue.put_json(bodies.replace('"LISTS"', "[" * 3000 + "]" * 3000))
    wait_for_events(api.server, len(KINDS) + 1)
    assert counted(api.server) == {**dict.fromkeys(KINDS, 1), "delivered": 2}
    (row,) = api.server.sql("SELECT status FROM messages WHERE id = ?", [unknown[0]["id"]])
    assert row == {"status": "sent"}
    (line,) = [
        one for one in api.server.log_lines() if one["event"] == "delivery_events_unreadable"
    ]
    assert len(line["problems"]) == len(poison) + 2


def test_no_event_is_lost_while_the_database_is_away(
    api: Api, queue: EventProducer, gate: Gate
) -> None:
    rows = stored_messages(api.server, api.new_sender(), 150)
    gate.break_off("events", "before")
    queue.put(events_of(rows, "delivered"))
    gate.wait_for("events", "before")
    time.sleep(8)
    assert recorded(api.server) == 0
    gate.reset()
    gate.break_off("events", "after", times=2)
    wait_for_events(api.server, 150)
    time.sleep(12)  # the batch whose responses were lost runs again
    assert counted(api.server) == {"delivered": 150}


def test_ten_thousand_events(
    api: Api, queue: EventProducer, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = stored_messages(api.server, api.new_sender(), 5000)
    events = events_of(rows, "delayed", "delivered")
    started = time.monotonic()
    queue.put(events)
    queue.put(events[:1000])
    wait_for_events(api.server, 10_000)
    seconds = time.monotonic() - started
    assert counted(api.server) == {"delayed": 5000, "delivered": 5000}
    with capsys.disabled():
        print(f"\n10,000 events in {seconds:.1f} s", flush=True)
