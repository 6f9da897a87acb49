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
    database: SqliteDatabase,
    address: str | None = None,
    *,
    after: tuple[str, str] | None = None,
    limit: int = 10,
) -> tuple[list[tuple[str, str, int]], bool]:
    rows, has_more = run(
        suppression_page(database, address=address, after=after, now=NOW, limit=limit)
    )
    return [(row["address"], row["reason"], row["since"] - NOW) for row in rows], has_more


def audited(database: SqliteDatabase) -> list[tuple[str, str, str | None]]:
    rows = database.dump()["audit"]
    return [(row["action"], row["object"], row["details"]) for row in rows]


def scopes(database: SqliteDatabase) -> list[str]:
    rows = database.query("SELECT scope FROM suppressions ORDER BY scope")
    return [row["scope"] for row in rows]


def test_suppressions_are_listed_by_address(database: SqliteDatabase) -> None:
    for since, address in enumerate(["b@a.example", "c@a.example", "a@a.example"]):
        add(database, address, now=NOW + since)
    times = {"a": 2, "b": 0, "c": 1}
    a, b, c = ((f"{name}@a.example", "manual", since) for name, since in times.items())
    assert listed(database) == ([a, b, c], False)
    assert listed(database, limit=1) == ([a], True)
    assert listed(database, after=("a@a.example", ""), limit=1) == ([b], True)
    assert listed(database, after=("aa@a.example", "x"), limit=2) == ([b, c], False)
    assert listed(database, "c@a.example") == ([c], False)
    assert listed(database, "d@a.example") == ([], False)


@pytest.mark.parametrize("address", [None, "a@a.example"])
def test_a_page_continues_after_the_last_row(database: SqliteDatabase, address: str | None) -> None:
    domains = ["", "a.example", "b.example"]
    for scope in reversed(domains):
        for name in ("z@a.example", "a@a.example"):
            add(database, name, scope=scope)
    found: list[tuple[str, str]] = []
    has_more = True
    while has_more:
        after = found[-1] if found else None
        rows, has_more = run(
            suppression_page(database, address=address, after=after, now=NOW, limit=2)
        )
        found += [(row["address"], row["scope"]) for row in rows]
    names = [address] if address else ["a@a.example", "z@a.example"]
    assert found == [(name, scope) for name in names for scope in domains]


def test_a_suppression_begins_again_at_its_end(database: SqliteDatabase) -> None:
    for address, end in (("a@a.example", LATER), ("b@a.example", LATER + 1)):
        given.suppressed(database, address, expires_at=end)
        add(database, address, now=LATER)
    assert database.query("SELECT address, since FROM suppressions ORDER BY address") == [
        {"address": "a@a.example", "since": LATER},
        {"address": "b@a.example", "since": NOW},
    ]


def test_each_scope_is_a_change_of_its_own(database: SqliteDatabase) -> None:
    for scope in ("one.example", "two.example", "two.example"):
        add(database, "a@a.example", scope=scope)
    assert (scopes(database), len(audited(database))) == (["one.example", "two.example"], 2)


def test_ended_suppressions_are_not_listed(database: SqliteDatabase) -> None:
    given.suppressed(database, "a@a.example", expires_at=NOW)
    given.suppressed(database, "b@a.example", expires_at=NOW + 1)
    assert listed(database) == ([("b@a.example", "manual", 0)], False)
    assert listed(database, "a@a.example") == ([], False)


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
    assert [address for address, _, _ in listed(database)[0]] == ["a@a.example", "c@a.example"]
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
