"""Creating addresses, their credentials and passwords, and the validity of credentials."""

from dataclasses import replace

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import BadRequest, NotFound, TooManyRequests, Unauthorized
from store.addresses import (
    SORT_KEYS,
    address_page,
    create_address,
    find_address,
    require_valid,
    reset_password,
)
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run

ANYBODY = Actor("anybody", "192.0.2.1")


def create(database: SqliteDatabase, address: str, blockable_name: str = "") -> Credential:
    return run(
        create_address(
            database,
            address,
            blockable_name=blockable_name,
            password_hash="$hash",
            by=ANYBODY,
            now=NOW,
        )
    )


def test_a_new_address_has_a_row_and_a_credential_of_version_0(database: SqliteDatabase) -> None:
    assert create(database, ME) == Credential(ME, 1, 0)
    assert database.query("SELECT * FROM addresses") == [
        {
            "id": 1,
            "name": ME,
            "credential_version": 0,
            "password_hash": "$hash",
            "password_by_owner": 0,
            "source_meta": "192.0.2.1",
            "created_at": NOW,
            "updated_at": NOW,
            "sendbox": 0,
        }
    ]


def test_a_new_address_has_no_balance_row(database: SqliteDatabase) -> None:
    create(database, ME)
    assert database.dump()["send_balances"] == []


def test_an_address_is_made_once(database: SqliteDatabase) -> None:
    create(database, ME)
    before = database.dump()
    with pytest.raises(BadRequest, match="address_exists"):
        create(database, ME)
    assert database.dump() == before


def test_a_blocked_name_is_rejected_without_any_row(database: SqliteDatabase) -> None:
    given.listed(database, "name_block", "bob")
    before = database.dump()
    with pytest.raises(BadRequest) as caught:
        create(database, "tmp.bob@example.com", blockable_name="bob")
    assert (caught.value.code, caught.value.values) == ("address_name_blocked", {"name": "bob"})
    assert database.dump() == before


def test_only_the_list_of_names_blocks_names(database: SqliteDatabase) -> None:
    given.listed(database, "name_block", "bobby")
    given.listed(database, "send_block", "bob")
    given.listed(database, "verified", "bob")
    assert create(database, "bob@example.com", blockable_name="bob").address == "bob@example.com"


def test_without_a_blockable_name_nothing_is_looked_up(database: SqliteDatabase) -> None:
    given.listed(database, "name_block", "bob")
    assert create(database, "bob@example.com").address == "bob@example.com"


def test_a_blocked_name_is_reported_before_an_existing_one(database: SqliteDatabase) -> None:
    create(database, "bob@example.com")
    given.listed(database, "name_block", "bob")
    with pytest.raises(BadRequest, match="address_name_blocked"):
        create(database, "bob@example.com", blockable_name="bob")


def test_a_credential_is_valid_while_its_row_agrees(database: SqliteDatabase) -> None:
    credential = given.address(database)
    run(require_valid(database, credential))
    for other in (
        replace(credential, address="you@example.com"),
        replace(credential, address="ME@example.com"),
        replace(credential, address_id=credential.address_id + 1),
        replace(credential, version=1),
    ):
        with pytest.raises(Unauthorized, match="invalid_credential"):
            run(require_valid(database, other))


@pytest.mark.contract(
    "credential: Deleting, renaming or rotating an address invalidates its credentials at once"
)
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM addresses",
        "UPDATE addresses SET name = 'renamed@example.com'",
        "UPDATE addresses SET credential_version = credential_version + 1",
    ],
)
def test_a_credential_ends_at_once(database: SqliteDatabase, change: str) -> None:
    credential = given.address(database)
    database.query(change)
    with pytest.raises(Unauthorized, match="invalid_credential"):
        run(require_valid(database, credential))


def test_a_recreated_address_is_another_one(database: SqliteDatabase) -> None:
    old = given.address(database)
    database.query("DELETE FROM addresses")
    new = given.address(database)
    run(require_valid(database, new))
    with pytest.raises(Unauthorized):
        run(require_valid(database, old))


# A cap per client


def create_capped(
    database: SqliteDatabase,
    name: str,
    *,
    client: str = "192.0.2.1",
    blockable_name: str = "",
    now: int = NOW,
) -> Credential:
    made = create_address(
        database,
        f"{name}@example.com",
        blockable_name=blockable_name,
        password_hash=None,
        by=Actor("anybody", client),
        now=now,
        most_a_day=2,
    )
    return run(made)


def test_a_client_creates_addresses_up_to_the_daily_cap(database: SqliteDatabase) -> None:
    create_capped(database, "a")
    create_capped(database, "b")
    with pytest.raises(TooManyRequests) as caught:
        create_capped(database, "c")
    assert caught.value.code == "too_many_addresses"
    assert caught.value.headers["Retry-After"] == str(12 * 3600)
    assert [row["name"] for row in database.dump()["addresses"]] == [
        "a@example.com",
        "b@example.com",
    ]
    create_capped(database, "c", client="192.0.2.2")
    create_capped(database, "d", now=NOW + given.DAY)


def test_failed_creations_do_not_count(database: SqliteDatabase) -> None:
    given.listed(database, "name_block", "bob")
    create_capped(database, "a")
    for _ in range(3):
        with pytest.raises(BadRequest, match="address_exists"):
            create_capped(database, "a")
        with pytest.raises(BadRequest, match="address_name_blocked"):
            create_capped(database, "bob", blockable_name="bob")
    create_capped(database, "b")
    assert database.value("SELECT count FROM daily_counts") == 2


def test_deleted_addresses_still_count(database: SqliteDatabase) -> None:
    create_capped(database, "a")
    create_capped(database, "b")
    database.query("DELETE FROM addresses")
    with pytest.raises(TooManyRequests):
        create_capped(database, "c")


def test_without_a_cap_nothing_is_counted(database: SqliteDatabase) -> None:
    create(database, ME)
    assert database.dump()["daily_counts"] == []


def audit_rows(database: SqliteDatabase) -> list[tuple[str, str, str, str | None]]:
    """Actor, action, object and source of every audit row."""
    rows = database.dump()["audit"]
    return [(row["actor"], row["action"], row["object"], row["source"]) for row in rows]


@pytest.mark.contract(
    "GET /admin/audit: Each completed action is recorded once; a rejected one is not"
)
def test_each_change_has_one_audit_row(database: SqliteDatabase) -> None:
    credential = create_capped(database, "me")
    made = ("anybody", "address.created", "me@example.com", "192.0.2.1")
    assert audit_rows(database) == [made]
    for _ in range(2):
        with pytest.raises(BadRequest):
            create_capped(database, "me")
    assert audit_rows(database) == [made]
    given.changed_password(database, credential, "$new", now=NOW + 1)
    given.rotated(database, credential, now=NOW + 2)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            given.rotated(database, credential, now=NOW + 3)
        with pytest.raises(Unauthorized):
            given.changed_password(database, credential, "$other", now=NOW + 3)
    assert audit_rows(database) == [
        made,
        (ME, "password.changed", ME, given.OWNER.source),
        (ME, "credential.rotated", ME, given.OWNER.source),
    ]


def test_a_creation_over_the_cap_has_no_audit_row(database: SqliteDatabase) -> None:
    create_capped(database, "a")
    create_capped(database, "b")
    with pytest.raises(TooManyRequests):
        create_capped(database, "c")
    assert len(audit_rows(database)) == 2


# Administration

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)


@pytest.mark.parametrize("largest", [1, 999_999_999_999_999])
def test_an_address_is_found_by_its_id(database: SqliteDatabase, largest: int) -> None:
    for number, name in ((largest, ME), (largest + 1, "you@example.com")):
        database.insert("addresses", id=number, name=name, created_at=NOW, updated_at=NOW)
    assert run(find_address(database, str(largest))) == Credential(ME, largest, 0)


# As a REAL, 2**53 + 1 is 2**53.
@pytest.mark.parametrize("id", ["", "0", "-1", "1.0", "\u0661", str(2**53 + 1), "1" * 5000])
def test_another_id_finds_no_address(database: SqliteDatabase, id: str) -> None:
    for number, name in ((1, ME), (2**53, "you@example.com")):
        database.insert("addresses", id=number, name=name, created_at=NOW, updated_at=NOW)
    with pytest.raises(NotFound, match="address_not_found"):
        run(find_address(database, id))


@pytest.mark.parametrize("key", SORT_KEYS)
@pytest.mark.parametrize("descending", [False, True])
def test_a_page_counts_the_current_messages_of_each_address(
    database: SqliteDatabase, key: str, descending: bool
) -> None:
    """The sort keys all give the order a, b, c."""
    for number, letter in enumerate("abc"):
        about = given.address(database, f"{letter}@example.com", balance=10)
        given.reserved(database, about, f"old-{letter}")
        database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", about.address_id)
        for message in range(number):
            given.reserved(database, about, f"{letter}{message}")
    database.query("UPDATE addresses SET source_meta = name, updated_at = updated_at + id")
    asked = {"query": "@example", "sort_by": key, "descending": descending}
    rows, count = run(address_page(database, **asked, limit=2, offset=1))  # type: ignore[arg-type]
    shown = [(row["name"][0], row["send_count"]) for row in rows]
    assert (shown, count) == ([("b", 1), ("a", 0)] if descending else [("b", 1), ("c", 2)], 3)


def test_a_password_is_reset_for_one_address(database: SqliteDatabase) -> None:
    me, other = given.address(database), given.address(database, "other@example.com")
    database.query("UPDATE addresses SET password_hash = '$old', password_by_owner = 1")
    run(reset_password(database, me, "$new", by=ADMIN, now=NOW + 1))
    assert database.query(
        "SELECT id, password_hash, password_by_owner, updated_at FROM addresses"
    ) == [
        {
            "id": me.address_id,
            "password_hash": "$new",
            "password_by_owner": 0,
            "updated_at": NOW + 1,
        },
        {
            "id": other.address_id,
            "password_hash": "$old",
            "password_by_owner": 1,
            "updated_at": NOW,
        },
    ]
    assert audit_rows(database) == [("admin#1", "password.reset", ME, "192.0.2.3")]


@pytest.mark.parametrize("change", [{"address_id": 9}, {"address": "renamed@example.com"}])
def test_the_password_of_an_address_that_is_gone_is_not_reset(
    database: SqliteDatabase, change: dict[str, object]
) -> None:
    """The address was recreated or renamed after the administrator's request found it."""
    me = given.address(database)
    given.address(database, "other@example.com")
    before = database.dump()
    gone = replace(me, **change)  # type: ignore[arg-type]
    run(reset_password(database, gone, "$new", by=ADMIN, now=NOW + 1))
    assert database.dump() == before
