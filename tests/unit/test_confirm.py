"""Confirm: how an attempt ended, written once, with the charge given back at most once."""

from typing import Any

import pytest

from accounts.credentials import Credential
from store.confirm import Ending, confirm
from store.database import Row
from store.reserve import reserve
from tests.unit import given
from tests.unit.given import NOW, TODAY
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

LATER = NOW + 1500
NEXT_DAY = given.milliseconds("2026-11-04T00:00:30")
TWO = ("a@one.example", "b@two.example")


@pytest.fixture(params=[SqliteDatabase, ForgetfulDatabase], ids=["once", "twice"])
def database(request: pytest.FixtureRequest) -> SqliteDatabase:
    """Every test of this file runs each batch once, and twice with the first answer lost."""
    made: SqliteDatabase = request.param()
    return made


@pytest.fixture(autouse=True)
def sending(database: SqliteDatabase) -> Credential:
    """The message m1 to two recipients is being sent; 8 of 10 are left."""
    credential = given.address(database, balance=10)
    run(reserve(database, given.message(*TWO), given.reservation(credential)))
    return credential


def end(
    database: SqliteDatabase,
    status: str,
    *,
    expected: str = "sending",
    id: str = "m1",
    attempt: int = 1,
    now: int = LATER,
    **more: Any,
) -> None:
    run(confirm(database, Ending(id, attempt, expected, status, now, **more)))


def message(database: SqliteDatabase) -> Row:
    (row,) = database.query("SELECT * FROM messages")
    return row


def balance(database: SqliteDatabase) -> int:
    return int(database.value("SELECT balance FROM send_balances"))


def sent_today(database: SqliteDatabase) -> int:
    return int(database.value("SELECT recipients FROM daily_recipients WHERE day = ?", TODAY))


def history(database: SqliteDatabase) -> list[str]:
    return [row["kind"] for row in database.query("SELECT kind FROM events ORDER BY sequence")]


def deliveries(database: SqliteDatabase) -> list[tuple[str, str | None]]:
    rows = database.query("SELECT status, provider_code FROM deliveries ORDER BY position")
    return [(row["status"], row["provider_code"]) for row in rows]


def test_sent_keeps_the_charge_and_the_providers_message_id(database: SqliteDatabase) -> None:
    end(database, "sent", provider_message_id="<p1@provider.example>")
    row = message(database)
    assert (row["status"], row["provider_message_id"]) == ("sent", "<p1@provider.example>")
    assert (row["lease_until"], row["finished_at"], row["provider_code"]) == (None, LATER, None)
    assert (balance(database), sent_today(database)) == (8, 2)
    assert deliveries(database) == [("sent", None), ("sent", None)]
    assert history(database) == ["accepted", "sent"]


def test_failed_gives_back_the_charge_and_the_count(database: SqliteDatabase) -> None:
    end(database, "failed", provider_code="E_DELIVERY_FAILED")
    row = message(database)
    assert (row["status"], row["provider_code"]) == ("failed", "E_DELIVERY_FAILED")
    assert (row["lease_until"], row["finished_at"]) == (None, LATER)
    assert (balance(database), sent_today(database)) == (10, 0)
    assert deliveries(database) == [("failed", "E_DELIVERY_FAILED")] * 2
    assert history(database) == ["accepted", "failed"]


def test_unknown_keeps_the_charge(database: SqliteDatabase) -> None:
    end(database, "unknown")
    assert message(database)["status"] == "unknown"
    assert (balance(database), sent_today(database)) == (8, 2)
    assert deliveries(database) == [("unknown", None), ("unknown", None)]
    assert history(database) == ["accepted", "unknown"]


def test_the_history_says_when_and_why(database: SqliteDatabase) -> None:
    end(database, "failed", provider_code="E_X")
    assert database.query("SELECT * FROM events ORDER BY sequence")[-1] == {
        "message_id": "m1",
        "sequence": 1,
        "kind": "failed",
        "attempt": 1,
        "provider_code": "E_X",
        "occurred_at": LATER,
    }


@pytest.mark.parametrize("first", ["sent", "failed", "unknown"])
@pytest.mark.parametrize("second", ["sent", "failed", "unknown"])
def test_only_the_first_end_counts(database: SqliteDatabase, first: str, second: str) -> None:
    end(database, first)
    after = database.dump()
    end(database, second, now=LATER + 1)
    assert database.dump() == after


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"attempt": 0},
        {"attempt": 2},
        {"id": "m0"},
        {"id": "M1"},
        {"expected": "unknown"},
        {"expected": "queued"},
        {"expected": "sent"},
    ],
    ids=repr,
)
def test_whoever_expects_another_state_changes_nothing(
    database: SqliteDatabase, status: str, wrong: dict[str, Any]
) -> None:
    before = database.dump()
    end(database, status, **wrong)
    assert database.dump() == before


@pytest.mark.parametrize(
    ("status", "left", "count"), [("sent", 8, 2), ("failed", 10, 0)], ids=["sent", "failed"]
)
def test_a_late_answer_makes_the_unknown_known(
    database: SqliteDatabase, status: str, left: int, count: int
) -> None:
    end(database, "unknown")
    end(database, status, expected="unknown", now=LATER + 60_000)
    assert message(database)["status"] == status
    assert (balance(database), sent_today(database)) == (left, count)
    assert [delivery for delivery, _ in deliveries(database)] == [status] * 2
    assert history(database) == ["accepted", "unknown", status]


def test_a_late_answer_counts_once(database: SqliteDatabase) -> None:
    end(database, "unknown")
    end(database, "failed", expected="unknown")
    after = database.dump()
    for status in ("sent", "failed", "unknown"):
        end(database, status, expected="unknown")
        end(database, status, expected="sending")
    assert database.dump() == after


@pytest.mark.parametrize("status", ["sent", "failed"])
def test_no_late_answer_changes_what_is_known(database: SqliteDatabase, status: str) -> None:
    end(database, status)
    after = database.dump()
    for other in ("sent", "failed", "unknown"):
        end(database, other, expected="unknown")
    assert database.dump() == after


def test_the_count_is_given_back_to_the_day_of_acceptance(database: SqliteDatabase) -> None:
    given.sent_on(database, "2026-11-04", 7)
    end(database, "failed", now=NEXT_DAY)
    assert database.query("SELECT * FROM daily_recipients ORDER BY day") == [
        {"day": TODAY, "recipients": 0},
        {"day": "2026-11-04", "recipients": 7},
    ]


@pytest.mark.parametrize("accepted", ["2026-11-05T00:00:00.000", "2026-11-05T23:59:59.999"])
def test_the_day_of_acceptance_is_that_of_utc(
    database: SqliteDatabase, sending: Credential, accepted: str
) -> None:
    now = given.milliseconds(accepted)
    run(reserve(database, given.message(), given.reservation(sending, "m2", now=now)))
    end(database, "failed", id="m2", now=now)
    sql = "SELECT recipients FROM daily_recipients WHERE day = '2026-11-05'"
    assert database.value(sql) == 0


def test_what_was_not_charged_is_not_given_back(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.listed(database, "verified", TWO[0])
    run(reserve(database, given.message(*TWO), given.reservation(sending, "m2")))
    assert balance(database) == 7
    end(database, "failed", id="m2")
    assert (balance(database), sent_today(database)) == (8, 2)


def test_an_unlimited_address_is_given_back_its_count_alone(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.listed(database, "unlimited", sending.address)
    run(reserve(database, given.message(*TWO), given.reservation(sending, "m2")))
    end(database, "failed", id="m2")
    assert (balance(database), sent_today(database)) == (8, 2)


def test_only_the_own_message_and_balance_change(
    database: SqliteDatabase, sending: Credential
) -> None:
    other = given.address(database, "other@example.com", balance=5)
    mail = given.message(sender=other.address)
    run(reserve(database, mail, given.reservation(other, "m2")))
    end(database, "failed")
    assert database.query("SELECT id, status FROM messages ORDER BY id") == [
        {"id": "m1", "status": "failed"},
        {"id": "m2", "status": "sending"},
    ]
    assert database.query("SELECT balance FROM send_balances ORDER BY address_id") == [
        {"balance": 10},
        {"balance": 4},
    ]
    assert sent_today(database) == 1


def test_a_charge_is_given_back_to_a_balance_that_was_changed_meanwhile(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.set_balance(database, sending, 100, enabled=False)
    end(database, "failed")
    assert database.query("SELECT balance, enabled FROM send_balances") == [
        {"balance": 102, "enabled": 0}
    ]


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
def test_a_message_ends_also_when_its_address_is_gone(
    database: SqliteDatabase, status: str
) -> None:
    database.query("DELETE FROM addresses")
    end(database, status)
    assert message(database)["status"] == status
    assert history(database) == ["accepted", status]


@pytest.mark.parametrize("status", ["sent", "failed", "unknown"])
def test_a_day_whose_count_was_cleaned_away_stays_away(
    database: SqliteDatabase, status: str
) -> None:
    database.query("DELETE FROM daily_recipients")
    end(database, status)
    assert message(database)["status"] == status
    assert database.dump()["daily_recipients"] == []


def test_the_rest_of_the_message_stays(database: SqliteDatabase) -> None:
    before = message(database)
    bodies = database.dump()["bodies"]
    end(database, "failed")
    changed = {"status", "lease_until", "finished_at", "provider_message_id", "provider_code"}
    after = message(database)
    assert {key for key in after if after[key] != before[key]} <= changed
    assert database.dump()["bodies"] == bodies
