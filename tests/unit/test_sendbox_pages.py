"""Pages of the sendbox beside messages of other addresses, older sendboxes and administrators."""

from typing import Any

import pytest

from accounts.credentials import Credential
from errors import NotFound
from store.database import Row
from store.message_content import MAX_PART_BYTES
from store.sendbox import (
    every_sendbox_page,
    message_to_retry,
    sendbox_before,
    sendbox_page,
    sendbox_rows,
    view_any_message,
    view_message,
)
from tests.unit import given
from tests.unit.sqlite_database import SqliteDatabase, run

# The limit in docs/api.md, and the bytes that the quotes take as JSON within JSON.
PAGE_BYTES = 2 * 1024 * 1024
QUOTES = len('"\\"\\""')


@pytest.fixture
def other(database: SqliteDatabase, me: Credential) -> Credential:
    return given.address(database, "other@example.com", balance=100)


@pytest.fixture
def stored(database: SqliteDatabase, me: Credential, other: Credential) -> None:
    """m1 to m3 of me; o1 and o2 of other; a1 and a2 of administrators; the others are hidden."""
    for letter, owner, count in (("m", me, 3), ("o", other, 2)):
        for number in range(1, count + 1):
            keep(database, owner, f"{letter}{number}")
    for id, owner, columns in (
        ("a1", me, "address_id = 0"),
        ("a2", other, "address_id = 0"),
        ("a3", me, "address_id = 0, sendbox = NULL"),  # deleted
        ("m0", me, "sendbox = 1"),  # of another sendbox
        ("m9", me, "sendbox = NULL"),
        ("r1", me, "address_id = 99"),  # of a removed address with the same name
    ):
        keep(database, owner, id)
        database.query(f"UPDATE messages SET {columns} WHERE id = ?", id)
    database.query("UPDATE messages SET sender = 'Me@Example.com' WHERE id = 'a1'")
    database.query(
        "INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)"
        " SELECT id, 0, 'sent', 1, 1 FROM messages"
    )


def keep(database: SqliteDatabase, owner: Credential, id: str, **fields: Any) -> None:
    given.reserved(database, owner, id, given.message(sender=owner.address, **fields))


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.mark.usefixtures("stored")
def test_a_page_by_offset_has_the_messages_of_the_current_sendbox(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    for owner, expected in ((me, ["m3", "m2", "m1"]), (other, ["o2", "o1"])):
        rows, count = run(sendbox_page(database, owner, limit=9, offset=0))
        assert (ids(rows), count) == (expected, len(expected))


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("before", "limit", "expected"),
    [
        (None, 9, ["m3", "m2", "m1"]),
        (None, 2, ["m3", "m2"]),
        ("m3", 9, ["m2", "m1"]),
        ("m3", 1, ["m2"]),
        ("m1", 9, []),
        ("m2x", 9, ["m2", "m1"]),
    ],
)
def test_a_page_by_cursor_has_only_older_messages(
    database: SqliteDatabase, me: Credential, before: str | None, limit: int, expected: list[str]
) -> None:
    rows, last = run(sendbox_before(database, me, before=before, limit=limit))
    assert (ids(rows), last) == (expected, None)


@pytest.mark.usefixtures("stored")
def test_rows_by_ids_are_only_of_the_current_sendbox(
    database: SqliteDatabase, me: Credential
) -> None:
    given_ids = ["m1", "m3", "o1", "a1", "a3", "m0", "m9", "r1", "none"]
    assert ids(run(sendbox_rows(database, me, given_ids))) == ["m3", "m1"]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, ["o2", "o1", "m3", "m2", "m1", "a2", "a1"]),
        ("me@example.com", ["m3", "m2", "m1", "a1"]),
        ("other@example.com", ["o2", "o1", "a2"]),
        ("no@example.com", []),
    ],
)
def test_administrators_see_the_current_sendboxes(
    database: SqliteDatabase, address: str | None, expected: list[str]
) -> None:
    rows, count = run(every_sendbox_page(database, address=address, limit=9, offset=0))
    assert (ids(rows), count) == (expected, len(expected))
    rows, count = run(every_sendbox_page(database, address=address, limit=2, offset=1))
    assert (ids(rows), count) == (expected[1:3], len(expected))


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("id", ["m1", "o1", "a1", "m0", "m9", "a3", "r1", "none"])
def test_a_view_is_of_a_message_in_a_current_sendbox(
    database: SqliteDatabase, me: Credential, id: str
) -> None:
    def viewed(view: Any) -> str | None:
        try:
            message = run(view)
        except NotFound:
            return None
        assert len(message.recipients) == len(message.events) == len(message.bodies) == 1
        return str(message.row["id"])

    assert viewed(view_message(database, me, id)) == (id if id == "m1" else None)
    assert viewed(view_any_message(database, id)) == (id if id in ("m1", "o1", "a1") else None)


def test_the_delivery_status_is_sent_until_the_first_event(
    database: SqliteDatabase, me: Credential
) -> None:
    for id in ("m0", "m1", "m2"):
        recipients = [f"you{number}@example.org" for number in range(3)]
        given.reserved(database, me, id, given.message(*recipients))
    database.query("UPDATE messages SET delivery_status = 'bounced' WHERE id <> 'm1'")

    def shown() -> tuple[str | None, int | None, int]:
        (listed,) = run(sendbox_rows(database, me, ["m1"]))
        viewed = run(view_message(database, me, "m1")).row
        names = ("delivery_status", "delivery_count", "recipient_count")
        status, count, recipients = (listed[name] for name in names)
        assert [viewed[name] for name in names] == [status, count, recipients]
        return status, count, recipients

    assert shown() == (None, None, 3)
    database.query("UPDATE messages SET status = 'sent', lease_until = NULL, finished_at = 1")
    assert shown() == ("sent", 3, 3)
    database.query("UPDATE messages SET delivery_status = 'delayed', delivery_count = 2")
    assert shown() == ("delayed", 2, 3)


@pytest.mark.parametrize(("max_size", "count"), [(None, 2), (2000, 2), (1999, 0)])
def test_the_bodies_of_a_message_to_retry_are_left_out_if_it_is_too_large(
    database: SqliteDatabase, me: Credential, max_size: int | None, count: int
) -> None:
    keep(database, me, "m1", text="text", html="html")
    keep(database, me, "m2", text="text")
    found = run(message_to_retry(database, me, "m1", max_size=max_size))
    assert len(found.bodies) == count


def test_the_bodies_of_a_retried_message_are_left_out(
    database: SqliteDatabase, me: Credential
) -> None:
    for id, retry_of in (("m1", None), ("m2", "m1"), ("m3", None)):
        given.reserved(database, me, id, retry_of=retry_of)
    found = {id: run(message_to_retry(database, me, id)).bodies for id in ("m1", "m2", "m3")}
    assert {id: len(bodies) for id, bodies in found.items()} == {"m1": 0, "m2": 1, "m3": 1}


def test_another_body_with_parts_shortens_nothing(database: SqliteDatabase, me: Credential) -> None:
    long = "t" * (MAX_PART_BYTES + 1)
    keep(database, me, "m1", text=long)
    keep(database, me, "m2", text="short")
    keep(database, me, "m3", text=long, html="short")
    rows, count = run(sendbox_page(database, me, limit=9, offset=0))
    assert [(row["id"], row["truncated"]) for row in rows] == [("m3", 0), ("m2", 0), ("m1", 1)]
    assert count == 3


@pytest.mark.parametrize(("more", "exceeds"), [(0, 0), (1, 1)])
def test_the_contents_of_a_page_have_a_maximum_size(
    database: SqliteDatabase, me: Credential, more: int, exceeds: int
) -> None:
    """m2 fills the page, which begins with the newest message. m5 has lost its body."""
    whole = 65_536
    count, rest = divmod(PAGE_BYTES, whole + QUOTES)
    for number in range(count):
        keep(database, me, f"n{number}", text="a" * whole)
    keep(database, me, "m5")
    database.query("DELETE FROM bodies WHERE message_id = 'm5'")
    keep(database, me, "m2", text="b" * (rest - QUOTES + more))
    keep(database, me, "m1", text="c" * 1001)
    rows, _ = run(sendbox_page(database, me, limit=99, offset=0))
    assert [row["exceeds_page"] for row in rows] == [0] * count + [0, exceeds, 1]
    assert [len(row["content"] or "") for row in rows[count:]] == [
        0,
        1000 if exceeds else rest - QUOTES,
        1000,
    ]
