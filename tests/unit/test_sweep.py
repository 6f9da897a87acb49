"""The sweep: a message whose worker died becomes unknown when its lease ends, and stays so."""

import pytest

from accounts.credentials import Credential
from store.confirm import Ending, confirm
from store.reserve import reserve
from store.sweep import MAX_ROWS, end_expired_leases
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

LEASE_END = NOW + 90_000


@pytest.fixture(autouse=True)
def credential(database: SqliteDatabase) -> Credential:
    """The message m1 to two recipients is being sent; 998 of 1000 are left."""
    made = given.address(database, balance=1000)
    mail = given.message("a@one.example", "b@two.example")
    run(reserve(database, mail, given.reservation(made)))
    return made


def sweep(database: SqliteDatabase, now: int = LEASE_END) -> int:
    return run(end_expired_leases(database, now=now))


def end(database: SqliteDatabase, status: str, *, expected: str = "sending") -> None:
    run(confirm(database, Ending("m1", 1, expected, status, LEASE_END + 1)))


def statuses(database: SqliteDatabase) -> dict[str, str]:
    rows = database.query("SELECT id, status FROM messages")
    return {row["id"]: row["status"] for row in rows}


def test_a_lease_that_still_runs_is_left_alone(database: SqliteDatabase) -> None:
    before = database.dump()
    assert sweep(database, LEASE_END - 1) == 0
    assert database.dump() == before


def test_a_lease_that_has_ended_makes_a_message_unknown(database: SqliteDatabase) -> None:
    assert sweep(database) == 1
    (row,) = database.query("SELECT status, lease_until, finished_at, attempt FROM messages")
    assert row == {
        "status": "unknown",
        "lease_until": None,
        "finished_at": LEASE_END,
        "attempt": 1,
    }
    rows = database.query("SELECT status FROM deliveries")
    assert rows == [{"status": "unknown"}, {"status": "unknown"}]
    assert database.query("SELECT * FROM events ORDER BY sequence")[-1] == {
        "message_id": "m1",
        "sequence": 1,
        "kind": "unknown",
        "attempt": 1,
        "provider_code": None,
        "occurred_at": LEASE_END,
    }


def test_unknown_keeps_its_charge(database: SqliteDatabase) -> None:
    sweep(database)
    assert database.value("SELECT balance FROM send_balances") == 998
    assert database.value("SELECT recipients FROM daily_recipients") == 2


def test_a_second_sweep_changes_nothing(database: SqliteDatabase) -> None:
    sweep(database)
    after = database.dump()
    assert sweep(database, LEASE_END + 60_000) == 0
    assert database.dump() == after


def test_a_sweep_whose_answer_was_lost_may_be_repeated() -> None:
    database = ForgetfulDatabase()
    made = given.address(database, balance=1)
    run(reserve(database, given.message(), given.reservation(made)))
    sweep(database)
    kinds = database.query("SELECT kind FROM events ORDER BY sequence")
    assert kinds == [{"kind": "accepted"}, {"kind": "unknown"}]


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
def test_what_has_ended_is_left_alone(database: SqliteDatabase, status: str) -> None:
    end(database, status)
    after = database.dump()
    assert sweep(database, LEASE_END + 10**9) == 0
    assert database.dump() == after


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
def test_a_worker_that_comes_back_finds_its_claim_gone(
    database: SqliteDatabase, status: str
) -> None:
    sweep(database)
    after = database.dump()
    end(database, status)
    assert database.dump() == after


@pytest.mark.parametrize(("status", "balance"), [("sent", 998), ("failed", 1000)])
def test_a_late_answer_still_makes_it_known(
    database: SqliteDatabase, status: str, balance: int
) -> None:
    sweep(database)
    end(database, status, expected="unknown")
    assert statuses(database) == {"m1": status}
    assert database.value("SELECT balance FROM send_balances") == balance


def test_a_sweep_has_an_end_and_begins_with_the_oldest(
    database: SqliteDatabase, credential: Credential
) -> None:
    for number in range(MAX_ROWS + 5):
        made = given.reservation(credential, f"n{number:03}", now=NOW + 1 + number)
        run(reserve(database, given.message(), made))
    assert sweep(database, NOW + 10**6) == MAX_ROWS
    left = [id for id, status in sorted(statuses(database).items()) if status == "sending"]
    assert left == [f"n{number:03}" for number in range(MAX_ROWS - 1, MAX_ROWS + 5)]
    assert sweep(database, NOW + 10**6) == 6
    assert set(statuses(database).values()) == {"unknown"}
