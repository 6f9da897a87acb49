"""Delivery events of each recipient, after the message was sent."""

import pytest

from mail.lifecycle import Event
from store.record import StatusUpdate, record
from store.record.deliveries import record_delivery_events
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

LATER = NOW + 2000
TWO = ("bounced@test.invalid", "bounced+2@test.invalid")


@pytest.fixture(autouse=True)
def sent(database: SqliteDatabase) -> None:
    """m1 to two recipients and m2 to one recipient are sent; m3 is being sent."""
    credential = given.address(database, balance=0)
    attempts = [
        given.attempt(given.message(*to), id)
        for id, to in (("m1", TWO), ("m2", TWO[:1]), ("m3", TWO))
    ]
    given.reserve(database, attempts, credential, reports="acceptance")
    ended = [StatusUpdate(id=id, event="accepted", attempt=1, now=NOW + 500) for id in ("m1", "m2")]
    run(record(database, ended))


def record_event(database: SqliteDatabase, *events: tuple[str, tuple[str, ...]]) -> None:
    run(record_delivery_events(database, events, now=LATER))


def history(database: SqliteDatabase, id: str = "m1") -> list[tuple[str, str | None]]:
    sql = "SELECT kind, recipient, sequence FROM events WHERE message_id = ? ORDER BY sequence"
    rows = database.query(sql, id)
    assert [row["sequence"] for row in rows] == [*range(len(rows))]
    return [(row["kind"], row["recipient"]) for row in rows]


def deliveries(database: SqliteDatabase, id: str = "m1") -> list[str | None]:
    sql = "SELECT status FROM deliveries WHERE message_id = ? ORDER BY position"
    return [row["status"] for row in database.query(sql, id)]


def test_each_recipient_has_its_own_events(database: SqliteDatabase) -> None:
    record_event(database, ("m1", ("bounced",)))
    assert deliveries(database) == ["bounced", "bounced"]
    assert history(database) == [("sent", None), ("bounced", TWO[0]), ("bounced", TWO[1])]
    event = database.query("SELECT * FROM events WHERE message_id = 'm1' ORDER BY sequence")[-1]
    assert (event["attempt"], event["occurred_at"], event["provider_code"]) == (1, LATER, None)
    assert database.value("SELECT status FROM messages WHERE id = 'm1'") == "sent"


def test_delivery_events_keep_their_order(database: SqliteDatabase) -> None:
    record_event(database, ("m1", ("delivered", "complained")), ("m2", ("delivered",)))
    assert deliveries(database) == ["complained", "complained"]
    assert history(database) == [
        ("sent", None),
        ("delivered", TWO[0]),
        ("delivered", TWO[1]),
        ("complained", TWO[0]),
        ("complained", TWO[1]),
    ]
    assert (deliveries(database, "m2"), history(database, "m2")) == (
        *(["delivered"], [("sent", None), ("delivered", TWO[0])]),
    )
    sequences = "SELECT message_id, sequence FROM events WHERE message_id IN ('m1', 'm2')"
    found = sorted(tuple(row.values()) for row in database.query(sequences))
    assert found == [*(("m1", number) for number in range(5)), ("m2", 0), ("m2", 1)]


def test_each_message_numbers_its_own_events(database: SqliteDatabase) -> None:
    record_event(database, ("m1", ("delivered", "complained")))
    record_event(database, ("m2", ("delivered",)))
    sequences = "SELECT sequence FROM events WHERE message_id = 'm2' ORDER BY sequence"
    assert [row["sequence"] for row in database.query(sequences)] == [0, 1]


def test_a_repeated_delivery_event_is_ignored(database: SqliteDatabase) -> None:
    record_event(database, ("m1", ("delivered",)))
    after, written = database.dump(), database.changes()
    record_event(database, ("m1", ("delivered",)))
    assert (database.dump(), database.changes()) == (after, written)


@pytest.mark.parametrize("id", ["m0", "m3"])
def test_a_message_that_is_not_sent_gets_no_delivery_events(
    database: SqliteDatabase, id: str
) -> None:
    before = database.dump()
    record_event(database, (id, ("delivered", "complained")))
    assert database.dump() == before


@pytest.mark.parametrize("event", ["rejected", "timed_out", "deferred"])
def test_only_a_sent_message_gets_delivery_events(database: SqliteDatabase, event: Event) -> None:
    about = StatusUpdate(id="m3", event=event, attempt=1, now=NOW + 500, next_attempt_at=LATER)
    run(record(database, [about]))
    before = database.dump()
    record_event(database, ("m3", ("delivered",)))
    assert database.dump() == before


def test_the_events_of_a_batch_are_four_statements(database: SqliteDatabase) -> None:
    once = type(database) is SqliteDatabase
    database.statements.clear()
    record_event(
        database, *((f"m{number}", ("delivered", "complained")) for number in range(1, 26))
    )
    assert len(database.statements) == (4 if once else 8)
