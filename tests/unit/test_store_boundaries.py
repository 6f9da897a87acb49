"""Boundaries of the store that no other test has."""

from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from mail.suppressions import Suppression
from store import search_index
from store.addresses import create_address
from store.database import DatabaseUnavailable, Row, Statement
from store.domains import domain_page
from store.record import StatusUpdate, record
from store.suppressions import add_suppression
from store.waiting import MANY, of_few_waiting
from tests.unit import given
from tests.unit.given import DAY, NOW, YOU
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.test_due import put

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)


class Repeating(SqliteDatabase):
    """Runs each repeatable batch twice, and reports that it can't know the outcome of others."""

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        await super().batch(statements)
        if not repeatable:
            raise DatabaseUnavailable
        return await super().batch(statements)


def test_a_repeated_creation_creates_one_address() -> None:
    database = Repeating()
    fields: dict[str, Any] = {"blockable_name": "a", "password_hash": None, "by": ADMIN}
    made = run(create_address(database, "a@example.com", **fields, now=NOW, most_a_day=5))
    assert made == Credential("a@example.com", 1, 0)
    rows = database.dump()
    assert len(rows["addresses"]) == len(rows["audit"]) == 1
    assert [row["count"] for row in rows["daily_counts"]] == [1]


def test_a_day_without_recipients_is_left_out(database: SqliteDatabase, me: Credential) -> None:
    for day, recipients in (("2026-11-01", 0), ("2026-11-02", 1)):
        database.insert(
            "usage_days",
            **{"day": day, "address_id": me.address_id, "domain": "a.example"},
            **{"sent": 0, "failed": 1, "unknown": 0, "cancelled": 0, "recipients": recipients},
        )
    days, count = run(domain_page(database, [], now=NOW, limit=9, offset=0))
    assert count == 1
    assert [row["day"] for row in days["a.example"]] == ["2026-11-02"]


@pytest.mark.parametrize("expires_at", [None, NOW + 90 * DAY])
def test_a_later_bounce_does_not_shorten_a_suppression(
    database: SqliteDatabase, me: Credential, expires_at: int | None
) -> None:
    """Even if an administrator has entered it with the same reason."""
    given.reserved(database, me)
    run(record(database, [StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW)]))
    one = Suppression(address=YOU, scope="example.com", reason="hard_bounce", expires_at=expires_at)
    run(add_suppression(database, one, by=ADMIN, now=NOW))
    before = database.dump()["suppressions"]
    given.delivery_event(database, "m1", "bounced", is_permanent=True, occurred_at=NOW + DAY)
    assert database.dump()["suppressions"] == before


def test_five_hundred_messages_are_many(database: SqliteDatabase, me: Credential) -> None:
    assert MANY == 500  # docs/delivery.md
    ids = put(database, me, count=499)
    assert run(of_few_waiting(database, ids[:1], now=NOW)) == {ids[0]}
    put(database, me, status="scheduled")
    assert run(of_few_waiting(database, ids[:1], now=NOW)) == set()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_step_of_the_index_fills_its_value(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    rows: list[Row] = [
        {
            **{"id": given.message_id(NOW, number), "address_id": 1, "newest_number": None},
            **{"subject": "é" * number, "recipients": YOU, "kind": "text", "content": "Hello"},
        }
        for number in range(3)
    ]
    documents = search_index._documents(rows)
    assert len(documents) == 3
    size = len(f"[{','.join(documents[:count])},".encode()) - 1
    for most, expected in ((size, count), (size - 1, count - 1)):
        monkeypatch.setattr(search_index, "_MAX_STEP_BYTES", most)
        assert search_index._documents(rows) == documents[:expected]
