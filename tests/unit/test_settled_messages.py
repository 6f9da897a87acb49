"""Delivery events of messages with an unknown outcome, and events that disprove an outcome."""

from typing import Any

import pytest

from accounts.credentials import Credential
from mail.delivery import KINDS, DeliveryEvent, DeliveryKind
from store.database import Row
from store.record import StatusUpdate, record
from store.record.deliveries import record_delivery_events, settle
from store.sendbox_generation import ADMINISTRATION
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

A, B, C = "a@one.example", "b@two.example", "c@three.example"
SANDBOX = "delivered@test.invalid"


@pytest.fixture(autouse=True)
def sent(database: SqliteDatabase, me: Credential) -> None:
    """m1 to A and B is sent."""
    put(database, me, "m1", A, B, event="accepted")


def put(
    database: SqliteDatabase, me: Credential, id: str, *to: str, event: Any, **more: Any
) -> None:
    given.reserved(database, me, id, given.message(*to, sender=me.address))
    run(record(database, [update(id, event, **more)]))


def update(id: str, event: Any, **more: Any) -> StatusUpdate:
    provider_id = f"<{id}@p.test>" if event in ("accepted", "disproved") else None
    return StatusUpdate(
        id=id, event=event, attempt=1, now=NOW, provider_message_id=provider_id, **more
    )


def event(kind: DeliveryKind, message: str, recipient: str, **fields: Any) -> DeliveryEvent:
    return given.event(kind, f"<{message}@p.test>", recipient, **fields)


def unmatched(database: SqliteDatabase, *events: DeliveryEvent) -> list[Row]:
    _, rows, _, _ = run(record_delivery_events(database, events, now=NOW))
    return rows


def corrected(database: SqliteDatabase, *events: DeliveryEvent) -> list[tuple[str, str]]:
    """The id and the present status of each message whose outcome these events contradict."""
    _, _, rows, _ = run(record_delivery_events(database, events, now=NOW))
    return [(row["id"], row["status"]) for row in rows]


# Events that fit an unknown message


def test_an_event_fits_an_unknown_message_of_its_sender_and_recipient(
    database: SqliteDatabase, me: Credential
) -> None:
    put(database, me, "m2", C, event="timed_out")
    (row,) = unmatched(database, event("delivered", "other", C))
    assert (row["id"], row["unknown"], row["attempt"], row["recipients"]) == ("m2", 1, 1, 1)
    # A is a recipient of another message.
    assert unmatched(database, event("delivered", "other", A)) == []
    assert unmatched(database, event("delivered", "other", C, sender="other@example.com")) == []


def test_an_event_does_not_fit_another_senders_message_of_an_administrator(
    database: SqliteDatabase, me: Credential
) -> None:
    put(database, me, "m2", C, event="timed_out")
    sql = "UPDATE messages SET address_id = ?, sender = 'News@example.org' WHERE id = 'm2'"
    database.query(sql, ADMINISTRATION)
    assert unmatched(database, event("delivered", "other", C)) == []
    (row,) = unmatched(database, event("delivered", "other", C, sender="news@example.org"))
    assert row["id"] == "m2"


def test_an_event_does_not_fit_a_message_of_another_owner(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com")
    put(database, me, "m2", C, event="timed_out")
    database.query("UPDATE messages SET sender = ? WHERE id = 'm2'", other.address)
    assert unmatched(database, event("delivered", "other", C, sender=other.address)) == []


def test_an_event_waits_for_the_last_of_the_messages_that_are_being_sent(
    database: SqliteDatabase, me: Credential
) -> None:
    for number, id in enumerate(("m2", "m3", "m4")):
        given.reserved(database, me, id, given.message(C, sender=me.address))
        database.query("UPDATE messages SET lease_until = ? WHERE id = ?", NOW + number % 2, id)
    (row,) = unmatched(database, event("delivered", "other", C))
    assert (row["lease_until"], row["unknown"]) == (NOW + 1, 0)
    assert unmatched(database, event("delivered", "other", A)) == []
    other = given.address(database, "other@example.com")
    database.query("UPDATE messages SET sender = ?", other.address)
    assert unmatched(database, event("delivered", "other", C, sender=other.address)) == []


def test_no_event_fits_a_sandbox_message(database: SqliteDatabase, me: Credential) -> None:
    put(database, me, "m2", SANDBOX, event="timed_out")
    events = event("delivered", "other", SANDBOX), event("delivered", "m1", A)
    assert unmatched(database, *events) == []


def test_a_settled_message_has_the_event_that_settled_it(
    database: SqliteDatabase, me: Credential
) -> None:
    put(database, me, "m2", C, event="timed_out")
    one = event("delivered", "m2", C)
    accepted = update("m2", "accepted", settled_by=one.id)
    run(settle(database, [one], [accepted], now=NOW))
    sql = "SELECT status, delivery_status FROM messages WHERE id = 'm2'"
    assert database.query(sql) == [{"status": "sent", "delivery_status": "delivered"}]


# Events that disprove an outcome


@pytest.fixture
def settled(database: SqliteDatabase, me: Credential) -> None:
    """An event has settled that m2 to two recipients was sent."""
    put(database, me, "m2", C, B, event="timed_out")
    run(record(database, [update("m2", "accepted", settled_by="e1")]))


@pytest.mark.usefixtures("settled")
def test_a_settled_message_is_disproved_if_all_recipients_got_no_mail(
    database: SqliteDatabase,
) -> None:
    # A failed recipient of another message, or a delivered one, does not count.
    assert corrected(database, event("failed", "m1", B)) == []
    assert corrected(database, event("failed", "m2", C)) == []
    assert corrected(database, event("rejected", "m2", C)) == []
    assert corrected(database, event("failed", "m2", B)) == [("m2", "sent")]
    # Only its own events of these kinds disprove it.
    assert corrected(database, event("delayed", "m2", B)) == []
    assert corrected(database, event("failed", "m1", B)) == []
    run(record(database, [update("m2", "disproved", reason="recipient_rejected")]))
    assert corrected(database, event("failed", "m2", B)) == []


@pytest.mark.usefixtures("settled")
def test_a_message_with_a_delivered_recipient_is_not_disproved(database: SqliteDatabase) -> None:
    assert corrected(database, event("delivered", "m2", B), event("failed", "m2", C)) == []


@pytest.mark.parametrize("kind", ["delivered", "bounced", "complained"])
def test_a_message_that_was_settled_as_failed_is_proved_to_be_sent(
    database: SqliteDatabase, me: Credential, kind: DeliveryKind
) -> None:
    put(database, me, "m2", C, event="timed_out")
    run(record(database, [update("m2", "accepted", settled_by="e1")]))
    run(record(database, [update("m2", "disproved", reason="recipient_rejected")]))
    assert corrected(database, event("delayed", "m2", C)) == []
    assert corrected(database, event(kind, "m2", C)) == [("m2", "failed")]


def test_the_response_of_the_provider_is_not_disproved(database: SqliteDatabase) -> None:
    assert corrected(database, event("failed", "m1", A), event("failed", "m1", B)) == []


# Counters


def test_sandbox_events_beside_others_count_for_nothing(
    database: SqliteDatabase, me: Credential
) -> None:
    put(database, me, "m2", SANDBOX, event="accepted")
    events = event("complained", "m2", SANDBOX), event("delivered", "m1", A)
    run(record_delivery_events(database, events, now=NOW))
    (day,) = database.query("SELECT delivered, complained FROM delivery_days")
    (usage,) = database.query("SELECT delivered, complained FROM usage_days")
    assert day == usage == {"delivered": 1, "complained": 0}
    assert database.query("SELECT * FROM suppressions") == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_events_of_two_batches_are_added(database: SqliteDatabase, kind: DeliveryKind) -> None:
    for recipient in (A, B):
        run(record_delivery_events(database, [event(kind, "m1", recipient)], now=NOW))
    assert database.value(f"SELECT {kind} FROM delivery_days") == 2


def test_an_event_that_usage_does_not_count_adds_no_row(database: SqliteDatabase) -> None:
    database.query("DELETE FROM usage_days")
    run(record_delivery_events(database, [event("delayed", "m1", A)], now=NOW))
    assert database.query("SELECT * FROM usage_days") == []


def test_events_of_two_messages_may_have_the_same_id(
    database: SqliteDatabase, me: Credential
) -> None:
    put(database, me, "m2", C, event="accepted")
    for message, recipient in (("m1", A), ("m2", C)):
        events = [event("complained", message, recipient, id="e1")]
        run(record_delivery_events(database, events, now=NOW))
    rows = database.query("SELECT address FROM suppressions ORDER BY address")
    assert [row["address"] for row in rows] == [A, C]
