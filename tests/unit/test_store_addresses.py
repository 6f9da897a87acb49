"""Creating addresses, their credentials and passwords, and the validity of credentials."""

from dataclasses import replace

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import BadRequest, TooManyRequests, Unauthorized
from store.addresses import create_address, require_valid
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
