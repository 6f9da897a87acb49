"""Delivery events lead to the same state in any order and any batches, even if they repeat."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given as examples
from hypothesis import strategies as st

from mail.delivery import KINDS, NOT_SENT, PROOFS, DeliveryKind, rank
from sending.delivery_events import process_events
from services import QueuedEvent
from store.record import StatusUpdate, record
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.given import DAY, NOW
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
    "m6": (("g@one.example", "h@one.example"), "timed_out"),
}
# The messages that were scheduled, and the time of their attempt.
SCHEDULED = {"m6": NOW + 10 * DAY}


class Event(NamedTuple):
    message: str
    recipient: str
    kind: DeliveryKind
    is_hard: bool
    number: int
    provider_id: str = ""  # by default that of the message

    @property
    def queued(self) -> QueuedEvent:
        form = event_form(
            self.kind,
            event_id=repr(self),
            message_id=f"<{self.provider_id or self.message}@provider.test>",
            sender=given.ME,
            recipient=self.recipient,
            occurred_at=SCHEDULED.get(self.message, NOW) + 1000 * self.number + rank(self.kind),
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
        due_at = SCHEDULED.get(id)
        mail = given.scheduled(due_at, id, *recipients) if due_at else given.message(*recipients)
        given.reserved(database, credential, id, mail)
        if due_at:
            given.claimed(database, id, now=due_at)
        provider_id = f"<{id}@provider.test>" if end == "accepted" else None
        now = due_at or NOW
        update = StatusUpdate(id=id, event=end, attempt=1, now=now, provider_message_id=provider_id)
        run(record(database, [update]))
    return database


START = sent_messages()


def after(batches: Sequence[Sequence[Event]]) -> dict[str, Any]:
    """The state after these batches: everything but the history of the messages."""
    database = START.copy()
    services = given.services(
        database,
        transport=None,
        wakeup_queue=None,
        waiting=AsyncioWaiting(lambda work: None),
        clock=lambda: NOW + 11 * DAY,
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


def expected_status(id: str, events: Sequence[Event]) -> str:
    recipients, end = MESSAGES[id]
    kinds = {event.kind for event in events}
    if end == "accepted":
        return "sent"
    if not events:
        return "unknown"
    without = {event.recipient for event in events if event.kind in NOT_SENT}
    return "failed" if len(without) == len(recipients) and not kinds & PROOFS else "sent"


@examples(ARRIVALS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(
    arrivals: list[tuple[list[Event], int]], random: Any
) -> None:
    batches = [batch for batch, times in arrivals for _ in range(times)]
    random.shuffle(batches)
    once = sorted({event for batch in batches for event in batch}, key=lambda one: rank(one.kind))
    state = after(batches)
    assert state == after([[event] for event in once])
    for message in state["messages"]:
        own = [event for event in once if event.message == message["id"]]
        assert message["status"] == expected_status(message["id"], own)
        assert message["delivery_status"] == max(
            (event.kind for event in own), key=rank, default=None
        )


# Events of two unknown messages, to one and to two recipients.
OTHERS_TOO = st.builds(
    lambda place, kind, is_other: Event(
        place[0], place[1], kind, False, 0, f"other-{place[0]}" * is_other
    ),
    st.sampled_from([place for place in PLACES if place[0] in ("m3", "m4")]),
    st.sampled_from(KINDS),
    st.booleans(),
)


@examples(
    st.lists(OTHERS_TOO, max_size=8),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2)), max_size=8),
)
def test_batches_do_not_matter_if_other_programs_send_too(
    events: list[Event], batches: list[tuple[int, int]]
) -> None:
    """Mail of another program has the same sender and recipients, but another Message-ID."""
    remaining, arrived = list(events), []
    for size, times in [*batches, (len(events), 1)]:
        arrived += [remaining[:size]] * times
        remaining = remaining[size:]
    assert after(arrived) == after([[event] for event in events])
