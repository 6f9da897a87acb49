"""Lists with a filter by delivery status: a page looks at a limited number of messages."""

from typing import Any

import pytest

from accounts.credentials import Credential
from mail.delivery import DeliveryStatus
from store import search_index
from store.delivery_filter import MAX_SEEN
from store.record import StatusUpdate, record
from store.search import MAX_MATCHES, search
from store.search_index import index_messages
from store.sendbox import every_sendbox_page, sendbox_before, sendbox_page
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
    more: dict[str, Any] = {"limit": 3, "delivery_status": "sent"}
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
    more: dict[str, Any] = {"limit": 3, "delivery_status": "sent"}
    for before in (None, given.message_id(NOW + 1)):
        rows, last = run(sendbox_before(database, other, before=before, **more))
        assert ([row["id"] for row in rows], last) == ([id_], None)
    assert run(sendbox_page(database, other, offset=0, **more))[1] == 1
    assert run(every_sendbox_page(database, address=name, offset=0, **more))[1] == 1
    assert run(search(database, other, "hello", before=None, **more)) == ([id_], None)


def test_a_full_page_is_continued_after_its_own_messages(database: SqliteDatabase) -> None:
    me, new = many(database, "delivered", "sent")
    more: dict[str, Any] = {"limit": 2, "delivery_status": "delivered"}
    rows, last = run(sendbox_before(database, me, before=None, **more))
    assert ([row["id"] for row in rows], last) == ([new[-1], new[-2]], None)
    rows, count = run(sendbox_page(database, me, offset=0, **more))
    assert ([row["id"] for row in rows], count) == ([new[-1], new[-2]], MAX_SEEN)


@pytest.mark.parametrize("problem", ["bounced", "complained"])
def test_messages_with_a_problem_are_on_the_first_page(
    database: SqliteDatabase, problem: DeliveryStatus
) -> None:
    me, _ = many(database, "delivered", problem)
    more: dict[str, Any] = {"limit": 3, "delivery_status": problem}
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
    more: dict[str, Any] = {"limit": 3, "delivery_status": "bounced"}
    before = new[MAX_MATCHES]
    assert run(search(database, me, "hello", before=None, **more)) == ([], new[-MAX_MATCHES])
    assert run(search(database, me, "hello", before=before, **more)) == ([], new[0])
    assert run(search(database, me, "hello", before=new[0], **more)) == (OLD[::-1], None)
    more["delivery_status"] = "delivered"
    assert run(search(database, me, "hello", before=None, **more)) == (new[:-4:-1], None)
