"""The sendbox: pages of the messages of one address, newest first."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.credentials import Credential
from errors import NotFound, Unauthorized
from mail.lifecycle import Event
from mail.message import Message
from store.database import Row
from store.message_content import MAX_PART_BYTES
from store.record import StatusUpdate, record
from store.sendbox import StoredMessage, every_sendbox_page, message_to_retry, sendbox_page
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

# The limits in docs/api.md.
MAX_COUNT = 1000
SHOWN_CHARACTERS = 16_384
SHOWN_WHOLE_BYTES = 64 * 1024


def keep(
    database: SqliteDatabase, me: Credential, id: str, message: Message | None = None, **more: Any
) -> None:
    given.reserved(database, me, id, message, **more)


def page(
    database: SqliteDatabase, me: Credential, limit: int = 20, offset: int = 0
) -> tuple[list[Row], int]:
    return run(sendbox_page(database, me, limit=limit, offset=offset))


def test_an_empty_sendbox_is_an_empty_page(database: SqliteDatabase, me: Credential) -> None:
    assert page(database, me) == ([], 0)


def test_a_message_has_the_sent_fields(database: SqliteDatabase, me: Credential) -> None:
    message = given.message("You@example.org", sender_name="Me", subject="Hé", html="<p>Hi</p>")
    keep(database, me, "m1", message)
    ((row,), count) = page(database, me)
    assert count == 1
    assert row == {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": "Me",
        "subject": "Hé",
        "status": "sending",
        "accepted_at": NOW,
        "delivery_status": None,
        "delivery_count": None,
        "recipient_count": 1,
        "scheduled_at": None,
        "recipient": "You@example.org",
        "recipient_name": None,
        "body_kind": "html",
        "content": "<p>Hi</p>",
        "truncated": 0,
        "exceeds_page": 0,
    }


def test_pages_begin_with_the_newest(database: SqliteDatabase, me: Credential) -> None:
    for number in range(5):
        keep(database, me, f"m{number}")

    def ids(**numbers: int) -> list[str]:
        rows, count = page(database, me, **numbers)
        assert count == 5
        return [row["id"] for row in rows]

    assert ids(limit=2) == ["m4", "m3"]
    assert ids(limit=2, offset=2) == ["m2", "m1"]
    assert ids(limit=2, offset=4) == ["m0"]
    assert ids(limit=2, offset=5) == []
    assert ids(limit=100, offset=2**53 - 1) == []
    assert ids(limit=100) == ["m4", "m3", "m2", "m1", "m0"]


def test_an_address_sees_only_its_own_messages(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=10)
    keep(database, me, "m1")
    keep(database, other, "m2")
    assert [row["id"] for row in page(database, me)[0]] == ["m1"]
    assert [row["id"] for row in page(database, other)[0]] == ["m2"]


def test_a_recreated_address_does_not_see_the_old_messages(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, "m1")
    database.query("DELETE FROM addresses")
    assert page(database, given.address(database)) == ([], 0)


@pytest.mark.parametrize(
    "bodies", [{"text": "a"}, {"html": "a"}, {"text": "a", "html": "<p>a"}], ids=repr
)
@pytest.mark.parametrize("recipients", [1, 3])
def test_a_message_is_listed_once(
    database: SqliteDatabase, me: Credential, bodies: dict[str, Any], recipients: int
) -> None:
    addresses = [f"you{number}@example.org" for number in range(recipients)]
    keep(database, me, "m1", given.message(*addresses, **bodies))
    rows, count = page(database, me)
    assert ([row["id"] for row in rows], count) == (["m1"], 1)
    assert rows[0]["recipient"] == "you0@example.org"


@pytest.mark.parametrize("length", [SHOWN_WHOLE_BYTES // 2, MAX_PART_BYTES])
def test_a_long_body_is_shortened_in_the_list(
    database: SqliteDatabase, me: Credential, length: int
) -> None:
    keep(database, me, "m1", given.message(text="é" * length + "!"))
    row = page(database, me)[0][0]
    assert (row["content"], row["truncated"]) == ("é" * SHOWN_CHARACTERS, 1)


def test_a_long_body_in_shorter_parts_of_an_older_version_is_shortened(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, "m1", given.message(text="a" * SHOWN_WHOLE_BYTES))
    database.insert("bodies", message_id="m1", kind="text", part=1, content="b")
    row = page(database, me)[0][0]
    assert (row["content"], row["truncated"]) == ("a" * SHOWN_CHARACTERS, 1)


def test_messages_of_all_addresses_are_counted_up_to_a_number(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, "m0")
    (columns,) = database.query("SELECT * FROM messages")
    for number in range(1, MAX_COUNT + 2):
        database.insert("messages", **{**columns, "id": f"m{number}"})
    for address in (None, me.address):
        _, count = run(every_sendbox_page(database, address=address, limit=1, offset=0))
        assert count == MAX_COUNT


@pytest.mark.parametrize("html", ["h" * SHOWN_WHOLE_BYTES, "<p>a\0b"], ids=["long", "NUL"])
def test_other_bodies_are_listed_in_full(
    database: SqliteDatabase, me: Credential, html: str
) -> None:
    # The text is longer, but the list shows the HTML.
    message = given.message(text="t" * (2 * SHOWN_WHOLE_BYTES), html=html)
    keep(database, me, "m1", message)
    row = page(database, me)[0][0]
    assert (row["content"], row["truncated"]) == (html, 0)


def test_a_whole_page_of_long_messages_stays_small(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(100):
        keep(database, me, f"m{number}", given.message(html="a" * SHOWN_WHOLE_BYTES))
    rows, _ = page(database, me, limit=100)
    assert len(rows) == 100
    assert sum(len(row["content"].encode()) for row in rows) <= 100 * SHOWN_WHOLE_BYTES < 7_000_000


def test_a_message_with_a_removed_body_is_listed(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    database.query("DELETE FROM bodies")
    ((row,), _) = page(database, me)
    assert (row["id"], row["body_kind"], row["content"]) == ("m1", None, None)


def test_an_invalid_credential_gets_no_page(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    with pytest.raises(Unauthorized, match="invalid_credential"):
        page(database, replace(me, version=1))


# One message


def record_event(database: SqliteDatabase, event: Event, **more: Any) -> None:
    about = StatusUpdate(id="m1", event=event, attempt=1, now=NOW + 500, **more)
    run(record(database, [about]))


def found(database: SqliteDatabase, me: Credential, id: str = "m1") -> StoredMessage:
    return run(message_to_retry(database, me, id))


def test_a_message_is_found_with_everything_stored(
    database: SqliteDatabase, me: Credential
) -> None:
    mail = given.message("a@one.example", "b@two.example", sender_name="Me", html="<p>")
    more = {"idempotency_key": "k", "request_digest": "d", "retry_of": "m0"}
    keep(database, me, "m1", mail, request_id="r9", **more)
    assert found(database, me) == StoredMessage(
        row={
            "id": "m1",
            "sender": "me@example.com",
            "sender_name": "Me",
            "subject": "Hello",
            "size": 2000,
            "status": "sending",
            "attempt": 1,
            "accepted_at": NOW,
            "next_attempt_at": None,
            "transport": None,
            "finished_at": None,
            "provider_message_id": None,
            "provider_code": None,
            "reason": None,
            "delivery_status": None,
            "delivery_count": None,
            "recipient_count": 2,
            "request_id": "r9",
            "retry_of": "m0",
            "details": None,
            "scheduled_at": None,
            "retried_as": None,
        },
        recipients=[
            {"kind": "to", "address": address, "name": None}
            for address in ("a@one.example", "b@two.example")
        ],
        events=[],
        delivery_events=[],
        bodies=[{"kind": "html", "content": "<p>"}],
    )


def test_the_history_is_in_order(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    record_event(database, "timed_out", provider_code="E_INTERNAL_SERVER_ERROR")
    record_event(database, "accepted", provider_message_id="<p>")
    message = found(database, me)
    assert [(event["kind"], event["provider_code"]) for event in message.events] == [
        ("unknown", "E_INTERNAL_SERVER_ERROR"),
        ("sent", None),
    ]
    assert (message.row["status"], message.row["provider_message_id"]) == ("sent", "<p>")
    assert message.row["provider_code"] is None


def test_the_delivery_events_of_a_message_are_found(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, "m1", given.message("a@one.example", "b@two.example"))
    record_event(database, "accepted")
    given.delivery_event(
        *(database, "m1", "bounced", "b@two.example"),
        is_permanent=True,
        smtp_code="550",
        enhanced_code="5.1.1",
        response="550 5.1.1 No such user",
        reason="no mailbox",
        provider="gmail",
    )
    message = found(database, me)
    assert message.delivery_events == [
        {
            "kind": "bounced",
            "position": 1,
            "occurred_at": NOW,
            "attempt": 1,
            "is_permanent": 1,
            "smtp_code": "550",
            "enhanced_code": "5.1.1",
            "response": "550 5.1.1 No such user",
            "reason": "no mailbox",
            "provider": "gmail",
        }
    ]
    assert message.row["delivery_status"] == "bounced"
    assert (message.row["delivery_count"], message.row["recipient_count"]) == (1, 2)


def test_a_retry_and_its_original_name_each_other(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    keep(database, me, "m2", retry_of="m1")
    rows = [found(database, me, id).row for id in ("m1", "m2")]
    assert [(row["retry_of"], row["retried_as"]) for row in rows] == [(None, "m2"), ("m1", None)]


def test_the_whole_body_is_found_in_its_parts(database: SqliteDatabase, me: Credential) -> None:
    text = "名" * MAX_PART_BYTES
    keep(database, me, "m1", given.message(text=text, html="<p>"))
    bodies = found(database, me).bodies
    assert [body["kind"] for body in bodies] == ["html", "text", "text", "text", "text"]
    assert "".join(body["content"] for body in bodies if body["kind"] == "text") == text


def test_recipients_are_in_their_order(database: SqliteDatabase, me: Credential) -> None:
    addresses = [f"you{number}@example.org" for number in range(12, 0, -1)]
    keep(database, me, "m1", given.message(*addresses))
    assert [r["address"] for r in found(database, me).recipients] == addresses


def test_a_message_with_a_removed_body_is_found(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    database.query("DELETE FROM bodies")
    assert found(database, me).bodies == []


@pytest.mark.parametrize("id", ["m2", "m0", "", "M1", "m1 ", "%", "'"])
def test_a_message_of_another_id_or_address_is_not_found(
    database: SqliteDatabase, me: Credential, id: str
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    keep(database, me, "m1")
    keep(database, other, "m2")
    with pytest.raises(NotFound, match="message_not_found"):
        found(database, me, id)
    assert found(database, other, "m2").row["sender"] == "other@example.com"


def test_an_invalid_credential_finds_nothing(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, "m1")
    for id in ("m1", "m2"):
        with pytest.raises(Unauthorized, match="invalid_credential"):
            found(database, replace(me, version=1), id)
