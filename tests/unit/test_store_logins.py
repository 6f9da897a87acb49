"""Failed logins: after ten within fifteen minutes an address must wait."""

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import TooManyRequests, Unauthorized
from store.addresses import create_address
from store.logins import (
    MOST_FAILURES,
    WINDOW_MILLISECONDS,
    count_failure,
    logged_in,
    stored_password,
)
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run

MINUTE = 60_000
OTHER = "nobody@example.com"


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    made = create_address(
        database, ME, blockable_name="", password_hash="$hash", by=Actor("anybody", None), now=NOW
    )
    return run(made)


def fail(database: SqliteDatabase, times: int = 1, *, address: str = ME, now: int = NOW) -> None:
    for _ in range(times):
        run(count_failure(database, address, now=now))


def wait(database: SqliteDatabase, *, address: str = ME, now: int = NOW) -> int:
    """The seconds for which logins of ``address`` are rejected."""
    with pytest.raises(TooManyRequests) as caught:
        run(stored_password(database, address, now=now))
    assert caught.value.code == "too_many_logins"
    return int(caught.value.headers["Retry-After"])


def test_the_password_of_an_address_is_found(database: SqliteDatabase, me: Credential) -> None:
    assert run(stored_password(database, ME, now=NOW)) == "$hash"
    assert run(stored_password(database, OTHER, now=NOW)) is None
    assert run(logged_in(database, ME, "$hash", source="192.0.2.1", now=NOW)) == me


@pytest.mark.parametrize("address", [ME, OTHER, "no address", "\0", ""])
def test_after_ten_failures_an_address_waits(
    database: SqliteDatabase, me: Credential, address: str
) -> None:
    fail(database, 9, address=address)
    run(stored_password(database, address, now=NOW))
    fail(database, address=address)
    assert wait(database, address=address) == 15 * 60
    assert wait(database, address=address, now=NOW + 1) == 15 * 60
    assert wait(database, address=address, now=NOW + 14 * MINUTE) == 60
    assert wait(database, address=address, now=NOW + 15 * MINUTE - 1) == 1
    run(stored_password(database, address, now=NOW + 15 * MINUTE))


def test_failures_of_a_wrong_clock_do_not_count(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES, now=NOW + WINDOW_MILLISECONDS)
    assert run(stored_password(database, ME, now=NOW)) == "$hash"
    assert wait(database, now=NOW + 1) == 30 * 60
    fail(database)  # removes those that do not count
    assert database.query("SELECT failed_at FROM login_failures") == [{"failed_at": NOW}]


def test_other_addresses_do_not_wait(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES)
    assert run(stored_password(database, OTHER, now=NOW)) is None


def test_of_concurrent_failures_ten_are_reported(database: SqliteDatabase, me: Credential) -> None:
    for _ in range(20):  # all begin before one has failed
        run(stored_password(database, ME, now=NOW))
    fail(database, MOST_FAILURES)
    for _ in range(10):
        with pytest.raises(TooManyRequests):
            fail(database)
    with pytest.raises(TooManyRequests):  # even with the correct password
        run(logged_in(database, ME, "$hash", source="192.0.2.1", now=NOW))
    assert len(database.dump()["login_failures"]) == MOST_FAILURES


def test_the_window_slides(database: SqliteDatabase, me: Credential) -> None:
    for minute in range(MOST_FAILURES):
        fail(database, now=NOW + minute * MINUTE)
    assert wait(database, now=NOW + 10 * MINUTE) == 5 * 60
    later = NOW + WINDOW_MILLISECONDS
    fail(database, now=later)
    assert wait(database, now=later) == 60


def test_a_counter_keeps_only_failures_of_the_window(
    database: SqliteDatabase, me: Credential
) -> None:
    for window in range(5):
        fail(database, MOST_FAILURES, now=NOW + window * WINDOW_MILLISECONDS)
    assert len(database.dump()["login_failures"]) == MOST_FAILURES


def test_a_success_does_not_clear_failures(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES - 1)
    run(logged_in(database, ME, "$hash", source="192.0.2.1", now=NOW))
    fail(database)
    with pytest.raises(TooManyRequests):
        run(logged_in(database, ME, "$hash", source="192.0.2.1", now=NOW))


def test_a_password_changed_during_the_login_does_not_match(
    database: SqliteDatabase, me: Credential
) -> None:
    with pytest.raises(Unauthorized, match="invalid_login"):
        run(logged_in(database, ME, "$older", source="192.0.2.1", now=NOW))


def test_a_login_returns_the_current_credential(database: SqliteDatabase, me: Credential) -> None:
    database.query("UPDATE addresses SET credential_version = 5")
    assert run(logged_in(database, ME, "$hash", source="192.0.2.1", now=NOW)).version == 5
