"""Making addresses, and finding out whether a credential still holds."""

from dataclasses import replace

import pytest

from accounts.credentials import Credential
from refusals import BadRequest, Unauthorized
from store.addresses import check_holds, create_address
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run


def create(database: SqliteDatabase, address: str, blockable_name: str = "") -> Credential:
    return run(
        create_address(
            database,
            address,
            blockable_name=blockable_name,
            password_hash="$hash",
            source="192.0.2.1",
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
            "source_meta": "192.0.2.1",
            "created_at": NOW,
            "updated_at": NOW,
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


def test_a_blocked_name_is_refused_and_leaves_nothing_behind(database: SqliteDatabase) -> None:
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


def test_a_blocked_name_is_blocked_also_where_it_exists(database: SqliteDatabase) -> None:
    create(database, "bob@example.com")
    given.listed(database, "name_block", "bob")
    with pytest.raises(BadRequest, match="address_name_blocked"):
        create(database, "bob@example.com", blockable_name="bob")


def test_a_credential_holds_while_its_row_is_as_it_says(database: SqliteDatabase) -> None:
    credential = given.address(database)
    run(check_holds(database, credential))
    for other in (
        replace(credential, address="you@example.com"),
        replace(credential, address="ME@example.com"),
        replace(credential, address_id=credential.address_id + 1),
        replace(credential, version=1),
    ):
        with pytest.raises(Unauthorized, match="invalid_credential"):
            run(check_holds(database, other))


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
        run(check_holds(database, credential))


def test_an_address_made_anew_is_another_one(database: SqliteDatabase) -> None:
    old = given.address(database)
    database.query("DELETE FROM addresses")
    new = given.address(database)
    run(check_holds(database, new))
    with pytest.raises(Unauthorized):
        run(check_holds(database, old))
