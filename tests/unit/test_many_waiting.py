"""An address with many waiting messages is recognised, at a limited cost."""

from accounts.credentials import Credential
from store.database import Statement
from store.sendbox_generation import ADMINISTRATION
from store.waiting import MANY, NEAR_MILLISECONDS, has_many_waiting, of_few_waiting
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.test_due import put

_SQL = f"SELECT {has_many_waiting(address_id='?1', now='?2')} AS found"
NEAR = NOW + NEAR_MILLISECONDS


def found(database: SqliteDatabase, address_id: int) -> bool:
    (row,) = database.query(_SQL, address_id, NOW)
    return bool(row["found"])


def test_many_messages_that_may_be_in_the_queue(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com")
    put(database, me, count=MANY, at=NEAR + 1)
    put(database, me, count=MANY - 1, at=NOW - 1000)
    assert not found(database, me.address_id)
    put(database, me, status="scheduled", at=NEAR)
    assert found(database, me.address_id)
    assert not found(database, other.address_id)


def test_the_messages_of_cleared_sendboxes_count(database: SqliteDatabase, me: Credential) -> None:
    put(database, me, count=MANY, at=NEAR + 1)
    assert not found(database, me.address_id)
    database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", me.address_id)
    assert found(database, me.address_id)


def test_the_sendbox_of_another_address_does_not_matter(database: SqliteDatabase) -> None:
    before, me, after = (given.address(database, f"{name}@example.com") for name in "abc")
    put(database, me, count=MANY, at=NEAR + 1)
    for other in (before, after):
        database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", other.address_id)
    assert not found(database, me.address_id)


def test_the_messages_of_the_administrators(database: SqliteDatabase) -> None:
    put(database, None, count=MANY - 1)
    assert not found(database, ADMINISTRATION)
    put(database, None, at=NEAR)
    assert found(database, ADMINISTRATION)


def test_only_the_messages_that_count_are_read(database: SqliteDatabase) -> None:
    place = "COVERING INDEX messages_waiting (address_id=? AND (sendbox,next_attempt_at)<(?,?))"
    assert any(place in step for step in database.plan(Statement(_SQL, (1, NOW))))


def test_the_messages_of_addresses_with_few_waiting_ones(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com")
    many = put(database, me, count=MANY, at=NOW)
    few = put(database, other, count=3, at=NOW)
    these = [*many[:2], *few[:2], "unknown"]
    assert run(of_few_waiting(database, these, now=NOW)) == set(few[:2])
