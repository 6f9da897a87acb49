"""Contents of messages: stored in parts in their own tables, and unchanged."""

import random
from typing import Any

import pytest

from accounts.credentials import Credential
from mail.addresses import Address
from mail.lifecycle import FINAL, Event
from mail.message import Attachment, Header, Mailbox, Message, Recipient, Tag
from store.message_content import (
    MAX_PART_BYTES,
    attachment_statements,
    body_statements,
    most_attachment_statements,
    most_body_statements,
)
from store.record import StatusUpdate, record
from store.schedule import cancel
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim, sweep

# Contents of this size fill one part, because base64 is four thirds as long.
PART = MAX_PART_BYTES // 4 * 3
_random = random.Random(7)
CONTENTS = {
    "empty": b"",
    "one byte": b"\0",
    "not three": b"12345",
    "every byte": bytes(range(256)),
    "one part": _random.randbytes(PART),
    "one part and a byte": _random.randbytes(PART + 1),
    "the largest": _random.randbytes(3_600_000),
}


def wait(database: SqliteDatabase, me: Credential, message: Message) -> None:
    """Store ``message`` as m1, queued and due."""
    about = given.attempt(message, status="queued", due_at=NOW)
    given.reserved(database, me, "m1", about)


def read(database: SqliteDatabase, id: str = "m1", now: int = NOW) -> Message:
    """Claim m1; return its message."""
    found = run(claim(database, id, claimant="w", now=now, lease_until=now + LEASE))
    assert found is not None
    return found.message


def parts(database: SqliteDatabase, table: str = "attachment_parts") -> int:
    return int(database.value(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_an_attachment_is_stored_unchanged(
    database: SqliteDatabase, me: Credential, content: bytes
) -> None:
    message = given.message(attachments=(given.file(content),))
    wait(database, me, message)
    assert read(database) == message


def test_a_part_fits_into_a_d1_value(database: SqliteDatabase, me: Credential) -> None:
    file = given.file(CONTENTS["one part and a byte"])
    wait(database, me, given.message(attachments=(file,)))
    rows = database.query("SELECT length(content) AS size FROM attachment_parts ORDER BY part")
    assert [row["size"] for row in rows] == [MAX_PART_BYTES, 4]


def test_many_attachments_keep_their_order(database: SqliteDatabase, me: Credential) -> None:
    # Several statements insert the parts. Every fourth file is empty and has no part.
    files = tuple(
        given.file(bytes([number % 256]) * (number % 4), f"{number}.txt") for number in range(200)
    )
    message = given.message(attachments=files)
    wait(database, me, message)
    assert read(database) == message
    assert parts(database) == 150


def test_a_full_message_is_claimed_unchanged(database: SqliteDatabase, me: Credential) -> None:
    you = Address("you", "example.org")
    message = Message(
        sender=Address("me", "example.com"),
        sender_name="Mé",
        recipients=(
            Recipient("to", you, "You"),
            Recipient("cc", Address("c", "example.org")),
            Recipient("bcc", Address("b", "example.org")),
        ),
        subject="Hé 😀",
        text="text",
        html="<p>html",
        reply_to=Mailbox(Address("reply", "xn--bcher-kva.example"), '"名" <x>'),
        headers=(Header("X-One", "1"), Header("x-one", 'two "quoted" ü')),
        attachments=(
            given.file(b"image", "名.png", content_id="logo"),
            Attachment(
                filename="a.pdf",
                content_type="application/pdf",
                size=4,
                sha256="0" * 64,
                content=b"%PDF",
            ),
        ),
        size=2000,
    )
    wait(database, me, message)
    assert read(database) == message


def test_missing_contents_are_not_stored(database: SqliteDatabase, me: Credential) -> None:
    wait(database, me, given.message())
    assert database.value("SELECT details FROM messages") is None
    mailbox = Mailbox(Address("reply", "example.org"))
    tagged = given.message(reply_to=mailbox, tags=(Tag("order", "7"),))
    given.reserved(database, me, "m2", tagged)
    details = database.value("SELECT details FROM messages WHERE id = 'm2'")
    assert details == (
        '{"reply_to":{"address":{"local":"reply","domain":"example.org"},"name":null},'
        '"tags":[{"name":"order","value":"7"}]}'
    )


def test_the_message_stores_attachments_without_their_content(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(
        database, me, "m1", given.message(attachments=(given.file(b"hi", content_id="c"),))
    )
    assert parts(database) == 0  # a message that is being sent is not sent again if its worker dies
    assert database.value("SELECT details FROM messages") == (
        '{"attachments":[{"filename":"a.txt","content_type":"application/octet-stream","size":2,'
        '"sha256":"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",'
        '"content_id":"c"}]}'
    )


@pytest.mark.parametrize(
    "text", ["a\0b", "\0", "\0" * 70_000, "ends with \0", '"\\\n\r\u2028', "\ufeff\ufffe\uffff"]
)
def test_a_text_is_stored_unchanged(database: SqliteDatabase, me: Credential, text: str) -> None:
    message = given.message(text=text, html=text + "<p>")
    wait(database, me, message)
    assert read(database) == message


def test_texts_of_many_messages_are_not_mixed(database: SqliteDatabase, me: Credential) -> None:
    messages = [
        given.message(text=f"text {number}", html=f"<p>{number}" if number % 3 else None)
        for number in range(100)
    ]
    attempts = [
        given.attempt(message, f"m{number}", status="queued", due_at=NOW)
        for number, message in enumerate(messages)
    ]
    given.reserve(database, attempts, me, reports="acceptance")
    for number in (0, 1, 59, 60, 99):
        assert read(database, f"m{number}") == messages[number]


def test_contents_of_a_rejected_message_are_not_stored(
    database: SqliteDatabase, me: Credential
) -> None:
    given.listed(database, "send_block", "b@example.org")
    file = given.file()
    attempts = [
        given.attempt(given.message(to, attachments=(file,)), to[0], status="queued", due_at=NOW)
        for to in ("a@example.org", "b@example.org", "c@example.org")
    ]
    given.reserve(database, attempts, me, reports="acceptance", permissive=True)
    for table in ("bodies", "attachment_parts"):
        rows = database.query(f"SELECT message_id FROM {table} ORDER BY 1")
        assert [row["message_id"] for row in rows] == ["a", "c"]


# Attachments are kept while they may still be sent


def record_event(
    database: SqliteDatabase, event: Event, *queued: Message, attempt: int = 1, **more: Any
) -> str:
    about = StatusUpdate(
        id="m1", event=event, attempt=attempt, now=NOW + 500, next_attempt_at=NOW + 500, **more
    )
    kept = [("m1", message) for message in queued]
    return run(record(database, [about], queued=kept))["m1"]


WITH_FILE = given.message(attachments=(given.file(b"a" * PART + b"b"), given.file(b"")))


def test_a_deferred_message_keeps_its_attachments(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me, "m1", WITH_FILE)
    assert record_event(database, "deferred", WITH_FILE) == "queued"
    assert parts(database) == 2
    assert read(database, now=NOW + 500) == WITH_FILE
    # The attachments are already stored.
    assert record_event(database, "deferred", attempt=2) == "queued"
    assert parts(database) == 2


def test_a_message_deferred_too_late_keeps_no_attachments(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me, "m1", WITH_FILE)
    record_event(database, "timed_out")
    assert record_event(database, "deferred", WITH_FILE) == "failed"
    assert parts(database) == 0


@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_final_message_keeps_no_attachments(
    database: SqliteDatabase, me: Credential, status: str
) -> None:
    wait(database, me, WITH_FILE)
    assert parts(database) == 2
    if status == "cancelled":
        run(cancel(database, me, "m1", now=NOW))
    else:
        read(database)
        events: dict[str, Event] = {
            "sent": "accepted",
            "failed": "rejected",
            "unknown": "timed_out",
        }
        record_event(database, events[status])
    assert database.value("SELECT status FROM messages") == status
    assert (parts(database), parts(database, "bodies")) == (0, 1)


def test_the_sweep_removes_the_attachments_of_a_dead_worker(
    database: SqliteDatabase, me: Credential
) -> None:
    wait(database, me, WITH_FILE)
    read(database)
    run(sweep(database, now=NOW + LEASE, retention_days=0, retention_metadata_days=0))
    assert database.value("SELECT status FROM messages") == "unknown"
    assert parts(database) == 0


def test_a_removed_message_has_no_attachments(database: SqliteDatabase, me: Credential) -> None:
    wait(database, me, WITH_FILE)
    database.query("DELETE FROM messages")
    assert parts(database) == 0


# Limits of D1


def test_a_statement_inserts_the_maximum_number_of_parts() -> None:
    messages = [(f"m{number}", given.message(text="a", html="b")) for number in range(100)]
    assert [len(s.parameters) for s in body_statements(messages)] == [100, 100, 3]
    files = tuple(given.file(b"a") for _ in range(100))
    with_files = [("m1", given.message(attachments=files))]
    assert [len(s.parameters) for s in attachment_statements(with_files)] == [100, 2]
    assert body_statements([]) == attachment_statements(messages) == []


def test_attachments_are_kept_for_many_days_of_waiting(
    database: SqliteDatabase, me: Credential
) -> None:
    later = given.scheduled(NOW + 30 * DAY, attachments=(given.file(),))
    given.reserved(database, me, "m1", later)
    run(sweep(database, now=NOW + 29 * DAY, retention_days=1, retention_metadata_days=1))
    assert read(database, now=NOW + 30 * DAY).attachments == later.message.attachments


@pytest.mark.parametrize("character", ["a", "é", "ÿ", "名", "😀"])
@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("count", [MAX_PART_BYTES // 2 + 1, MAX_PART_BYTES + 1])
def test_a_part_is_full_but_splits_no_character(character: str, offset: int, count: int) -> None:
    text = "a" * offset + character * count
    (statement,) = body_statements([("m1", given.message(text=text))])
    contents = [str(content) for content in statement.parameters[1:]]
    assert "".join(contents) == text
    sizes = [len(content.encode()) for content in contents]
    assert all(MAX_PART_BYTES - 4 < size <= MAX_PART_BYTES for size in sizes[:-1])
    assert 0 < sizes[-1] <= MAX_PART_BYTES


def test_late_attachments_of_a_removed_message_are_not_stored(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me, "m1", WITH_FILE)
    given.reserved(database, me, "m2")  # being sent
    database.query("DELETE FROM messages WHERE id = 'm1'")
    deferred = StatusUpdate(id="m1", event="deferred", attempt=1, now=NOW, next_attempt_at=NOW)
    assert run(record(database, [deferred], queued=[("m1", WITH_FILE)])) == {}
    assert parts(database) == 0


# A character has up to four bytes, and base64 takes four thirds of the bytes.
@pytest.mark.parametrize(
    ("characters", "messages", "statements"),
    [(249_999, 99, 1), (249_999, 100, 2), (250_001, 49, 1), (250_001, 50, 2)],
)
def test_the_statements_of_bodies_are_computed_beforehand(
    characters: int, messages: int, statements: int
) -> None:
    message = given.message(text="😀" * characters)
    assert most_body_statements([message] * messages) == statements


@pytest.mark.parametrize(
    ("size", "files", "statements"),
    [(499_999, 99, 1), (499_999, 100, 2), (749_999, 49, 1), (749_999, 50, 2), (750_001, 50, 2)],
)
def test_the_statements_of_attachments_are_computed_beforehand(
    size: int, files: int, statements: int
) -> None:
    file = Attachment(filename="a", content_type="a/b", size=size, sha256="", content=b"")
    message = given.message(attachments=(file,) * files)
    assert most_attachment_statements([message]) == statements
