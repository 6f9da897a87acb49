"""Balances, and the default that is granted once."""

from dataclasses import replace

import pytest

from accounts.credentials import Credential
from errors import Unauthorized
from store.balances import UNLIMITED, send_balance
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run


def balance(database: SqliteDatabase, credential: Credential, default: int = 0) -> int:
    return run(send_balance(database, credential, default=default, now=NOW))


@pytest.mark.parametrize("kind", [SqliteDatabase, ForgetfulDatabase])
def test_the_default_is_granted_once(kind: type[SqliteDatabase]) -> None:
    database = kind()
    credential = given.address(database)
    assert balance(database, credential, default=5) == 5
    assert balance(database, credential, default=7) == 5
    assert database.query("SELECT * FROM send_balances") == [
        {"address_id": 1, "balance": 5, "enabled": 1, "requested_at": None, "created_at": NOW}
    ]


@pytest.mark.contract("balance: A default of 0 creates a row only when access is requested")
def test_a_default_of_0_makes_no_row(database: SqliteDatabase) -> None:
    credential = given.address(database)
    assert balance(database, credential) == 0
    assert database.dump()["send_balances"] == []


@pytest.mark.parametrize(("enabled", "shown"), [(True, 3), (False, 0)])
def test_an_existing_row_is_not_changed(
    database: SqliteDatabase, enabled: bool, shown: int
) -> None:
    credential = given.address(database)
    given.set_balance(database, credential, 3, enabled=enabled)
    before = database.dump()
    assert balance(database, credential, default=10) == shown
    assert database.dump() == before


def test_a_used_balance_is_not_granted_again(database: SqliteDatabase) -> None:
    credential = given.address(database, balance=0)
    assert balance(database, credential, default=10) == 0


def test_an_unlimited_address_is_shown_as_such(database: SqliteDatabase) -> None:
    credential = given.address(database, balance=3)
    given.listed(database, "unlimited", ME)
    assert balance(database, credential) == UNLIMITED == 99_999


def test_a_verified_recipient_is_not_an_unlimited_sender(database: SqliteDatabase) -> None:
    credential = given.address(database, balance=3)
    given.listed(database, "verified", ME)
    assert balance(database, credential) == 3


@pytest.mark.parametrize("change", [{"version": 1}, {"address_id": 9}, {"address": "x@b.co"}])
def test_an_invalid_credential_is_rejected_and_grants_nothing(
    database: SqliteDatabase, change: dict[str, object]
) -> None:
    credential = given.address(database)
    before = database.dump()
    with pytest.raises(Unauthorized, match="invalid_credential"):
        run(
            send_balance(
                database,
                replace(credential, **change),  # type: ignore[arg-type]
                default=10,
                now=NOW,
            )
        )
    assert database.dump() == before
