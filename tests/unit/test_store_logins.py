"""Failed logins: after ten within fifteen minutes, a network must wait to log in to an address.

After a hundred, all networks must wait.
"""

import hashlib
from dataclasses import replace

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import TooManyRequests, Unauthorized
from store.addresses import create_address
from store.logins import (
    MOST_FAILURES,
    MOST_FAILURES_OF_CLIENT,
    WINDOW_MILLISECONDS,
    check_failures_of,
    count_failure,
    count_failure_of,
    logged_in,
    stored_password,
    stored_password_of,
)
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run

MINUTE = 60_000
OTHER = "nobody@example.com"
HERE = "192.0.2.1"


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    made = create_address(
        database, ME, blockable_name="", password_hash="$hash", by=Actor("anybody", None), now=NOW
    )
    return run(made)


def fail(
    database: SqliteDatabase,
    times: int = 1,
    *,
    address: str = ME,
    source: str | None = HERE,
    now: int = NOW,
) -> None:
    for _ in range(times):
        run(count_failure(database, address, source=source, now=now))


def wait(
    database: SqliteDatabase, *, address: str = ME, source: str | None = HERE, now: int = NOW
) -> int:
    """The seconds for which logins of ``address`` are rejected."""
    with pytest.raises(TooManyRequests) as caught:
        run(stored_password(database, address, source=source, now=now))
    assert caught.value.code == "too_many_logins"
    return int(caught.value.headers["Retry-After"])


def test_the_password_of_an_address_is_found(database: SqliteDatabase, me: Credential) -> None:
    assert run(stored_password(database, ME, source=HERE, now=NOW)) == "$hash"
    assert run(stored_password(database, OTHER, source=HERE, now=NOW)) is None
    assert run(logged_in(database, ME, "$hash", source=HERE, now=NOW)) == me


@pytest.mark.parametrize("address", [ME, OTHER, "no address", "\0", ""])
def test_after_ten_failures_an_address_waits(
    database: SqliteDatabase, me: Credential, address: str
) -> None:
    fail(database, 9, address=address)
    run(stored_password(database, address, source=HERE, now=NOW))
    fail(database, address=address)
    assert wait(database, address=address) == 15 * 60
    assert wait(database, address=address, now=NOW + 1) == 15 * 60
    assert wait(database, address=address, now=NOW + 14 * MINUTE) == 60
    assert wait(database, address=address, now=NOW + 15 * MINUTE - 1) == 1
    run(stored_password(database, address, source=HERE, now=NOW + 15 * MINUTE))


def test_failures_of_a_wrong_clock_do_not_count(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES_OF_CLIENT, now=NOW + WINDOW_MILLISECONDS)
    assert run(stored_password(database, ME, source=HERE, now=NOW)) == "$hash"
    assert wait(database, now=NOW + 1) == 30 * 60
    fail(database, address=OTHER, now=NOW + WINDOW_MILLISECONDS)
    fail(database)  # removes those of this address that do not count
    times = database.query("SELECT failed_at FROM login_failures ORDER BY failed_at")
    assert [row["failed_at"] for row in times] == [NOW, NOW + WINDOW_MILLISECONDS]


def test_other_addresses_do_not_wait(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES_OF_CLIENT)
    assert run(stored_password(database, OTHER, source=HERE, now=NOW)) is None


@pytest.mark.parametrize(
    ("other", "same_network"),
    [("192.0.2.2", "::ffff:192.0.2.1"), ("2001:db8::1", HERE), (None, HERE)],
)
def test_other_networks_do_not_wait(
    database: SqliteDatabase, me: Credential, other: str | None, same_network: str
) -> None:
    fail(database, MOST_FAILURES_OF_CLIENT)
    assert wait(database, source=same_network) == 15 * 60
    assert run(stored_password(database, ME, source=other, now=NOW)) == "$hash"
    fail(database, source=other)
    assert run(logged_in(database, ME, "$hash", source=other, now=NOW)) == me


def test_addresses_of_one_ipv6_network_are_one_client(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(MOST_FAILURES_OF_CLIENT):
        fail(database, source=f"2001:db8::{number}")
    assert wait(database, source="2001:db8::ffff") == 15 * 60
    assert run(stored_password(database, ME, source="2001:db8:0:1::1", now=NOW)) == "$hash"


def test_guesses_of_all_networks_together_are_limited(
    database: SqliteDatabase, me: Credential
) -> None:
    assert MOST_FAILURES == 100
    for number in range(20):
        fail(database, MOST_FAILURES // 20, source=f"192.0.2.{number}")
    now = NOW + 12 * MINUTE
    assert wait(database, source="198.51.100.1", now=now) == 3 * 60
    with pytest.raises(TooManyRequests):
        fail(database, source="198.51.100.1", now=now)
    with pytest.raises(TooManyRequests):  # even with the correct password
        run(logged_in(database, ME, "$hash", source="198.51.100.1", now=now))
    assert len(database.dump()["login_failures"]) == MOST_FAILURES
    now = NOW + 15 * MINUTE
    assert run(logged_in(database, ME, "$hash", source="198.51.100.1", now=now)) == me


def test_a_client_waits_for_both_limits(database: SqliteDatabase, me: Credential) -> None:
    for number in range(9):
        fail(database, MOST_FAILURES_OF_CLIENT, source=f"192.0.2.{number + 2}")
    fail(database, MOST_FAILURES_OF_CLIENT, now=NOW + MINUTE)
    assert wait(database, now=NOW + MINUTE) == 15 * 60
    assert wait(database, source="198.51.100.1", now=NOW + MINUTE) == 14 * 60


def test_a_failure_costs_three_statements_and_one_row(
    database: SqliteDatabase, me: Credential
) -> None:
    database.statements.clear()
    before = database.changes()
    fail(database)
    assert (len(database.statements), database.changes() - before) == (3, 1)


def test_the_counters_are_chosen_by_sixteen_bits(database: SqliteDatabase, me: Credential) -> None:
    def counter(address: str) -> bytes:
        return hashlib.sha256(address.encode()).digest()[:2]

    names = [f"a{number}@example.com" for number in range(1000)]
    near = next(name for name in names if counter(name)[0] == counter(ME)[0])
    assert counter(near) != counter(ME)
    fail(database, MOST_FAILURES_OF_CLIENT)
    fail(database, MOST_FAILURES_OF_CLIENT - 1, address=near)


def test_of_concurrent_failures_ten_are_reported(database: SqliteDatabase, me: Credential) -> None:
    for _ in range(20):  # all begin before one has failed
        run(stored_password(database, ME, source=HERE, now=NOW))
    fail(database, MOST_FAILURES_OF_CLIENT)
    for _ in range(10):
        with pytest.raises(TooManyRequests):
            fail(database)
    with pytest.raises(TooManyRequests):  # even with the correct password
        run(logged_in(database, ME, "$hash", source=HERE, now=NOW))
    assert len(database.dump()["login_failures"]) == MOST_FAILURES_OF_CLIENT


def test_the_window_slides(database: SqliteDatabase, me: Credential) -> None:
    for minute in range(MOST_FAILURES_OF_CLIENT):
        fail(database, now=NOW + minute * MINUTE)
    assert wait(database, now=NOW + 10 * MINUTE) == 5 * 60
    later = NOW + WINDOW_MILLISECONDS
    fail(database, now=later)
    assert wait(database, now=later) == 60


def test_a_counter_keeps_only_failures_of_the_window(
    database: SqliteDatabase, me: Credential
) -> None:
    for window in range(5):
        fail(database, MOST_FAILURES_OF_CLIENT, now=NOW + window * WINDOW_MILLISECONDS)
    assert len(database.dump()["login_failures"]) == MOST_FAILURES_OF_CLIENT


def test_a_success_does_not_clear_failures(database: SqliteDatabase, me: Credential) -> None:
    fail(database, MOST_FAILURES_OF_CLIENT - 1)
    run(logged_in(database, ME, "$hash", source=HERE, now=NOW))
    fail(database)
    with pytest.raises(TooManyRequests):
        run(logged_in(database, ME, "$hash", source=HERE, now=NOW))


@pytest.mark.parametrize("other", ["$older", "$of another address"])
def test_another_password_is_rejected_and_not_recorded(
    database: SqliteDatabase, me: Credential, other: str
) -> None:
    """The password was changed during the login."""
    given.address(database, OTHER)
    database.query("UPDATE addresses SET password_hash = '$of another address' WHERE id <> 1")
    before = database.dump()
    with pytest.raises(Unauthorized, match="invalid_login"):
        run(logged_in(database, ME, other, source=HERE, now=NOW))
    assert database.dump() == before


def test_a_login_after_too_many_failures_is_not_recorded(
    database: SqliteDatabase, me: Credential
) -> None:
    fail(database, MOST_FAILURES_OF_CLIENT)
    before = database.dump()
    with pytest.raises(TooManyRequests, match="too_many_logins"):
        run(logged_in(database, ME, "$hash", source=HERE, now=NOW))
    assert database.dump() == before


def test_a_login_returns_the_current_credential(database: SqliteDatabase, me: Credential) -> None:
    database.query("UPDATE addresses SET credential_version = 5")
    assert run(logged_in(database, ME, "$hash", source=HERE, now=NOW)).version == 5


def test_the_logins_of_each_address_are_counted_separately() -> None:
    database = SqliteDatabase()  # a repeated login counts twice
    for name in (ME, OTHER):
        given.address(database, name)
    database.query("UPDATE addresses SET password_hash = '$hash'")
    for name, logins in ((ME, 2), (OTHER, 33)):
        for number in range(logins):
            run(logged_in(database, name, "$hash", source=HERE, now=NOW + number))
    recorded = database.query("SELECT object, details FROM audit ORDER BY object, id")
    assert [(row["object"], row["details"]) for row in recorded] == [
        *[(ME, None)] * 2,
        *[(OTHER, None)] * 20,
        (OTHER, '{"logins_today":32}'),
    ]


# Wrong passwords in requests with a credential


def test_an_owner_waits_only_after_wrong_passwords_with_a_credential(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, OTHER)
    fail(database, MOST_FAILURES_OF_CLIENT)  # anybody can cause failed logins
    for _ in range(MOST_FAILURES_OF_CLIENT - 1):
        run(count_failure_of(database, me, source=HERE, now=NOW))
    run(check_failures_of(database, me, source=HERE, now=NOW))
    assert run(stored_password_of(database, me, source=HERE, now=NOW)) == "$hash"
    run(count_failure_of(database, me, source=HERE, now=NOW))
    for asked in (check_failures_of, stored_password_of, count_failure_of):
        with pytest.raises(TooManyRequests, match="too_many_logins"):
            run(asked(database, me, source=HERE, now=NOW))
    run(check_failures_of(database, other, source=HERE, now=NOW))
    assert run(stored_password_of(database, other, source=HERE, now=NOW)) is None
    run(check_failures_of(database, me, source=HERE, now=NOW + WINDOW_MILLISECONDS))


@pytest.mark.parametrize("change", [{"version": 1}, {"address_id": 9}, {"address": OTHER}])
def test_an_invalid_credential_gets_no_password(
    database: SqliteDatabase, me: Credential, change: dict[str, object]
) -> None:
    given.address(database, OTHER)
    with pytest.raises(Unauthorized, match="invalid_credential"):
        run(stored_password_of(database, replace(me, **change), source=HERE, now=NOW))  # type: ignore[arg-type]
