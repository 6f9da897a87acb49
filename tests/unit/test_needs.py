"""The numbers in ``sending/needs.py`` that belong to code which a send does not import."""

import json

import pytest

from mail.sandbox_recipients import OUTCOMES
from sending import needs
from store.record.deliveries import record_delivery_events
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from transport.delivery_events import read_event
from transport.sandbox_events import delivery_events


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_delivery_events_of_a_sandbox_recipient_need_what_is_kept_back(outcome: str) -> None:
    database = SqliteDatabase()
    message = given.message(f"{outcome}@test.invalid")
    forms = delivery_events(message, "<1@test.invalid>", now=NOW)
    assert len(forms) <= needs.EVENTS_PER_RECIPIENT
    events = [read_event(json.dumps(form), now=NOW) for form in forms]
    run(record_delivery_events(database, events, now=NOW))
    assert len(database.statements) == needs.DELIVERY_EVENTS
