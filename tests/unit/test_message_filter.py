"""The filters of lists of messages. A page looks at a limited number of messages."""

from typing import Any

import pytest
from msgspec.structs import replace

from accounts.credentials import Credential
from mail.delivery import DeliveryStatus
from mail.message import Tag
from store import search_index
from store.message_filter import MAX_SEEN, MessageFilter
from store.record import StatusUpdate, record
from store.search import MAX_MATCHES, search
from store.search_index import index_messages
from store.sendbox import (
    every_sendbox_before,
    every_sendbox_named,
    every_sendbox_page,
    sendbox_before,
    sendbox_named,
    sendbox_page,
)
from tests.unit import given
from tests.unit.given import DAY, ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run

# Ids of messages with other statuses than the 5,000 messages that are newer.
OLD = [given.message_id(NOW - 2), given.message_id(NOW - 1)]


def many(database: SqliteDatabase, status: str, old: str) -> tuple[Credential, list[str]]:
    """An address with MAX_SEEN messages and two older ones. Return it and the newer ids."""
    me = given.address(database, balance=MAX_SEEN)
    new = [given.message_id(NOW, number) for number in range(MAX_SEEN)]
    for id_ in (*OLD, *new):
        given_status = old if id_ in OLD else status
        database.insert(
            "messages",
            **{"id": id_, "address_id": me.address_id, "sendbox": 0, "sender": ME},
            **{"subject": "Hello", "size": 1, "recipients": 1, "charge": 1, "status": "sent"},
            **{"attempt": 1, "accepted_at": NOW, "finished_at": NOW, "details": "{}"},
            **({} if given_status == "sent" else {"delivery_status": given_status}),
        )
        database.insert("deliveries", message_id=id_, position=0, kind="to", address="a@b.example")
    return me, new


def test_a_page_looks_at_a_limited_number_of_messages(database: SqliteDatabase) -> None:
    me, new = many(database, "delivered", "sent")
    more: dict[str, Any] = {"limit": 3, "only": MessageFilter(delivery_status="sent")}
    assert run(sendbox_before(database, me, before=None, **more)) == ([], new[0])
    for before in (new[0], new[1]):
        rows, last = run(sendbox_before(database, me, before=before, **more))
        assert ([row["id"] for row in rows], last) == (OLD[::-1], None)
    assert run(sendbox_page(database, me, offset=0, **more)) == ([], 0)
    for address in (None, ME):
        assert run(every_sendbox_page(database, address=address, offset=0, **more)) == ([], 0)


def test_a_page_does_not_count_the_messages_of_other_addresses(database: SqliteDatabase) -> None:
    many(database, "delivered", "delivered")
    name = "other@example.com"
    other = given.address(database, name, balance=1)
    id_ = given.message_id(NOW - 3)
    given.reserved(database, other, id_)
    accepted = StatusUpdate(id=id_, event="accepted", attempt=1, now=NOW)
    run(record(database, [accepted]))
    more: dict[str, Any] = {"limit": 3, "only": MessageFilter(delivery_status="sent")}
    for before in (None, given.message_id(NOW + 1)):
        rows, last = run(sendbox_before(database, other, before=before, **more))
        assert ([row["id"] for row in rows], last) == ([id_], None)
    assert run(sendbox_page(database, other, offset=0, **more))[1] == 1
    assert run(every_sendbox_page(database, address=name, offset=0, **more))[1] == 1
    assert run(search(database, other, "hello", before=None, **more)) == ([id_], None)


def test_a_full_page_is_continued_after_its_own_messages(database: SqliteDatabase) -> None:
    me, new = many(database, "delivered", "sent")
    more: dict[str, Any] = {"limit": 2, "only": MessageFilter(delivery_status="delivered")}
    rows, last = run(sendbox_before(database, me, before=None, **more))
    assert ([row["id"] for row in rows], last) == ([new[-1], new[-2]], None)
    rows, count = run(sendbox_page(database, me, offset=0, **more))
    assert ([row["id"] for row in rows], count) == ([new[-1], new[-2]], MAX_SEEN)


@pytest.mark.parametrize("problem", ["bounced", "complained"])
def test_messages_with_a_problem_are_on_the_first_page(
    database: SqliteDatabase, problem: DeliveryStatus
) -> None:
    me, _ = many(database, "delivered", problem)
    more: dict[str, Any] = {"limit": 3, "only": MessageFilter(delivery_status=problem)}
    rows, last = run(sendbox_before(database, me, before=None, **more))
    assert ([row["id"] for row in rows], last) == (OLD[::-1], None)
    for address in (None, ME):
        _, count = run(every_sendbox_page(database, address=address, offset=0, **more))
        assert count == 2


def test_a_search_looks_at_a_limited_number_of_matches(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, new = many(database, "delivered", "bounced")
    monkeypatch.setattr(search_index, "STEP_MESSAGES", MAX_SEEN)
    while run(index_messages(database, now=NOW + DAY)):
        pass
    more: dict[str, Any] = {"limit": 3, "only": MessageFilter(delivery_status="bounced")}
    before = new[MAX_MATCHES]
    assert run(search(database, me, "hello", before=None, **more)) == ([], new[-MAX_MATCHES])
    assert run(search(database, me, "hello", before=before, **more)) == ([], new[0])
    assert run(search(database, me, "hello", before=new[0], **more)) == (OLD[::-1], None)
    more["only"] = MessageFilter(delivery_status="delivered")
    assert run(search(database, me, "hello", before=None, **more)) == (new[:-4:-1], None)


@pytest.fixture
def mixed(database: SqliteDatabase, me: Credential) -> dict[str, str]:
    """Four messages of me: their ids by their subjects."""
    ids = {}
    for number, (subject, to, tags) in enumerate(
        (
            ("Order 1", ("bob@example.net", "carol@example.org"), (Tag("kind", "order"),)),
            ("Order 2", ("Bob@Example.net",), (Tag("kind", "news"), Tag("size", "big"))),
            ("Letter", ("xbob@example.net",), ()),
            ("Lost", ("dave@bob.example",), ()),
        )
    ):
        id_ = given.message_id(NOW + number * 1000)
        mail = replace(given.message(*to), subject=subject, tags=tags)
        given.reserved(database, me, id_, mail)
        ids[subject] = id_
    database.query(
        "UPDATE messages SET provider_message_id = '<p@x>', status = 'failed', lease_until = NULL,"
        " finished_at = 1, request_id = 'r-1' WHERE subject = 'Lost'"
    )
    return ids


CASES: tuple[tuple[MessageFilter, set[str]], ...] = (
    (MessageFilter(recipient="bob@example.net"), {"Order 1", "Order 2"}),
    (MessageFilter(domain="@example.net"), {"Order 1", "Order 2", "Letter"}),
    (MessageFilter(tag="kind"), {"Order 1", "Order 2"}),
    (MessageFilter(tag="kind", tag_value="news"), {"Order 2"}),
    (MessageFilter(tag="size", tag_value="news"), set()),
    (MessageFilter(status="failed"), {"Lost"}),
    (MessageFilter(request_id="r-1"), {"Lost"}),
    (MessageFilter(since=given.message_id(NOW + 2000)), {"Letter", "Lost"}),
    (MessageFilter(until=given.message_id(NOW + 1000)), {"Order 1"}),
    (MessageFilter(recipient="bob@example.net", tag="size"), {"Order 2"}),
    (MessageFilter(recipient="bob@example.net", status="failed"), set()),
)


@pytest.mark.parametrize(("only", "subjects"), CASES)
def test_each_filter(
    database: SqliteDatabase,
    me: Credential,
    mixed: dict[str, str],
    only: MessageFilter,
    subjects: set[str],
) -> None:
    expected = sorted((mixed[subject] for subject in subjects), reverse=True)
    page: dict[str, Any] = {"limit": 9, "only": only}
    rows, count = run(sendbox_page(database, me, offset=0, **page))
    assert ([row["id"] for row in rows], count) == (expected, len(expected))
    rows, last = run(sendbox_before(database, me, before=None, **page))
    assert ([row["id"] for row in rows], last) == (expected, None)
    for address in (None, ME, "other@example.com"):
        found = expected if address != "other@example.com" else []
        rows, count = run(every_sendbox_page(database, address=address, offset=0, **page))
        assert ([row["id"] for row in rows], count) == (found, len(found))
        rows, last = run(every_sendbox_before(database, address=address, before=None, **page))
        assert ([row["id"] for row in rows], last) == (found, None)


@pytest.mark.parametrize("is_indexed", [False, True])
@pytest.mark.parametrize(("only", "subjects"), CASES[:2] + CASES[7:])
def test_each_filter_in_a_search(
    database: SqliteDatabase,
    me: Credential,
    mixed: dict[str, str],
    only: MessageFilter,
    subjects: set[str],
    is_indexed: bool,
) -> None:
    while is_indexed and run(index_messages(database, now=NOW + DAY)):
        pass
    expected = sorted((mixed[subject] for subject in subjects), reverse=True)
    words = "" if only.recipient or only.domain else "example"
    found = run(search(database, me, words, before=None, limit=9, only=only))
    assert found == (expected, None)
    orders = [id_ for id_ in expected if id_ in (mixed["Order 1"], mixed["Order 2"])]
    found = run(search(database, me, "order", before=None, limit=9, only=only))
    assert found == (orders, None)


@pytest.mark.parametrize(
    ("words", "subjects"),
    [
        (("order",), {"Order 1", "Order 2"}),
        (("carol", "rder"), {"Order 1"}),
        (("me@example.com", "lost"), {"Lost"}),
        (("%",), set()),
    ],
)
def test_administrators_find_parts_of_the_subject_and_of_mailboxes(
    database: SqliteDatabase,
    me: Credential,
    mixed: dict[str, str],
    words: tuple[str, ...],
    subjects: set[str],
) -> None:
    only = MessageFilter(words=words)
    rows, _ = run(every_sendbox_before(database, address=None, before=None, limit=9, only=only))
    assert {row["id"] for row in rows} == {mixed[subject] for subject in subjects}


@pytest.mark.parametrize("name", ["<p@x>", "p@x", "the id"])
def test_a_message_is_found_by_its_ids(
    database: SqliteDatabase, me: Credential, mixed: dict[str, str], name: str
) -> None:
    name = mixed["Lost"] if name == "the id" else name
    other = given.address(database, "other@example.com", balance=1)
    (row,) = run(sendbox_named(database, me, name))
    assert row["id"] == mixed["Lost"]
    assert run(sendbox_named(database, other, name)) == []
    (row,) = run(every_sendbox_named(database, name))
    assert row["id"] == mixed["Lost"]


def test_a_filter_without_index_looks_at_a_limited_number(
    database: SqliteDatabase,
) -> None:
    _, new = many(database, "delivered", "sent")
    database.query("UPDATE messages SET subject = 'Old' WHERE id = ?", OLD[0])
    for only in (MessageFilter(status="failed"), MessageFilter(words=("old",))):
        for address in (None, ME):
            page: dict[str, Any] = {"address": address, "limit": 3, "only": only}
            assert run(every_sendbox_before(database, before=None, **page)) == ([], new[0])
    rows, last = run(every_sendbox_before(database, before=new[0], **page))
    assert ([row["id"] for row in rows], last) == ([OLD[0]], None)
