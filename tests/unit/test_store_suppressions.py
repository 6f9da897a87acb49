"""Suppressions: added, listed and removed one by one."""

import pytest

from accounts.actor import Actor
from errors import NotFound
from store.suppressions import add_suppression, remove_suppression, suppression_page
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)


def add(database: SqliteDatabase, address: str, reason: str = "bounced", *, now: int = NOW) -> None:
    run(add_suppression(database, address, reason, by=ADMIN, now=now))


def remove(database: SqliteDatabase, address: str) -> None:
    run(remove_suppression(database, address, by=ADMIN, now=NOW + 99))


def listed(
    database: SqliteDatabase, address: str | None = None, *, limit: int = 10, offset: int = 0
) -> tuple[list[tuple[str, str, int]], int]:
    rows, count = run(suppression_page(database, address=address, limit=limit, offset=offset))
    return [(row["address"], row["reason"], row["since"] - NOW) for row in rows], count


def audited(database: SqliteDatabase) -> list[tuple[str, str, str | None]]:
    rows = database.dump()["audit"]
    return [(row["action"], row["object"], row["details"]) for row in rows]


def test_suppressions_are_listed_newest_first(database: SqliteDatabase) -> None:
    for since, address in enumerate(["b@a.example", "c@a.example", "a@a.example"]):
        add(database, address, now=NOW + since // 2)
    a = ("a@a.example", "bounced", 1)
    b, c = ("b@a.example", "bounced", 0), ("c@a.example", "bounced", 0)
    assert listed(database) == ([a, b, c], 3)
    assert listed(database, limit=1, offset=1) == ([b], 3)
    assert listed(database, "c@a.example") == ([c], 1)
    assert listed(database, "d@a.example") == ([], 0)


def test_adding_again_changes_only_the_reason(database: SqliteDatabase) -> None:
    for number, (address, reason) in enumerate(
        [
            ("a@a.example", "bounced"),
            ("b@a.example", "complained"),
            ("a@a.example", "bounced"),
            ("a@a.example", "complained"),
        ]
    ):
        add(database, address, reason, now=NOW + number)
    assert listed(database)[0] == [
        ("b@a.example", "complained", 1),
        ("a@a.example", "complained", 0),
    ]
    assert audited(database) == [
        ("suppression.added", "a@a.example", '{"reason":"bounced"}'),
        ("suppression.added", "b@a.example", '{"reason":"complained"}'),
        ("suppression.added", "a@a.example", '{"reason":"complained"}'),
    ]


def test_adding_again_for_the_same_reason_writes_nothing(database: SqliteDatabase) -> None:
    add(database, "a@a.example")
    before = database.changes()
    add(database, "a@a.example", now=NOW + 1)
    assert database.changes() == before


def test_a_suppression_is_removed_once(database: SqliteDatabase) -> None:
    for number, letter in enumerate("abc"):
        add(database, f"{letter}@a.example", now=NOW + number)
    remove(database, "b@a.example")
    with pytest.raises(NotFound, match="suppression_not_found"):
        remove(database, "b@a.example")
    assert [address for address, _, _ in listed(database)[0]] == ["c@a.example", "a@a.example"]
    assert audited(database)[3:] == [("suppression.removed", "b@a.example", None)]
