"""Suppressions: added, listed, exported and removed."""

from typing import Any

import pytest

from accounts.actor import Actor
from errors import NotFound
from mail.suppressions import Suppression
from store.suppressions import (
    add_suppression,
    import_suppressions,
    remove_suppression,
    suppression_page,
    suppressions_after,
)
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)
LATER = NOW + 1000


def add(database: SqliteDatabase, address: str, *, now: int = NOW, **fields: Any) -> None:
    run(add_suppression(database, Suppression(address=address, **fields), by=ADMIN, now=now))


def remove(database: SqliteDatabase, address: str, scope: str | None = None) -> None:
    run(remove_suppression(database, address, scope, by=ADMIN, now=NOW + 99))


def listed(
    database: SqliteDatabase, address: str | None = None, *, limit: int = 10, offset: int = 0
) -> tuple[list[tuple[str, str, int]], int]:
    rows, count = run(
        suppression_page(database, address=address, now=NOW, limit=limit, offset=offset)
    )
    return [(row["address"], row["reason"], row["since"] - NOW) for row in rows], count


def audited(database: SqliteDatabase) -> list[tuple[str, str, str | None]]:
    rows = database.dump()["audit"]
    return [(row["action"], row["object"], row["details"]) for row in rows]


def scopes(database: SqliteDatabase) -> list[str]:
    rows = database.query("SELECT scope FROM suppressions ORDER BY scope")
    return [row["scope"] for row in rows]


def test_suppressions_are_listed_newest_first(database: SqliteDatabase) -> None:
    for since, address in enumerate(["b@a.example", "c@a.example", "a@a.example"]):
        add(database, address, now=NOW + since // 2)
    a = ("a@a.example", "manual", 1)
    b, c = ("b@a.example", "manual", 0), ("c@a.example", "manual", 0)
    assert listed(database) == ([a, b, c], 3)
    assert listed(database, limit=1, offset=1) == ([b], 3)
    assert listed(database, "c@a.example") == ([c], 1)
    assert listed(database, "d@a.example") == ([], 0)


def test_ended_suppressions_are_not_listed(database: SqliteDatabase) -> None:
    given.suppressed(database, "a@a.example", expires_at=NOW)
    given.suppressed(database, "b@a.example", expires_at=NOW + 1)
    assert listed(database) == ([("b@a.example", "manual", 0)], 1)
    rows = run(suppressions_after(database, "", "", now=NOW, limit=10))
    assert [row["address"] for row in rows] == ["b@a.example"]


def test_adding_again_changes_the_reason_and_the_end(database: SqliteDatabase) -> None:
    changes: list[dict[str, Any]] = [
        {"reason": "hard_bounce"},
        {"reason": "hard_bounce"},
        {"reason": "complaint"},
        {"reason": "complaint", "expires_at": LATER},
    ]
    for number, fields in enumerate(changes):
        add(database, "a@a.example", now=NOW + number, **fields)
    assert listed(database)[0] == [("a@a.example", "complaint", 0)]
    assert [details for _, _, details in audited(database)] == [
        '{"reason":"hard_bounce"}',
        '{"reason":"complaint"}',
        f'{{"reason":"complaint","expires_at":{LATER}}}',
    ]


def test_adding_again_for_the_same_reason_writes_nothing(database: SqliteDatabase) -> None:
    add(database, "a@a.example")
    before = database.changes()
    add(database, "a@a.example", now=NOW + 1)
    assert database.changes() == before


def test_a_suppression_that_has_ended_begins_again(database: SqliteDatabase) -> None:
    given.suppressed(database, "a@a.example", since=NOW - 9, expires_at=NOW - 1)
    add(database, "a@a.example")
    assert listed(database)[0] == [("a@a.example", "manual", 0)]


def test_a_suppression_is_removed_once(database: SqliteDatabase) -> None:
    for number, letter in enumerate("abc"):
        add(database, f"{letter}@a.example", now=NOW + number)
    remove(database, "b@a.example")
    with pytest.raises(NotFound, match="suppression_not_found"):
        remove(database, "b@a.example")
    assert [address for address, _, _ in listed(database)[0]] == ["c@a.example", "a@a.example"]
    assert audited(database)[3:] == [("suppression.removed", "b@a.example", None)]


def test_a_suppression_is_removed_by_its_scope(database: SqliteDatabase) -> None:
    for scope in ("", "one.example", "two.example", "three.example"):
        add(database, "a@a.example", scope=scope)
    remove(database, "a@a.example", "one.example")
    assert scopes(database) == ["", "three.example", "two.example"]
    remove(database, "a@a.example", "")
    assert scopes(database) == ["three.example", "two.example"]
    remove(database, "a@a.example")
    assert scopes(database) == []


def test_importing_again_writes_nothing(database: SqliteDatabase) -> None:
    rows = [Suppression(address=f"a{number}@a.example", expires_at=LATER) for number in range(1000)]
    run(import_suppressions(database, rows, by=ADMIN, now=NOW))
    written = database.changes()
    run(import_suppressions(database, rows, by=ADMIN, now=NOW + 1))
    assert database.changes() == written
    assert audited(database) == [("suppressions.imported", "suppressions", '{"rows":1000}')]


def test_an_export_continues_after_its_last_row(database: SqliteDatabase) -> None:
    for scope in ("", "b.example", "a.example"):
        for address in ("z@a.example", "a@a.example"):
            add(database, address, scope=scope)
    found: list[tuple[str, str]] = [("", "")]
    while rows := run(suppressions_after(database, *found[-1], now=NOW, limit=2)):
        found += [(row["address"], row["scope"]) for row in rows]
    domains = ["", "a.example", "b.example"]
    assert found[1:] == [(f"{name}@a.example", scope) for name in "az" for scope in domains]
