"""Delivery events lead to the same state in any order and any batches, even if they repeat."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given as examples
from hypothesis import strategies as st

from mail.delivery import KINDS, DeliveryKind, rank
from sending.delivery_events import process_events
from services import QueuedEvent
from store.record import StatusUpdate, record
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from transport.delivery_events import event_form

# The messages, with their recipients and the event that ends their attempt. Those that timed out
# have an unknown outcome.
MESSAGES: dict[str, tuple[tuple[str, ...], Any]] = {
    "m1": (("a@one.example", "b@one.example"), "accepted"),
    "m2": (("c@one.example",), "accepted"),
    "m3": (("d@one.example",), "timed_out"),
    "m4": (("e@one.example", "f@one.example"), "timed_out"),
    "m5": (("delivered@test.invalid",), "accepted"),
}


class Event(NamedTuple):
    message: str
    recipient: str
    kind: DeliveryKind
    is_hard: bool
    number: int

    @property
    def queued(self) -> QueuedEvent:
        form = event_form(
            self.kind,
            event_id=repr(self),
            message_id=f"<{self.message}@provider.test>",
            sender=given.ME,
            recipient=self.recipient,
            occurred_at=NOW + 1000 * self.number + rank(self.kind),
            **({"bounce": {"type": "hard" if self.is_hard else "soft"}} if self.is_bounce else {}),
        )
        return QueuedEvent(json.dumps(form), 1)

    @property
    def is_bounce(self) -> bool:
        return self.kind in ("bounced", "delayed")


PLACES = [(message, to) for message, (recipients, _) in MESSAGES.items() for to in recipients]
EVENTS = st.builds(
    lambda place, kind, is_hard, number: Event(
        place[0], place[1], kind, is_hard and kind == "bounced", number
    ),
    st.sampled_from(PLACES),
    st.sampled_from(KINDS),
    st.booleans(),
    st.integers(0, 1),
)
# An arrival is a batch and how often it runs.
ARRIVALS = st.lists(
    st.tuples(st.lists(EVENTS, min_size=1, max_size=6), st.integers(1, 2)), max_size=6
)


def sent_messages() -> SqliteDatabase:
    database = SqliteDatabase()
    credential = given.address(database, balance=20)
    for id, (recipients, end) in MESSAGES.items():
        given.reserved(database, credential, id, given.message(*recipients))
        provider_id = f"<{id}@provider.test>" if end == "accepted" else None
        update = StatusUpdate(id=id, event=end, attempt=1, now=NOW, provider_message_id=provider_id)
        run(record(database, [update]))
    return database


START = sent_messages()


def after(batches: Sequence[Sequence[Event]]) -> dict[str, Any]:
    """The state after these batches: everything but the history of the messages."""
    database = START.copy()
    services = given.services(
        database,
        transport=None,  # type: ignore[arg-type]
        wakeup_queue=None,
        waiting=AsyncioWaiting(lambda work: None),
        clock=lambda: NOW + 60_000,
    )
    for batch in batches:
        assert run(process_events([event.queued for event in batch], services)) == {}
    dump = database.dump()
    messages = [
        {name: value for name, value in row.items() if name != "finished_at"}
        for row in dump["messages"]
    ]
    tables = (
        *("delivery_events", "delivery_days", "usage_days"),
        *("suppressions", "send_balances", "daily_recipients"),
    )
    return {"messages": messages, **{table: dump[table] for table in tables}}


@examples(ARRIVALS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(
    arrivals: list[tuple[list[Event], int]], random: Any
) -> None:
    batches = [batch for batch, times in arrivals for _ in range(times)]
    random.shuffle(batches)
    once = sorted({event for batch in batches for event in batch}, key=lambda one: rank(one.kind))
    assert after(batches) == after([[event] for event in once])
