"""Withdrawals: each failed or cancelled message counts once, for its address and its day."""

from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import NotFound
from store.pauses import lift_pause
from store.record import StatusUpdate, record
from store.withdrawals import withdrawn
from tests.unit import given
from tests.unit.given import DAY, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)
YESTERDAY = "2026-11-02"
MIDNIGHT = given.milliseconds("2026-11-03T00:00:00")


@pytest.fixture
def other(database: SqliteDatabase, me: Credential) -> Credential:
    return given.address(database, "other@example.com", balance=100)


def withdrawals(database: SqliteDatabase, address: Credential) -> int:
    count: int = database.value(f"SELECT {withdrawn('?1', '?2')}", TODAY, address.address_id)
    return count


def usage(database: SqliteDatabase, address: Credential, day: str = TODAY, **counts: int) -> None:
    row = {"sent": 0, "failed": 0, "unknown": 0, "cancelled": 0, **counts}
    database.insert("usage_days", day=day, address_id=address.address_id, **row)


def count(database: SqliteDatabase, address: Credential, act: str, **columns: Any) -> None:
    row = {"day": TODAY, "subject": str(address.address_id), "act": act, **columns}
    database.insert("daily_counts", **row)


def counts(database: SqliteDatabase, act: str) -> dict[str, int]:
    rows = database.query("SELECT subject, count FROM daily_counts WHERE act = ?", act)
    return {row["subject"]: row["count"] for row in rows}


def test_withdrawals_are_counted_by_address_and_day(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    assert withdrawals(database, me) == 0
    usage(database, other, failed=1000)
    usage(database, me, YESTERDAY, failed=2000)
    for act in ("late_cancellations", "withdrawals_forgiven"):
        count(database, other, act, count=3000)
        count(database, me, act, count=4000, day=YESTERDAY)
    assert withdrawals(database, me) == 0
    usage(database, me, failed=50, cancelled=7, sent=20, unknown=5000)
    assert withdrawals(database, me) == 50 + 7 - 20
    count(database, me, "late_cancellations", count=9)
    assert withdrawals(database, me) == 50 + 7 - 20 + 9
    count(database, me, "withdrawals_forgiven", count=4)
    assert withdrawals(database, me) == 50 + 7 - 20 + 9 - 4


def schedule(
    database: SqliteDatabase, address: Credential, id: str, accepted: int, *to: str
) -> None:
    mail = given.scheduled(NOW + DAY, id, *to, sender=address.address)
    given.reserved(database, address, id, mail, now=accepted)


def cancel(database: SqliteDatabase, *ids: str, now: int = NOW, **fields: Any) -> None:
    run(record(database, [StatusUpdate(id=id, event="cancelled", now=now, **fields) for id in ids]))


def test_a_late_cancellation_counts_on_its_own_day(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    schedule(database, me, "m1", MIDNIGHT - 1)
    schedule(database, me, "m2", MIDNIGHT)
    schedule(database, other, "m3", MIDNIGHT - DAY)
    schedule(database, other, "m4", MIDNIGHT - DAY)
    cancel(database, "m1", "m2", "m3")
    late = {str(me.address_id): 1, str(other.address_id): 1}
    assert counts(database, "late_cancellations") == late
    assert (withdrawals(database, me), withdrawals(database, other)) == (2, 1)
    cancel(database, "m4", now=MIDNIGHT + DAY - 1)
    assert withdrawals(database, other) == 2
    assert {row["day"] for row in database.dump()["daily_counts"]} == {TODAY}


def test_only_cancellations_that_stay_are_counted(database: SqliteDatabase, me: Credential) -> None:
    for number in range(3):
        schedule(database, me, f"m{number}", MIDNIGHT - 1)
    given.reserved(database, me, "m3", now=MIDNIGHT - 1)
    updates = [
        StatusUpdate(id="m0", event="cancelled", now=NOW),
        StatusUpdate(id="m1", event="cancelled", now=NOW, undo=True),
        StatusUpdate(id="m3", event="rejected", now=NOW),
    ]
    run(record(database, updates))
    assert counts(database, "late_cancellations") == {str(me.address_id): 1}


def test_undone_and_sandbox_messages_are_no_withdrawals(
    database: SqliteDatabase, me: Credential
) -> None:
    schedule(database, me, "m1", MIDNIGHT - 1)
    schedule(database, me, "m2", MIDNIGHT - 1, "delivered@test.invalid")
    cancel(database, "m1", undo=True)
    cancel(database, "m2")
    assert database.dump()["daily_counts"] == []


def lift(database: SqliteDatabase, address: Credential, most: int) -> None:
    run(lift_pause(database, address, by=ADMIN, now=NOW, most_withdrawals=most))


def test_a_limit_that_is_used_up_is_restored(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    usage(database, me, failed=3)
    usage(database, other, failed=3)
    for most in (0, 4):
        with pytest.raises(NotFound, match="not_paused"):
            lift(database, me, most)
    database.insert("send_pauses", address_id=me.address_id, paused=0, since=1)
    lift(database, me, 3)
    assert (withdrawals(database, me), withdrawals(database, other)) == (0, 3)
    assert database.value("SELECT since FROM send_pauses") == 1  # no pause was lifted now
    with pytest.raises(NotFound, match="not_paused"):
        lift(database, me, 3)
    database.query("UPDATE usage_days SET cancelled = 5")
    lift(database, me, 3)
    assert (withdrawals(database, me), withdrawals(database, other)) == (0, 8)
    assert counts(database, "withdrawals_forgiven") == {str(me.address_id): 8}
    audit = [(row["action"], row["object"]) for row in database.dump()["audit"]]
    assert audit == [("pause.lifted", me.address)] * 2


def test_a_limit_of_reschedules_that_is_used_up_is_restored(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    count(database, me, "reschedules", count=3)
    count(database, other, "reschedules", count=3)
    count(database, me, "reschedules", count=3, day=YESTERDAY)
    count(database, me, "rotations", count=3)
    before = database.dump()["daily_counts"]
    for most in (0, 4):
        with pytest.raises(NotFound, match="not_paused"):
            lift(database, me, most)
    assert database.dump()["daily_counts"] == before
    lift(database, me, 3)
    gone = (TODAY, str(me.address_id), "reschedules")
    assert database.dump()["daily_counts"] == [
        row for row in before if (row["day"], row["subject"], row["act"]) != gone
    ]


def test_a_limit_that_is_not_used_up_is_kept(database: SqliteDatabase, me: Credential) -> None:
    count(database, me, "reschedules", count=2)
    usage(database, me, failed=3)
    lift(database, me, 3)
    assert counts(database, "reschedules") == {str(me.address_id): 2}
    usage(database, me, YESTERDAY, failed=3)
    count(database, me, "late_cancellations", count=2)
    database.query("UPDATE daily_counts SET count = 3 WHERE act = 'reschedules'")
    lift(database, me, 3)
    assert withdrawals(database, me) == 2


def test_a_pause_of_another_address_is_not_lifted(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    for address in (me, other):
        database.insert("send_pauses", address_id=address.address_id, paused=1, since=1)
    lift(database, me, 3)
    assert database.query("SELECT address_id, paused, since FROM send_pauses") == [
        {"address_id": me.address_id, "paused": 0, "since": NOW},
        {"address_id": other.address_id, "paused": 1, "since": 1},
    ]
    with pytest.raises(NotFound, match="not_paused"):
        lift(database, me, 3)
