"""Account settings: lists are replaced, and the audit log has the changes."""

import json
from typing import Any

import pytest
from msgspec.structs import fields

from accounts.actor import Actor
from accounts.lists import LISTS, MAX_ENTRIES, comparable_entries
from errors import BadRequest, PayloadTooLarge
from handlers.admin.account_settings import AccountSettings
from store.account_settings import ListEntry, read_account_settings, write_account_settings
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

ME = Actor("admin#1", "192.0.2.1", is_administrator=True)


def write(database: SqliteDatabase, field: str, *given: str) -> None:
    entries = [ListEntry(*entry) for entry in comparable_entries(field, list(given)).items()]
    time = NOW + len(database.dump()["audit"])
    run(write_account_settings(database, {field: entries}, None, by=ME, now=time))


def audit_details(database: SqliteDatabase) -> list[Any]:
    """The details of every audit row, in order."""
    return [json.loads(row["details"]) for row in database.dump()["audit"]]


def test_every_list_is_a_field_of_the_api() -> None:
    assert set(LISTS) <= {field.encode_name for field in fields(AccountSettings)}


def test_the_audit_row_has_the_added_and_removed_entries(database: SqliteDatabase) -> None:
    write(database, "blockList", "Spam", "boss", "a'b")
    write(database, "blockList", "boss", "Chief", "SPAM")
    write(database, "blockList")
    write(database, "sendBlockList", "@example.com")
    assert run(read_account_settings(database))[0]["blockList"] == []
    rows = audit_details(database)
    assert [(row["entries"], row["first_added"], row["first_removed"]) for row in rows] == [
        (3, ["spam", "boss", "a'b"], []),
        (3, ["chief"], ["a'b"]),
        (0, [], ["boss", "chief", "spam"]),
        (1, ["@example.com"], []),
    ]
    assert [(row["added"], row["removed"]) for row in rows] == [(3, 0), (1, 1), (0, 3), (1, 0)]


def test_the_audit_row_names_at_most_a_hundred_entries(database: SqliteDatabase) -> None:
    write(database, "blockList", *(f"a{number:03}" for number in range(150)))
    write(database, "blockList")
    first, second = audit_details(database)
    assert (first["added"], second["removed"]) == (150, 150)
    assert first["first_added"] == second["first_removed"] == [f"a{n:03}" for n in range(100)]


def test_a_list_fits_into_a_value_of_the_database(database: SqliteDatabase) -> None:
    # In JSON each quote has two characters, and each entry occurs twice.
    quotes = [f"{number:05}" + '"' * 35 for number in range(MAX_ENTRIES)]
    write(database, "blockList", *quotes)
    assert run(read_account_settings(database))[0]["blockList"] == quotes
    before = database.dump()
    with pytest.raises(PayloadTooLarge) as caught:
        write(database, "blockList", *(entry + '"' * 20 for entry in quotes))
    assert (caught.value.code, caught.value.errors[0].field) == ("list_too_large", "blockList")
    assert caught.value.values == {"limit": 10_000, "bytes": 1_800_000}
    assert database.dump() == before


def test_a_list_may_have_exactly_the_maximum_size(database: SqliteDatabase) -> None:
    def written(size: int) -> None:
        entry = ListEntry("a", "a" * (size - len('[["a",""]]')))
        run(write_account_settings(database, {"blockList": [entry]}, None, by=ME, now=NOW))

    written(1_800_000)
    with pytest.raises(PayloadTooLarge, match="list_too_large"):
        written(1_800_001)


def test_lists_with_the_same_entry_are_independent(database: SqliteDatabase) -> None:
    write(database, "verifiedAddressList", "a@example.org", "b@example.org")
    write(database, "noLimitSendAddressList", "b@example.org")
    write(database, "verifiedAddressList", "c@example.org")
    lists, _ = run(read_account_settings(database))
    assert lists == {
        "blockList": [],
        "sendBlockList": [],
        "verifiedAddressList": ["c@example.org"],
        "noLimitSendAddressList": ["b@example.org"],
    }
    changes = [(row["first_added"], row["first_removed"]) for row in audit_details(database)]
    assert changes == [
        (["a@example.org", "b@example.org"], []),
        (["b@example.org"], []),
        (["c@example.org"], ["a@example.org", "b@example.org"]),
    ]


def test_the_limits_are_not_the_only_setting(database: SqliteDatabase) -> None:
    for key in ("other", "zero"):
        database.insert("settings", key=key, value="1")
    assert run(read_account_settings(database))[1] is None
    run(write_account_settings(database, {}, {"dailyEnabled": True}, by=ME, now=NOW))
    assert run(read_account_settings(database))[1] == '{"dailyEnabled":true}'
    assert database.value("SELECT count(*) FROM settings WHERE value = '1'") == 2


def test_a_long_entry_is_rejected_unread(database: SqliteDatabase) -> None:
    with pytest.raises(BadRequest, match="invalid_list_entry") as caught:
        write(database, "blockList", "a", " " * 1000 + "a")
    assert [(one.field, one.code) for one in caught.value.errors] == [
        ("blockList[1]", "list_entry_too_long")
    ]


def test_a_list_has_a_maximum_number_of_entries(database: SqliteDatabase) -> None:
    with pytest.raises(PayloadTooLarge):
        write(database, "blockList", *(f"a{number}" for number in range(MAX_ENTRIES + 1)))
