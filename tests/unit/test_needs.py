"""The numbers in ``sending/needs.py`` that belong to code which a send does not import."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mail.sandbox_recipients import OUTCOMES
from sending import needs
from sending.dispatcher import Dispatcher
from store.record.deliveries import record_delivery_events
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from transport.delivery_events import read_event
from transport.sandbox_events import delivery_events


def test_as_many_events_are_planned_as_a_sandbox_recipient_may_have() -> None:
    messages = [given.message(f"{outcome}@test.invalid") for outcome in OUTCOMES]
    counts = [len(delivery_events(one, "<1@test.invalid>", now=NOW)) for one in messages]
    assert max(counts) == needs.EVENTS_PER_RECIPIENT


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_delivery_events_of_a_sandbox_recipient_need_what_is_kept_back(outcome: str) -> None:
    database = SqliteDatabase()
    message = given.message(f"{outcome}@test.invalid")
    forms = delivery_events(message, "<1@test.invalid>", now=NOW)
    assert len(forms) <= needs.EVENTS_PER_RECIPIENT
    events = [read_event(json.dumps(form), now=NOW) for form in forms]
    run(record_delivery_events(database, events, now=NOW))
    assert len(database.statements) == needs.DELIVERY_EVENTS


class Queue:
    """Stores what is enqueued."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def enqueue(self, events: list[Any]) -> None:
        self.events += events


@pytest.mark.parametrize(("more", "enqueued"), [((), 200), (("delivered@test.invalid",), 0)])
async def test_more_delivery_events_than_fit_into_the_subrequests_are_recorded_here(
    more: tuple[str, ...], enqueued: int
) -> None:
    """A call of the queue takes 100 events, and DELIVERY_EVENTS calls are kept back."""
    database, queue = SqliteDatabase(), Queue()
    unused: Any = object()
    services = given.services(
        database, transport=unused, wakeup_queue=None, waiting=unused, clock=lambda: NOW
    )
    services = replace(services, event_queue=queue)
    message = given.message(*["complained@test.invalid"] * 100, *more)
    await Dispatcher(services)._deliver([(message, "<1@test.invalid>")])
    assert len(queue.events) == enqueued
    assert bool(database.statements) == (not enqueued)
