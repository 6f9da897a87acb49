"""Claims of webhook deliveries: how many at once, leases, and outcomes that come late."""

from typing import Any

import pytest

from store.webhook_claims import (
    AT_ONCE,
    LEASE_MILLISECONDS,
    claim_deliveries,
    due_webhooks,
    finish_deliveries,
)
from tests.unit.given import DAY, NOW
from tests.unit.sqlite_database import SqliteDatabase, run


def webhook(database: SqliteDatabase, id: str = "w1", **columns: Any) -> None:
    row = {"address_id": 1, "endpoint": "https://a.example/", "events": "[]", "created_at": NOW}
    database.insert("webhooks", id=id, **{**row, **columns})


def waiting(database: SqliteDatabase, count: int, webhook_id: str = "w1", at: int = NOW) -> None:
    for number in range(count):
        database.insert(
            "webhook_deliveries",
            **{"webhook_id": webhook_id, "id": f"d{number}", "type": "email.sent"},
            **{"facts": "{}", "created_at": at, "next_attempt_at": at},
        )


def claim(database: SqliteDatabase, by: str = "a", now: int = NOW) -> list[str]:
    held = run(claim_deliveries(database, "w1", claimant=by, now=now))
    return sorted(row["id"] for row in held.deliveries)


def finish(
    database: SqliteDatabase,
    *ids: str,
    by: str = "a",
    result: Any = "success",
    now: int = NOW,
) -> str | None:
    outcomes: list[dict[str, object]] = [
        {
            **{"id": id_, "status": "success", "body": f'{{"by":"{by}"}}'},
            **{"started_at": now, "milliseconds": 5, "code": 204},
        }
        if result == "success"
        else {
            **{"id": id_, "status": "pending", "next_attempt_at": now + 5000},
            **{"started_at": now, "milliseconds": 5, "code": 500},
        }
        for id_ in ids
    ]
    reason, _ = run(
        finish_deliveries(
            *(database, "w1", outcomes),
            **{"claimant": by, "next_claimant": None, "result": result, "now": now},
        )
    )
    return reason


def one(database: SqliteDatabase, id: str = "d0") -> dict[str, Any]:
    (row,) = database.query("SELECT * FROM webhook_deliveries WHERE id = ?", id)
    return row


def test_four_are_claimed_at_once_by_any_number_of_workers(database: SqliteDatabase) -> None:
    webhook(database)
    waiting(database, 10)
    assert claim(database) == ["d0", "d1", "d2", "d3"]
    assert claim(database, by="b") == []
    finish(database, "d0", "d1")
    assert claim(database, by="b") == ["d4", "d5"]
    leased = database.value("SELECT count(*) FROM webhook_deliveries WHERE status = 'attempting'")
    assert leased == AT_ONCE


def test_a_repeated_claim_holds_the_same(database: SqliteDatabase) -> None:
    webhook(database)
    waiting(database, 10)
    assert claim(database) == claim(database) == ["d0", "d1", "d2", "d3"]
    assert (one(database)["attempt"], one(database)["tries"]) == (1, 1)


def test_the_outcomes_of_a_claim_and_the_next_claim_are_one_batch(
    database: SqliteDatabase,
) -> None:
    webhook(database)
    waiting(database, 6)
    outcomes: list[dict[str, object]] = [
        {"id": id_, "status": "success", "started_at": NOW, "milliseconds": 5}
        for id_ in claim(database)
    ]
    for _ in range(2):  # the response of the first one is lost
        _, held = run(
            finish_deliveries(
                *(database, "w1", outcomes),
                claimant="a",
                next_claimant="b",
                result="success",
                now=NOW,
            )
        )
        assert [(row["id"], row["attempt"]) for row in held.deliveries] == [("d4", 1), ("d5", 1)]
    assert len(database.query("SELECT 1 FROM webhook_attempts")) == 4


def test_a_claim_is_due_again_when_its_lease_has_ended(database: SqliteDatabase) -> None:
    webhook(database)
    waiting(database, 1)
    claim(database)
    assert claim(database, by="b", now=NOW + LEASE_MILLISECONDS - 1) == []
    assert run(due_webhooks(database, now=NOW + 1, limit=10)) == []
    later = NOW + LEASE_MILLISECONDS
    assert run(due_webhooks(database, now=later, limit=10)) == ["w1"]
    assert claim(database, by="b", now=later) == ["d0"]
    assert one(database)["attempt"] == 2
    finish(database, "d0", by="a", now=later)
    assert one(database)["status"] == "attempting"
    finish(database, "d0", by="b", now=later)
    found = one(database)
    assert (found["status"], found["body"], found["facts"]) == ("success", '{"by":"b"}', None)
    assert len(database.query("SELECT 1 FROM webhook_attempts")) == 1


def test_the_webhook_remembers_since_when_it_fails(database: SqliteDatabase) -> None:
    webhook(database)
    waiting(database, 1)

    def attempt(now: int, result: str) -> str | None:
        claim(database, by=str(now), now=now)
        reason = finish(database, "d0", by=str(now), result=result, now=now)
        database.query(
            "UPDATE webhook_deliveries SET status = 'pending', finished_at = NULL,"
            " next_attempt_at = ?",
            now,
        )
        return reason

    def failing_since() -> Any:
        return database.value("SELECT failing_since FROM webhooks")

    assert attempt(NOW, "failed") is None
    assert attempt(NOW + DAY, "failed") is None
    assert failing_since() == NOW
    attempt(NOW + 2 * DAY, "success")
    assert failing_since() is None
    assert attempt(NOW + 3 * DAY, "failed") is None
    assert attempt(NOW + 6 * DAY - 1, "failed") is None
    attempt(NOW + 6 * DAY, "failed")
    assert database.value("SELECT disabled_by FROM webhooks") == "failing"


def test_one_step_finds_a_webhook_however_many_deliveries_wait(database: SqliteDatabase) -> None:
    for number in range(3):
        webhook(database, f"w{number}")
        waiting(database, 50, f"w{number}")
    assert run(due_webhooks(database, now=NOW, limit=10)) == ["w0", "w1", "w2"]
    assert run(due_webhooks(database, now=NOW - 1, limit=10)) == []
    statement = database.statements[-1]
    plan = " ".join(database.plan(statement))
    assert "COVERING INDEX webhook_deliveries_due (webhook_id>?)" in plan
    assert plan.count("SCAN webhook_deliveries") <= 1


@pytest.mark.parametrize("fails", [True, False])
def test_a_round_writes_few_rows(fails: bool) -> None:
    database = SqliteDatabase()
    webhook(database, failing_since=NOW if fails else None)
    waiting(database, 1)
    claim(database)
    before = database.changes()
    finish(database, "d0", result="failed" if fails else "success")
    assert database.changes() - before == 2  # the attempt and the delivery
