"""Recording delivery events: what becomes of a sent mail, per recipient."""

from typing import Any

import pytest

from accounts.credentials import Credential
from mail.delivery import KINDS, DeliveryEvent, DeliveryKind
from store.record import StatusUpdate, record
from store.record.deliveries import record_delivery_events
from tests.unit import given
from tests.unit.given import DAY, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run

LATER = NOW + 2000
A, B = "a@one.example", "B@two.example"
ID = "<p1@provider.test>"


@pytest.fixture(autouse=True)
def sent(database: SqliteDatabase, me: Credential) -> None:
    """m1 to two recipients is sent."""
    send(database, me, "m1", A, B)


def send(database: SqliteDatabase, me: Credential, id: str, *recipients: str) -> None:
    given.reserved(database, me, id, given.message(*recipients, sender=me.address))
    accepted = StatusUpdate(
        id=id,
        event="accepted",
        attempt=1,
        now=NOW,
        provider_message_id=f"<p{id[1:]}@provider.test>",
    )
    run(record(database, [accepted]))


def deliver(database: SqliteDatabase, *events: DeliveryEvent) -> int:
    new, unmatched, disproved, _ = run(record_delivery_events(database, events, now=LATER))
    assert (unmatched, disproved) == ([], [])
    return new


def event(kind: DeliveryKind, recipient: str = A, **fields: Any) -> DeliveryEvent:
    return given.event(kind, ID, recipient.lower(), **fields)


def summary(database: SqliteDatabase, id: str = "m1") -> tuple[str | None, int | None]:
    sql = "SELECT delivery_status, delivery_count FROM messages WHERE id = ?"
    (row,) = database.query(sql, id)
    return row["delivery_status"], row["delivery_count"]


def counts(database: SqliteDatabase) -> dict[str, int]:
    (row,) = database.query("SELECT * FROM delivery_days") or [{}]
    assert row.pop("day", TODAY) == TODAY
    assert row.pop("domain", "example.com") == "example.com"
    return {kind: number for kind, number in row.items() if number}


def usage(database: SqliteDatabase) -> tuple[int, int, int]:
    (row,) = database.query("SELECT delivered, bounced, complained FROM usage_days")
    return row["delivered"], row["bounced"], row["complained"]


def suppressed(database: SqliteDatabase) -> dict[str, str]:
    rows = database.query("SELECT address, reason FROM suppressions")
    return {row["address"]: row["reason"] for row in rows}


def test_an_event_is_stored_with_everything_that_it_says(database: SqliteDatabase) -> None:
    about: dict[str, Any] = {
        "smtp_code": "550",
        "enhanced_code": "5.1.1",
        "response": "550 No such user",
    }
    one = event(
        *("bounced", B), id="e1", is_permanent=True, reason="no mailbox", provider="gmail", **about
    )
    deliver(database, one)
    (row,) = database.query("SELECT * FROM delivery_events")
    assert row == {
        "message_id": "m1",
        "event_id": "e1",
        "position": 1,
        "kind": "bounced",
        "occurred_at": NOW,
        "received_at": LATER,
        "is_permanent": 1,
        **about,
        "reason": "no mailbox",
        "provider": "gmail",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_counted(database: SqliteDatabase, kind: DeliveryKind) -> None:
    deliver(database, event(kind))
    assert summary(database) == (kind, 1)
    assert counts(database) == {kind: 1}
    counted = ("delivered", "bounced", "complained")
    assert usage(database) == tuple(int(kind == one) for one in counted)


def test_a_repeated_event_changes_nothing(database: SqliteDatabase) -> None:
    one = event("complained", id="e1")
    deliver(database, one)
    after = database.dump()
    written = database.changes()
    deliver(database, one)
    assert (database.dump(), database.changes()) == (after, written)


def test_an_event_with_a_known_id_counts_for_nothing(database: SqliteDatabase) -> None:
    deliver(database, event("delivered", id="e1"))
    before = database.dump()
    for other in (event("complained", id="e1"), event("bounced", B, id="e1", is_permanent=True)):
        deliver(database, other)
        assert database.dump() == before


def test_a_recipient_counts_once_per_kind(database: SqliteDatabase) -> None:
    deliver(database, event("delayed"), event("delayed"), event("delayed", B))
    deliver(database, event("delayed"), event("delivered"))
    assert counts(database) == {"delayed": 2, "delivered": 1}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([("delayed", A)], ("delayed", 1)),
        ([("delayed", A), ("delivered", A)], ("delivered", 1)),
        ([("delivered", A), ("delayed", A)], ("delivered", 1)),
        ([("delivered", A), ("delivered", B)], ("delivered", 2)),
        ([("delivered", A), ("bounced", B)], ("bounced", 1)),
        ([("bounced", A), ("bounced", B)], ("bounced", 2)),
        ([("delivered", A), ("complained", A), ("bounced", B)], ("complained", 1)),
        ([("rejected", A), ("failed", A), ("bounced", A)], ("bounced", 1)),
        ([("bounced", A), ("failed", A), ("rejected", A)], ("bounced", 1)),
    ],
)
def test_a_message_has_the_highest_status_of_its_recipients(
    database: SqliteDatabase,
    kinds: list[tuple[DeliveryKind, str]],
    expected: tuple[str, int],
) -> None:
    for kind, recipient in kinds:
        deliver(database, event(kind, recipient))
    assert summary(database) == expected


@pytest.mark.parametrize("ids", [("<p1@provider.test>",) * 2, ("p1@provider.test",) * 2])
def test_a_message_id_matches_with_and_without_brackets(
    database: SqliteDatabase, ids: tuple[str, str]
) -> None:
    stored = ids[0]
    database.query("UPDATE messages SET provider_message_id = ?", stored)
    deliver(database, event("delivered"))
    assert summary(database) == ("delivered", 1)


def test_events_of_other_messages_and_recipients_are_left_out(
    database: SqliteDatabase, me: Credential
) -> None:
    send(database, me, "m2", "c@three.example")
    before = database.dump()
    other = given.event("bounced", "<other@provider.test>", A, is_permanent=True)
    assert deliver(database, other, event("bounced", "c@three.example", is_permanent=True)) == 0
    assert database.dump() == before


def test_bounces_and_complaints_suppress(database: SqliteDatabase) -> None:
    deliver(database, event("delayed", is_permanent=False), event("failed", B))
    assert suppressed(database) == {}
    deliver(database, event("bounced", is_permanent=False), event("bounced", B))
    assert suppressed(database) == {A: "soft_bounce", B.lower(): "soft_bounce"}
    deliver(database, event("bounced", is_permanent=True), event("complained", B))
    assert suppressed(database) == {A: "hard_bounce", B.lower(): "complaint"}


@pytest.mark.parametrize(
    ("kind", "is_permanent", "reason", "expires_at"),
    [
        ("bounced", True, "hard_bounce", NOW + 7 * DAY),
        ("bounced", False, "soft_bounce", NOW + DAY),
        ("complained", None, "complaint", None),
    ],
)
def test_a_learned_suppression_has_the_sending_domain_and_an_end(
    database: SqliteDatabase,
    kind: DeliveryKind,
    is_permanent: bool | None,
    reason: str,
    expires_at: int | None,
) -> None:
    deliver(database, event(kind, is_permanent=is_permanent))
    assert database.query("SELECT * FROM suppressions") == [
        {
            "address": A,
            "scope": "example.com",
            "reason": reason,
            "origin": "m1",
            "since": NOW,
            "expires_at": expires_at,
        }
    ]


def test_the_suppression_with_the_later_end_counts(database: SqliteDatabase) -> None:
    old = event("bounced", is_permanent=True, occurred_at=NOW - 6 * DAY)
    new = event("bounced", is_permanent=False, occurred_at=NOW + DAY)
    for order in ([old, new], [new, old]):
        database.query("DELETE FROM delivery_events")
        database.query("DELETE FROM suppressions")
        for one in order:
            deliver(database, one)
        assert suppressed(database) == {A: "soft_bounce"}


def test_a_complaint_replaces_a_bounce(database: SqliteDatabase) -> None:
    deliver(database, event("bounced", is_permanent=True))
    deliver(database, event("complained"))
    deliver(database, event("bounced", is_permanent=True))
    assert suppressed(database) == {A: "complaint"}


def test_what_an_administrator_has_entered_stays(database: SqliteDatabase) -> None:
    given.suppressed(database, A, scope="example.com")
    deliver(database, event("complained", occurred_at=NOW + 1))
    assert suppressed(database) == {A: "manual"}


def test_the_last_of_several_complaints_counts(database: SqliteDatabase, me: Credential) -> None:
    send(database, me, "m2", A)
    deliver(database, *(event("complained", occurred_at=NOW + later) for later in (1, 5, 3)))
    second = given.event("complained", "<p2@provider.test>", A, occurred_at=NOW + 5)
    deliver(database, event("complained", occurred_at=NOW), second)
    rows = database.query("SELECT since, origin FROM suppressions")
    assert rows == [{"since": NOW + 5, "origin": "m1"}]


def test_a_repeated_event_does_not_suppress_again(database: SqliteDatabase) -> None:
    one = event("complained")
    deliver(database, one)
    database.query("DELETE FROM suppressions")
    deliver(database, one)
    assert suppressed(database) == {}


def test_sandbox_events_count_for_nothing_but_their_message(
    database: SqliteDatabase, me: Credential
) -> None:
    recipient = "bounced@test.invalid"
    send(database, me, "m3", recipient)
    deliver(database, given.event("bounced", "<p3@provider.test>", recipient, is_permanent=True))
    assert summary(database, "m3") == ("bounced", 1)
    assert (counts(database), usage(database), suppressed(database)) == ({}, (0, 0, 0), {})


def test_a_deleted_address_keeps_the_counts_of_its_domain(database: SqliteDatabase) -> None:
    database.query("DELETE FROM addresses")
    deliver(database, event("delivered"))
    assert counts(database) == {"delivered": 1}


def test_a_hundred_events_write_few_rows(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 100)
    for number in range(2, 102):
        send(database, me, f"m{number}", f"r{number}@example.net")
    before = database.changes()
    some: tuple[DeliveryKind, ...] = ("delivered",) * 95 + ("bounced",) * 4 + ("complained",)
    events = [
        given.event(
            *(kind, f"<p{number}@provider.test>", f"r{number}@example.net"),
            is_permanent=kind == "bounced" or None,
        )
        for number, kind in enumerate(some, 2)
    ]
    assert deliver(database, *events) == (100 if type(database) is SqliteDatabase else 0)
    # A row of each event and each message, five suppressions, one row of each counter.
    assert database.changes() - before == 100 + 100 + 5 + 2
