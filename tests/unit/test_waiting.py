"""Messages that wait for their time: scheduled, sent at another time, or not sent at all."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.credentials import Credential
from lifecycle import News, Status
from refusals import Conflict, NotFound, Unauthorized
from store.claim import claim
from store.confirm import Confirmation, confirm
from store.database import Row
from store.reserve import Sending, find_earlier
from store.schedule import cancel, reschedule
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW, TODAY, YOU
from tests.unit.sqlite_database import SqliteDatabase, run

DUE = NOW + 3 * DAY
LATER = NOW + 5 * DAY


@pytest.fixture
def credential(database: SqliteDatabase) -> Credential:
    """Of an address whose message m1, to two recipients, waits for DUE; 8 of 10 are left."""
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
    """What is left of the balance, and what is counted today."""
    count = "SELECT recipients FROM daily_recipients WHERE day = ?"
    balance = database.value("SELECT balance FROM send_balances")
    return balance, database.value(count, TODAY)


def attachment_parts(database: SqliteDatabase) -> int:
    return int(database.value("SELECT count(*) FROM attachment_parts"))


def claimed_at(database: SqliteDatabase, now: int, claimant: str = "w") -> bool:
    found = run(claim(database, "m1", claimant=claimant, now=now, lease_until=now + LEASE))
    return found is not None


def tell(database: SqliteDatabase, kind: News, *, attempt: int = 1, **more: Any) -> Status:
    about = Confirmation(id="m1", news=kind, attempt=attempt, now=DUE + 500, **more)
    return run(confirm(database, [about]))["m1"]


def code_of(order: Any) -> str | None:
    """The code by which ``order`` is refused."""
    with pytest.raises((Conflict, NotFound, Unauthorized)) as caught:
        run(order)
    return caught.value.code


# Scheduled


def test_a_scheduled_message_is_charged_when_it_is_accepted(
    database: SqliteDatabase, credential: Credential
) -> None:
    row = message(database)
    assert (row["status"], row["attempt"], row["lease_until"]) == ("scheduled", 0, None)
    assert (row["next_attempt_at"], row["scheduled_at"]) == (DUE, DUE)
    assert charged(database) == (8, 2)
    assert (history(database), attachment_parts(database)) == ([], 1)


def test_a_scheduled_message_is_claimed_in_its_time_and_sent_once(
    database: SqliteDatabase, credential: Credential
) -> None:
    assert not claimed_at(database, DUE - 1)
    assert claimed_at(database, DUE)
    assert not claimed_at(database, DUE + 1, "another")
    assert tell(database, "sent", answer_status=200) == "sent"
    assert not claimed_at(database, DUE + DAY, "another")
    assert history(database) == [("sent", 1)]
    assert (charged(database), attachment_parts(database)) == ((8, 2), 0)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("sent", "sent"), ("refused", "failed"), ("lost", "unknown"), ("deferred", "queued")],
)
def test_the_request_is_answered_202_whatever_became_of_the_message(
    database: SqliteDatabase, credential: Credential, kind: News, status: Status
) -> None:
    def asked() -> object:
        return run(find_earlier(database, credential, key="k", digest="d", now=NOW + 1))

    waiting = Sending("m1", "scheduled", None, 202, None, replayed=True)
    assert asked() == waiting
    claimed_at(database, DUE)
    being_sent = Sending("m1", "sending", None, 202, None, replayed=True)
    assert asked() == being_sent
    tell(database, kind, next_attempt_at=DUE + DAY, answer_status=502, answer_code="E_X")
    ended = Sending("m1", status, None, 202, None, replayed=True)
    assert asked() == ended


# Cancelled


def test_a_cancelled_message_gives_its_charge_back(
    database: SqliteDatabase, credential: Credential
) -> None:
    run(cancel(database, credential, "m1", now=LATER))
    row = message(database)
    assert (row["status"], row["next_attempt_at"], row["finished_at"]) == ("cancelled", None, LATER)
    assert charged(database) == (10, 0)
    assert (history(database), attachment_parts(database)) == ([("cancelled", 0)], 0)
    assert not claimed_at(database, DUE)


def test_it_is_given_back_once(database: SqliteDatabase, credential: Credential) -> None:
    run(cancel(database, credential, "m1", now=NOW))
    after = database.dump()
    run(cancel(database, credential, "m1", now=NOW + 1))
    assert database.dump() == after


def test_a_queued_message_is_cancelled_as_well(
    database: SqliteDatabase, credential: Credential
) -> None:
    claimed_at(database, DUE)
    tell(database, "deferred", next_attempt_at=DUE + DAY, provider_code="E_BUSY")
    run(cancel(database, credential, "m1", now=DUE + 1000))
    assert history(database) == [("deferred", 1), ("cancelled", 1)]
    assert (charged(database), attachment_parts(database)) == ((10, 0), 0)
    assert not claimed_at(database, DUE + DAY, "another")


@pytest.mark.parametrize(
    ("kind", "status"), [(None, "sending"), ("sent", "sent"), ("refused", "failed")]
)
def test_what_has_begun_to_be_sent_is_not_cancelled(
    database: SqliteDatabase, credential: Credential, kind: News | None, status: str
) -> None:
    claimed_at(database, DUE)
    if kind:
        tell(database, kind)
    before = database.dump()
    with pytest.raises(Conflict, match="not_cancellable") as caught:
        run(cancel(database, credential, "m1", now=DUE))
    assert caught.value.extra == {"message_status": status}
    assert database.dump() == before


class RacedDatabase(SqliteDatabase):
    """Has somebody claim the message behind the first batch of whoever asks next."""

    raced = False

    async def batch(self, statements: Any, *, repeatable: bool = False) -> list[list[Row]]:
        answer = await super().batch(statements, repeatable=repeatable)
        if self.raced:
            self.raced = False
            assert claimed_at(self, DUE)
        return answer


def test_a_claim_between_the_batches_of_a_cancellation_wins() -> None:
    database = RacedDatabase()
    credential = given.address(database, balance=10)
    given.reserved(database, credential, "m1", given.scheduled(DUE))
    database.raced = True
    assert code_of(cancel(database, credential, "m1", now=DUE)) == "not_cancellable"
    assert charged(database) == (9, 1)
    assert tell(database, "sent") == "sent"
    assert charged(database) == (9, 1)


# Rescheduled


def test_a_rescheduled_message_waits_for_its_new_time(
    database: SqliteDatabase, credential: Credential
) -> None:
    run(reschedule(database, credential, "m1", due_at=LATER, now=NOW + 1))
    row = message(database)
    assert (row["status"], row["next_attempt_at"], row["scheduled_at"]) == (
        *("scheduled", LATER, LATER),
    )
    events = database.query("SELECT kind, attempt, occurred_at FROM events")
    assert events == [{"kind": "rescheduled", "attempt": 0, "occurred_at": NOW + 1}]
    assert charged(database) == (8, 2)
    assert not claimed_at(database, DUE)
    assert claimed_at(database, LATER)


def test_the_same_time_again_is_no_news(database: SqliteDatabase, credential: Credential) -> None:
    before = database.dump()
    run(reschedule(database, credential, "m1", due_at=DUE, now=NOW + 1))
    assert database.dump() == before
    for time in (LATER, LATER, DUE, DUE):
        run(reschedule(database, credential, "m1", due_at=time, now=NOW + 1))
    assert history(database) == [("rescheduled", 0)] * 2


@pytest.mark.parametrize("status", ["sending", "sent", "failed", "queued", "cancelled"])
def test_what_is_not_scheduled_is_not_rescheduled(
    database: SqliteDatabase, credential: Credential, status: str
) -> None:
    if status == "cancelled":
        run(cancel(database, credential, "m1", now=NOW))
    else:
        claimed_at(database, DUE)
    kinds: dict[str, News] = {"sent": "sent", "failed": "refused", "queued": "deferred"}
    if status in kinds:
        tell(database, kinds[status], next_attempt_at=DUE + DAY)
    before = database.dump()
    with pytest.raises(Conflict, match="not_scheduled") as caught:
        run(reschedule(database, credential, "m1", due_at=LATER, now=NOW))
    assert caught.value.extra == {"message_status": status}
    assert database.dump() == before


# Whose message it is


@pytest.mark.parametrize("change", [{"version": 1}, {"address": "x@b.co"}], ids=repr)
def test_a_credential_that_does_not_hold_changes_nothing(
    database: SqliteDatabase, credential: Credential, change: dict[str, Any]
) -> None:
    before = database.dump()
    stale = replace(credential, **change)
    assert code_of(cancel(database, stale, "m1", now=NOW)) == "invalid_credential"
    order = reschedule(database, stale, "m1", due_at=LATER, now=NOW)
    assert code_of(order) == "invalid_credential"
    assert database.dump() == before


@pytest.mark.parametrize("id", ["m0", "M1", "", "m1 ", "%"])
def test_there_is_no_message_of_another_id_or_address(
    database: SqliteDatabase, credential: Credential, id: str
) -> None:
    other = given.address(database, "other@example.com")
    before = database.dump()
    for holder, wanted in ((credential, id), (other, "m1")):
        assert code_of(cancel(database, holder, wanted, now=NOW)) == "message_not_found"
        order = reschedule(database, holder, wanted, due_at=LATER, now=NOW)
        assert code_of(order) == "message_not_found"
    assert database.dump() == before
