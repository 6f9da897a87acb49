"""Due messages are found in time, fairly among the addresses, and only if they can be claimed."""

import pytest

from accounts.credentials import Credential
from store.due import due_messages
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

MINUTE = 60_000
# More than are enqueued in a minute.
MANY = 1200


def put(
    database: SqliteDatabase,
    owner: Credential | None,
    *,
    count: int = 1,
    status: str = "queued",
    at: int = NOW,
    sendbox: int = 0,
) -> list[str]:
    """Insert ``count`` waiting messages of an address, or of an administrator, 1 ms apart."""
    address_id = owner.address_id if owner else 0
    ids = [f"{address_id}-{status}-{at}-{number:06}" for number in range(count)]
    for number, id in enumerate(ids):
        database.insert(
            "messages",
            **{"id": id, "address_id": address_id, "sendbox": sendbox, "sender": given.ME},
            **{"subject": "Hello", "size": 1, "recipients": 1, "charge": 1, "status": status},
            **{"accepted_at": NOW, "next_attempt_at": at + number},
        )
    return ids


def due(database: SqliteDatabase, now: int = NOW, **limit: int) -> list[str]:
    return [id for id, _ in run(due_messages(database, now=now, **limit))]


@pytest.fixture
def you(database: SqliteDatabase, me: Credential) -> Credential:
    """Another address."""
    return given.address(database, "you@example.com")


def test_the_longest_waiting_of_an_address_is_first(
    database: SqliteDatabase, me: Credential
) -> None:
    (third,), (second,), (first,), (later,) = (
        put(database, me, at=at) for at in (NOW, NOW - 1, NOW - 2, NOW + 1)
    )
    for status in ("sent", "failed", "unknown", "cancelled"):
        database.query(
            "INSERT INTO messages (id, address_id, sender, subject, size, recipients, charge,"
            " status, accepted_at, finished_at) VALUES (?1, 1, 'a@b', 's', 1, 1, 1, ?1, 1, 1)",
            status,
        )
    before = database.dump()
    assert due(database) == [first, second, third]
    assert due(database, NOW + 1) == [first, second, third, later]
    assert due(database, 0) == []
    assert database.dump() == before


def test_each_message_has_its_due_time(database: SqliteDatabase, me: Credential) -> None:
    (id,) = put(database, me, at=NOW - 7)
    assert run(due_messages(database, now=NOW)) == [(id, NOW - 7)]


@pytest.mark.parametrize("others", [0, MANY])
def test_scheduled_messages_are_found_a_minute_ahead(
    database: SqliteDatabase, me: Credential, you: Credential, others: int
) -> None:
    put(database, you, count=others, at=NOW - MANY)
    (first,) = put(database, me, status="scheduled", at=NOW + MINUTE)
    assert first in due(database)
    (second,) = put(database, me, status="scheduled", at=NOW + MINUTE + 1)
    (queued,) = put(database, me, at=NOW + 1)  # enqueued when it was deferred
    mine = {first, second, queued}
    assert [id for id in due(database) if id in mine] == [first]
    # So one of two runs a minute apart finds a scheduled message in time.
    assert [id for id in due(database, NOW + 1) if id in mine] == [queued, first, second]


def test_the_number_of_due_messages_is_limited(database: SqliteDatabase, me: Credential) -> None:
    ids = put(database, me, count=MANY, at=NOW - MANY)
    assert due(database) == ids[:1000]
    assert due(database, limit=7) == ids[:7]


@pytest.mark.parametrize("count", [3, MANY])
def test_the_addresses_take_turns(
    database: SqliteDatabase, me: Credential, you: Credential, count: int
) -> None:
    many = put(database, me, count=count, at=NOW - MANY)
    few = put(database, you, count=2, at=NOW - 1)
    (of_administrators,) = put(database, None, at=NOW)
    assert due(database)[:6] == [many[0], few[0], of_administrators, many[1], few[1], many[2]]


def test_every_address_has_its_share(database: SqliteDatabase, me: Credential) -> None:
    others = [given.address(database, f"{number}@example.com") for number in range(9)]
    put(database, me, count=MANY, at=NOW - MANY)
    for one in others:
        put(database, one, count=MANY // 10, at=NOW - MANY // 10)
    found = due(database)
    assert len(found) == 1000
    for one in (me, *others):
        assert sum(id.startswith(f"{one.address_id}-") for id in found) == 100


@pytest.mark.parametrize("way", ["paused", "cleared", "later"])
def test_an_address_without_messages_to_send_takes_no_share(
    database: SqliteDatabase, me: Credential, you: Credential, way: str
) -> None:
    put(database, you, count=MANY, at=NOW - MANY)
    put(database, me, count=MANY, at=NOW + given.DAY if way == "later" else NOW - MANY)
    if way == "paused":
        database.insert("send_pauses", address_id=me.address_id, paused=1, since=NOW)
    if way == "cleared":
        database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", me.address_id)
    found = due(database)
    assert len(found) == 1000
    assert all(id.startswith(f"{you.address_id}-") for id in found)


@pytest.mark.parametrize("count", [3, MANY])
def test_messages_of_a_paused_address_are_not_due_and_hide_no_others(
    database: SqliteDatabase, me: Credential, you: Credential, count: int
) -> None:
    put(database, me, count=count, at=NOW - MANY)
    mine = put(database, you, at=NOW)
    database.insert("send_pauses", address_id=me.address_id, paused=1, since=NOW)
    assert due(database) == mine
    database.query("UPDATE send_pauses SET paused = 0")
    assert len(due(database)) == min(count + 1, 501)


@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.parametrize("way", ["cleared", "deleted"])
def test_messages_in_no_sendbox_are_not_due_and_hide_no_others(
    database: SqliteDatabase, me: Credential, you: Credential, way: str, count: int
) -> None:
    put(database, me, count=count, at=NOW - MANY)
    mine = put(database, you, at=NOW)
    if way == "deleted":
        database.query("DELETE FROM addresses WHERE id = ?", me.address_id)
        assert due(database) == mine
        return
    database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", me.address_id)
    assert due(database) == mine
    (new,) = put(database, me, sendbox=1, at=NOW - 1)
    assert due(database) == [new, *mine]
