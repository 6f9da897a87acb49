"""The messages of an address for clients of Resend: one message, and pages by cursor."""

import json
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from accounts.credentials import Credential
from errors import BadRequest, NotFound, Unauthorized
from store.database import Row
from store.emails import email_page, find_email
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    return given.address(database)


def keep(database: SqliteDatabase, me: Credential, id: str, **columns: Any) -> None:
    """Store a sent message to two recipients."""
    database.insert(
        "messages",
        **{
            "id": id,
            "address_id": me.address_id,
            "sender": me.address,
            "subject": "Hello",
            "size": 2000,
            "recipients": 2,
            "charge": 2,
            "status": "sent",
            "accepted_at": NOW,
            "finished_at": NOW,
            **columns,
        },
    )
    for position, (kind, address) in enumerate([("to", "b@example.org"), ("cc", "a@example.org")]):
        database.insert("deliveries", message_id=id, position=position, kind=kind, address=address)


def page(
    database: SqliteDatabase, me: Credential, limit: int = 20, **cursor: Any
) -> tuple[list[str], bool]:
    rows, has_more = run(email_page(database, me, limit=limit, **cursor))
    return [row["id"] for row in rows], has_more


def find(database: SqliteDatabase, me: Credential, id: str) -> tuple[Row, list[Row]]:
    return run(find_email(database, me, id))


def test_a_message_is_found_with_its_recipients_and_bodies(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, "m1", details='{"tags":[]}', scheduled_at=NOW, reason="throttled")
    for part in (1, 0):
        database.insert("bodies", message_id="m1", kind="text", part=part, content=str(part))
    database.query("UPDATE messages SET delivery_status = 'bounced'")
    row, bodies = find(database, me, "m1")
    recipients = json.loads(row.pop("recipients"))
    assert row == {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": None,
        "subject": "Hello",
        "status": "sent",
        "accepted_at": NOW,
        "scheduled_at": NOW,
        "provider_message_id": None,
        "reason": "throttled",
        "details": '{"tags":[]}',
        "delivery_status": "bounced",
    }
    assert recipients == [
        {"kind": "to", "address": "b@example.org", "name": None},
        {"kind": "cc", "address": "a@example.org", "name": None},
    ]
    assert bodies == [{"kind": "text", "content": part, "truncated": 0} for part in ("0", "1")]


def test_messages_of_other_addresses_are_neither_found_nor_listed(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com")
    keep(database, other, "m1")
    for id in ("m1", "m2", "", "~"):
        with pytest.raises(NotFound, match="message_not_found"):
            find(database, me, id)
    assert page(database, me) == ([], False)
    with pytest.raises(BadRequest, match="invalid_cursor"):
        page(database, me, after="m1")


def test_pages_have_only_messages_of_the_current_sendbox(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com")
    for number, (owner, sendbox) in enumerate([(me, 0), (other, 0), (me, 1), (me, 0), (other, 0)]):
        keep(database, owner, f"m{number}", sendbox=sendbox)
    assert page(database, me) == (["m3", "m0"], False)
    assert page(database, me, after="m3") == (["m0"], False)
    assert page(database, me, before="m0") == (["m3"], False)


def test_an_invalid_credential_finds_nothing(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    database.query("UPDATE addresses SET credential_version = 1")
    with pytest.raises(Unauthorized):
        find(database, me, "m1")
    with pytest.raises(Unauthorized):
        page(database, me)


def test_pages_go_from_the_newest_to_the_oldest_and_back(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(5):
        keep(database, me, f"m{number}")
    assert page(database, me, 2) == (["m4", "m3"], True)
    assert page(database, me, 2, after="m3") == (["m2", "m1"], True)
    assert page(database, me, 2, after="m1") == (["m0"], False)
    assert page(database, me, 2, after="m0") == ([], False)
    assert page(database, me, 2, before="m0") == (["m2", "m1"], True)
    assert page(database, me, 2, before="m2") == (["m4", "m3"], False)
    assert page(database, me, 2, before="m4") == ([], False)
    assert page(database, me, 5) == (["m4", "m3", "m2", "m1", "m0"], False)


def test_new_messages_do_not_move_a_page(database: SqliteDatabase, me: Credential) -> None:
    for number in range(4):
        keep(database, me, f"m{number}")
    keep(database, me, "m9")
    assert page(database, me, 2, after="m2") == (["m1", "m0"], False)


@pytest.mark.parametrize("cursor", ["after", "before"])
@pytest.mark.parametrize("id", ["", "nothing", "~", "m", "' OR 1=1 --", "\x00", "%"])
def test_a_cursor_must_be_the_id_of_a_message(
    database: SqliteDatabase, me: Credential, cursor: str, id: str
) -> None:
    keep(database, me, "m1")
    with pytest.raises(BadRequest, match="invalid_cursor") as caught:
        page(database, me, 20, **{cursor: id})
    assert [error.field for error in caught.value.errors] == [cursor]


@given_any(count=st.integers(0, 30), limit=st.integers(1, 12))
def test_paging_returns_every_message_once_in_either_direction(count: int, limit: int) -> None:
    database = SqliteDatabase()
    me = given.address(database)
    ids = [given.message_id(NOW, number) for number in range(count)]
    for id in ids:
        keep(database, me, id)
    older, has_more = page(database, me, limit)
    while has_more:
        more, has_more = page(database, me, limit, after=older[-1])
        assert more
        older += more
    assert older == ids[::-1]
    if ids:
        newer: list[str] = []
        cursor, has_more = ids[0], True
        while has_more:
            more, has_more = page(database, me, limit, before=cursor)
            newer = more + newer
            cursor = newer[0] if newer else cursor
        assert newer == ids[:0:-1]
