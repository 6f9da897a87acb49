"""Balances, and the default that is granted once."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import BadRequest, Forbidden, NotFound, Unauthorized
from store.balances import (
    UNLIMITED,
    balance_page,
    remove_balance,
    request_access,
    send_balance,
    set_balance,
)
from store.database import Row, Statement
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)
OTHER = "other@example.com"


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
    assert balance(database, given.address(database, OTHER, balance=4)) == 4


def test_a_verified_recipient_is_not_an_unlimited_sender(database: SqliteDatabase) -> None:
    credential = given.address(database, balance=3)
    given.listed(database, "verified", ME)
    assert balance(database, credential) == 3


@pytest.mark.parametrize("change", [{"version": 1}, {"address_id": 9}, {"address": "x@b.co"}])
@pytest.mark.parametrize("ask", [send_balance, request_access])
def test_an_invalid_credential_is_rejected_and_grants_nothing(
    database: SqliteDatabase, ask: Any, change: dict[str, object]
) -> None:
    credential = given.address(database)
    given.address(database, OTHER)
    before = database.dump()
    invalid = replace(credential, **change)  # type: ignore[arg-type]
    with pytest.raises(Unauthorized, match="invalid_credential"):
        run(ask(database, invalid, default=10, now=NOW))
    assert database.dump() == before


# Requests to the administrators


def request(
    database: SqliteDatabase, credential: Credential, *, now: int, default: int = 0
) -> None:
    run(request_access(database, credential, default=default, now=now))


def requests(database: SqliteDatabase) -> list[int | None]:
    """The times of the requests, by address."""
    rows = database.query("SELECT requested_at FROM send_balances ORDER BY address_id")
    return [row["requested_at"] for row in rows]


@pytest.mark.parametrize("used", [None, 0])
def test_a_request_keeps_its_time_until_it_is_decided(
    database: SqliteDatabase, used: int | None
) -> None:
    """The address has no balance yet, or its balance is used up."""
    me, _ = given.address(database, balance=used), given.address(database, OTHER, balance=0)
    request(database, me, now=NOW + 1)
    assert requests(database) == [NOW + 1, None]
    with pytest.raises(BadRequest, match="already_requested"):
        request(database, me, now=NOW + 2)
    assert requests(database) == [NOW + 1, None]
    run(set_balance(database, me.address_id, None, balance=0, enabled=True, by=ADMIN, now=NOW + 3))
    assert requests(database) == [None, None]
    request(database, me, now=NOW + 4)
    assert requests(database) == [NOW + 4, None]


def test_an_address_with_a_balance_requests_nothing(database: SqliteDatabase) -> None:
    me = given.address(database, balance=1)
    before = database.dump()
    request(database, me, now=NOW + 1)
    assert database.dump() == before


@pytest.mark.parametrize("left", [0, 1])
def test_a_disabled_address_cannot_request(database: SqliteDatabase, left: int) -> None:
    me = given.address(database)
    given.set_balance(database, me, left, enabled=False)
    before = database.dump()
    with pytest.raises(Forbidden, match="balance_disabled"):
        request(database, me, now=NOW + 1)
    assert database.dump() == before


# Pages


def shown(
    database: SqliteDatabase, *, address: str | None = None, requested: bool = False, **page: int
) -> tuple[list[str], int]:
    """The first letters of the addresses on a page, and the number of all that match."""
    asked = {"limit": 10, "offset": 0, **page}
    rows, count = run(balance_page(database, address=address, requested=requested, **asked))
    return [row["address"][0] for row in rows], count


@pytest.fixture
def balances(database: SqliteDatabase) -> None:
    """a and d have a balance, b and c have requested one: c before b. e has none."""
    a, b, c, d, _ = [given.address(database, f"{letter}@example.com") for letter in "abcde"]
    given.set_balance(database, a, 3)
    request(database, b, now=NOW + 2)
    request(database, c, now=NOW + 1)
    given.set_balance(database, d, 4)


@pytest.mark.usefixtures("balances")
def test_balances_are_listed_newest_address_first(database: SqliteDatabase) -> None:
    assert shown(database) == (["d", "c", "b", "a"], 4)
    assert shown(database, limit=2, offset=1) == (["c", "b"], 4)
    assert shown(database, address="b@example.com") == (["b"], 1)
    assert shown(database, address="e@example.com") == ([], 0)


@pytest.mark.usefixtures("balances")
def test_requests_are_listed_oldest_first(database: SqliteDatabase) -> None:
    assert shown(database, requested=True) == (["c", "b"], 2)
    assert shown(database, requested=True, limit=1, offset=1) == (["b"], 2)
    assert shown(database, requested=True, address="b@example.com") == (["b"], 1)
    assert shown(database, requested=True, address="a@example.com") == ([], 0)


# Changes by administrators


def stored(database: SqliteDatabase) -> list[tuple[int, int, int]]:
    rows = database.query("SELECT * FROM send_balances ORDER BY address_id")
    return [(row["address_id"], row["balance"], row["enabled"]) for row in rows]


def audited(database: SqliteDatabase) -> list[tuple[str, str]]:
    return sorted((row["action"], row["object"]) for row in database.dump()["audit"])


def set_to(database: SqliteDatabase, address_id: int, address: str | None, balance: int) -> None:
    run(
        set_balance(database, address_id, address, balance=balance, enabled=True, by=ADMIN, now=NOW)
    )


def test_a_balance_is_set_for_one_address(database: SqliteDatabase) -> None:
    """The other address has the new balance already."""
    me, other = given.address(database, balance=3), given.address(database, OTHER, balance=5)
    for _ in range(2):  # the second time changes nothing
        set_to(database, me.address_id, None, 5)
        assert stored(database) == [(me.address_id, 5, 1), (other.address_id, 5, 1)]
        assert audited(database) == [("balance.set", ME)]
    set_to(database, 0, OTHER, 6)
    set_to(database, other.address_id, OTHER, 7)
    assert stored(database) == [(me.address_id, 5, 1), (other.address_id, 7, 1)]
    assert audited(database) == [("balance.set", ME), *[("balance.set", OTHER)] * 2]


@pytest.mark.parametrize("asked", [(3, None), (0, "no@example.com"), (1, OTHER), (2, ME)])
def test_the_id_and_the_address_must_match(
    database: SqliteDatabase, asked: tuple[int, str | None]
) -> None:
    given.address(database, balance=3)
    given.address(database, OTHER, balance=5)
    before = database.dump()
    with pytest.raises(NotFound, match="address_not_found"):
        set_to(database, *asked, 7)
    assert database.dump() == before


class _Deletes(SqliteDatabase):
    """Deletes ``ME`` between the batches."""

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        found = await super().batch(statements)
        self.query("DELETE FROM addresses WHERE name = ?", ME)
        return found


def test_an_address_deleted_in_the_meantime_gets_no_balance() -> None:
    database = _Deletes()
    me, other = given.address(database), given.address(database, OTHER, balance=5)
    set_to(database, me.address_id, None, 7)
    assert stored(database) == [(other.address_id, 5, 1)]
    assert audited(database) == []


def test_a_balance_is_removed_for_one_address(database: SqliteDatabase) -> None:
    me, other = given.address(database, balance=3), given.address(database, OTHER, balance=5)
    run(remove_balance(database, me, by=ADMIN, now=NOW))
    with pytest.raises(NotFound, match="balance_not_found"):
        run(remove_balance(database, me, by=ADMIN, now=NOW))
    assert stored(database) == [(other.address_id, 5, 1)]
    assert audited(database) == [("balance.removed", ME)]
