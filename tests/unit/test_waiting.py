"""Waiting messages: scheduled, rescheduled, cancelled."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.credentials import Credential
from errors import Conflict, NotFound, Unauthorized
from mail.lifecycle import Event, Status
from mail.submission import SubmissionResult
from store.database import Row
from store.record import StatusUpdate, record
from store.reserve import find_earlier
from store.schedule import cancel, reschedule
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW, TODAY, YOU
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim

DUE = NOW + 3 * DAY
LATER = NOW + 5 * DAY


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    """An address whose message m1 to two recipients waits for DUE; the balance is 8 of 10."""
    made = given.address(database, balance=10)
    waiting = given.scheduled(DUE, "m1", YOU, "b@two.example", attachments=(given.file(),))
    key = {"idempotency_key": "k", "request_digest": "d"}
    given.reserved(database, made, "m1", waiting, **key)
    return made


def message(database: SqliteDatabase) -> Row:
    (row,) = database.query("SELECT * FROM messages")
    return row


def history(database: SqliteDatabase) -> list[tuple[str, int]]:
    rows = database.query("SELECT kind, attempt, sequence FROM events ORDER BY sequence")
    assert [row["sequence"] for row in rows] == [*range(len(rows))]
    return [(row["kind"], row["attempt"]) for row in rows]


def charged(database: SqliteDatabase) -> tuple[int, int]:
    """The balance, and the number of recipients counted today."""
    count = "SELECT recipients FROM daily_recipients WHERE day = ?"
    balance = database.value("SELECT balance FROM send_balances")
    return balance, database.value(count, TODAY)


def attachment_parts(database: SqliteDatabase) -> int:
    return int(database.value("SELECT count(*) FROM attachment_parts"))


def claimed_at(database: SqliteDatabase, now: int, claimant: str = "w") -> bool:
    found = run(claim(database, "m1", claimant=claimant, now=now, lease_until=now + LEASE))
    return found is not None


def record_event(database: SqliteDatabase, kind: Event, *, attempt: int = 1, **more: Any) -> Status:
    about = StatusUpdate(id="m1", event=kind, attempt=attempt, now=DUE + 500, **more)
    return run(record(database, [about]))["m1"]


def code_of(change: Any) -> str | None:
    """The code of the error that ``change`` raises."""
    with pytest.raises((Conflict, NotFound, Unauthorized)) as caught:
        run(change)
    return caught.value.code


# Scheduled


def test_a_scheduled_message_is_charged_when_it_is_accepted(
    database: SqliteDatabase, me: Credential
) -> None:
    row = message(database)
    assert (row["status"], row["attempt"], row["lease_until"]) == ("scheduled", 0, None)
    assert (row["next_attempt_at"], row["scheduled_at"]) == (DUE, DUE)
    assert charged(database) == (8, 2)
    assert (history(database), attachment_parts(database)) == ([], 1)


def test_a_scheduled_message_is_claimed_at_its_time_and_sent_once(
    database: SqliteDatabase, me: Credential
) -> None:
    assert not claimed_at(database, DUE - 1)
    assert claimed_at(database, DUE)
    assert not claimed_at(database, DUE + 1, "another")
    assert record_event(database, "accepted", reported_as="sent") == "sent"
    assert not claimed_at(database, DUE + DAY, "another")
    assert history(database) == [("sent", 1)]
    assert (charged(database), attachment_parts(database)) == ((8, 2), 0)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("accepted", "sent"),
        ("rejected", "failed"),
        ("timed_out", "unknown"),
        ("deferred", "queued"),
    ],
)
def test_a_repeated_request_is_always_reported_as_queued(
    database: SqliteDatabase, me: Credential, kind: Event, status: Status
) -> None:
    def is_replayed_as(status: Status) -> bool:
        found = run(find_earlier(database, me, key="k", digest="d", now=NOW + 1))
        return found == [
            SubmissionResult(id="m1", status=status, reported_as="queued", replayed=True)
        ]

    assert is_replayed_as("scheduled")
    claimed_at(database, DUE)
    assert is_replayed_as("sending")
    record_event(
        database, kind, next_attempt_at=DUE + DAY, reported_as="failed", provider_code="E_X"
    )
    assert is_replayed_as(status)


# Cancelled


def test_a_cancelled_message_is_refunded(database: SqliteDatabase, me: Credential) -> None:
    run(cancel(database, me, "m1", now=LATER))
    row = message(database)
    assert (row["status"], row["next_attempt_at"], row["finished_at"]) == ("cancelled", None, LATER)
    assert charged(database) == (10, 0)
    assert (history(database), attachment_parts(database)) == ([("cancelled", 0)], 0)
    assert not claimed_at(database, DUE)


def test_a_cancelled_message_is_refunded_once(database: SqliteDatabase, me: Credential) -> None:
    run(cancel(database, me, "m1", now=NOW))
    after = database.dump()
    run(cancel(database, me, "m1", now=NOW + 1))
    assert database.dump() == after


def test_a_queued_message_is_cancelled(database: SqliteDatabase, me: Credential) -> None:
    claimed_at(database, DUE)
    record_event(database, "deferred", next_attempt_at=DUE + DAY, provider_code="E_BUSY")
    run(cancel(database, me, "m1", now=DUE + 1000))
    assert history(database) == [("deferred", 1), ("cancelled", 1)]
    assert (charged(database), attachment_parts(database)) == ((10, 0), 0)
    assert not claimed_at(database, DUE + DAY, "another")


@pytest.mark.parametrize(
    ("kind", "status"), [(None, "sending"), ("accepted", "sent"), ("rejected", "failed")]
)
def test_a_message_being_sent_is_not_cancelled(
    database: SqliteDatabase, me: Credential, kind: Event | None, status: str
) -> None:
    claimed_at(database, DUE)
    if kind:
        record_event(database, kind)
    before = database.dump()
    with pytest.raises(Conflict, match="not_cancellable") as caught:
        run(cancel(database, me, "m1", now=DUE))
    assert caught.value.extra == {"message_status": status}
    assert database.dump() == before


class RacedDatabase(SqliteDatabase):
    """If ``raced``, it claims m1 after the next batch."""

    raced = False

    async def batch(self, statements: Any, *, repeatable: bool = False) -> list[list[Row]]:
        results = await super().batch(statements, repeatable=repeatable)
        if self.raced:
            self.raced = False
            assert claimed_at(self, DUE)
        return results


def test_a_claim_between_the_batches_of_a_cancellation_wins() -> None:
    database = RacedDatabase()
    me = given.address(database, balance=10)
    given.reserved(database, me, "m1", given.scheduled(DUE))
    database.raced = True
    assert code_of(cancel(database, me, "m1", now=DUE)) == "not_cancellable"
    assert charged(database) == (9, 1)
    assert record_event(database, "accepted") == "sent"
    assert charged(database) == (9, 1)


# Rescheduled


def test_a_rescheduled_message_waits_for_its_new_time(
    database: SqliteDatabase, me: Credential
) -> None:
    run(reschedule(database, me, "m1", due_at=LATER, now=NOW + 1))
    row = message(database)
    assert (row["status"], row["next_attempt_at"], row["scheduled_at"]) == (
        *("scheduled", LATER, LATER),
    )
    events = database.query("SELECT kind, attempt, occurred_at FROM events")
    assert events == [{"kind": "rescheduled", "attempt": 0, "occurred_at": NOW + 1}]
    assert charged(database) == (8, 2)
    assert not claimed_at(database, DUE)
    assert claimed_at(database, LATER)


def test_the_same_schedule_adds_no_event(database: SqliteDatabase, me: Credential) -> None:
    before = database.dump()
    run(reschedule(database, me, "m1", due_at=DUE, now=NOW + 1))
    assert database.dump() == before
    for time in (LATER, LATER, DUE, DUE):
        run(reschedule(database, me, "m1", due_at=time, now=NOW + 1))
    assert history(database) == [("rescheduled", 0)] * 2


@pytest.mark.parametrize("status", ["sending", "sent", "failed", "queued", "cancelled"])
def test_only_a_scheduled_message_is_rescheduled(
    database: SqliteDatabase, me: Credential, status: str
) -> None:
    if status == "cancelled":
        run(cancel(database, me, "m1", now=NOW))
    else:
        claimed_at(database, DUE)
    kinds: dict[str, Event] = {"sent": "accepted", "failed": "rejected", "queued": "deferred"}
    if status in kinds:
        record_event(database, kinds[status], next_attempt_at=DUE + DAY)
    before = database.dump()
    with pytest.raises(Conflict, match="not_scheduled") as caught:
        run(reschedule(database, me, "m1", due_at=LATER, now=NOW))
    assert caught.value.extra == {"message_status": status}
    assert database.dump() == before


# The owner of a message


@pytest.mark.parametrize("change", [{"version": 1}, {"address": "x@b.co"}], ids=repr)
def test_an_invalid_credential_changes_nothing(
    database: SqliteDatabase, me: Credential, change: dict[str, Any]
) -> None:
    before = database.dump()
    stale = replace(me, **change)
    assert code_of(cancel(database, stale, "m1", now=NOW)) == "invalid_credential"
    move = reschedule(database, stale, "m1", due_at=LATER, now=NOW)
    assert code_of(move) == "invalid_credential"
    assert database.dump() == before


def test_the_credential_of_an_address_that_was_created_again_changes_nothing(
    database: SqliteDatabase, me: Credential
) -> None:
    database.query("DELETE FROM addresses")
    assert given.address(database, me.address).address_id != me.address_id
    before = database.dump()
    move = reschedule(database, me, "m1", due_at=LATER, now=NOW)
    assert code_of(move) == "invalid_credential"
    assert database.dump() == before


@pytest.mark.parametrize("id", ["m0", "M1", "", "m1 ", "%"])
def test_a_message_of_another_id_or_address_is_not_found(
    database: SqliteDatabase, me: Credential, id: str
) -> None:
    other = given.address(database, "other@example.com")
    before = database.dump()
    for holder, wanted in ((me, id), (other, "m1")):
        assert code_of(cancel(database, holder, wanted, now=NOW)) == "message_not_found"
        move = reschedule(database, holder, wanted, due_at=LATER, now=NOW)
        assert code_of(move) == "message_not_found"
    assert database.dump() == before
