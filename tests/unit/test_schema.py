"""The schema: no statement can write an invalid state."""

import sqlite3
from typing import Any

import pytest

from mail.delivery import KINDS
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.source import ROOT
from tests.unit.sqlite_database import SqliteDatabase, runnable_here

Columns = dict[str, Any]

ADDRESS: Columns = {"name": "me@example.com", "created_at": NOW, "updated_at": NOW}
BALANCE: Columns = {"address_id": 1, "balance": 10, "enabled": 1, "created_at": NOW}
SENDING: Columns = {
    "id": "m1",
    "address_id": 1,
    "sender": "me@example.com",
    "subject": "Hello",
    "size": 2000,
    "recipients": 2,
    "charge": 2,
    "status": "sending",
    "attempt": 1,
    "lease_until": NOW,
    "accepted_at": NOW,
}
SENT = {**SENDING, "status": "sent", "lease_until": None, "finished_at": NOW}
QUEUED = {**SENDING, "status": "queued", "lease_until": None, "next_attempt_at": NOW}
REST: Columns = {"details": "{}", "scheduled_at": NOW, "is_sandbox": 1, "batch_results": "[]"}
DELIVERY: Columns = {"message_id": "m1", "position": 0, "kind": "to", "address": "you@example.org"}
DELIVERY_EVENT: Columns = {
    "message_id": "m1",
    "event_id": "e1",
    "position": 0,
    "kind": "delivered",
    "occurred_at": NOW,
    "received_at": NOW,
}
DELIVERY_DAY: Columns = {"domain": "example.com", "day": "2026-11-03", "delivered": 1}
EVENT: Columns = {
    "message_id": "m1",
    "sequence": 0,
    "kind": "sent",
    "attempt": 0,
    "occurred_at": NOW,
}
BODY: Columns = {"message_id": "m1", "kind": "text", "part": 0, "content": "Hello"}
PART: Columns = {"message_id": "m1", "position": 0, "part": 0, "content": "aGk="}
WINDOW: Columns = {"address_id": 1, "started_at": NOW, "used": 1}
DAY: Columns = {"day": "2026-11-03", "recipients": 0}
ENTRY: Columns = {"list": "verified", "value": "you@example.org"}
SUPPRESSION: Columns = {
    "address": "you@example.org",
    "scope": "",
    "reason": "hard_bounce",
    "since": NOW,
}
SETTING: Columns = {"key": "send_limits", "value": "{}"}
FAILURE: Columns = {"id": 1, "counter": 0, "failed_at": NOW, "client": "192.0.2.1"}
DAILY_COUNT: Columns = {"day": "2026-11-03", "subject": "1", "act": "rotations", "count": 1}
AUDIT: Columns = {
    "id": "a1",
    "occurred_at": NOW,
    "actor": "admin#1",
    "action": "address.deleted",
    "object": "me@example.com",
}
PURGE: Columns = {"address_id": 1, "sendbox": 0}
SWEEP: Columns = {"name": "idempotency_keys", "position": "m1"}
WEBHOOK: Columns = {
    "id": "w1",
    "address_id": 1,
    "endpoint": "https://hooks.example.net/mail",
    "events": '["email.sent"]',
    "created_at": NOW,
}
ROTATED = {"previous_version": 1, "rotated_at": NOW}
HOOK_DELIVERY: Columns = {
    "webhook_id": "w1",
    "id": "d1",
    "type": "email.sent",
    "next_attempt_at": NOW,
    "facts": "{}",
    "created_at": NOW,
}
SUCCESS = {"status": "success", "next_attempt_at": None, "finished_at": NOW}
HOOK_ATTEMPT: Columns = {
    "webhook_id": "w1",
    "delivery_id": "d1",
    "number": 1,
    "started_at": NOW,
    "milliseconds": 12,
}

ROWS = {
    "addresses": [ADDRESS],
    "send_balances": [BALANCE],
    "messages": [
        SENDING,
        SENT,
        QUEUED,
        {**QUEUED, "status": "scheduled"},
        *({**SENT, "status": status} for status in ("failed", "unknown", "cancelled")),
        {**SENDING, "recipients": 1, "charge": 1},
        {**SENDING, "recipients": 50, "charge": 0},
        {
            **SENDING,
            **{"request_id": "r", "idempotency_key": "k", "request_digest": "d"},
            **{"claimed_by": "w", "retry_of": "m0"},
        },
        *({**SENT, "reported_as": report} for report in ("sent", "queued", "failed", "unknown")),
        {**SENT, "status": "failed", "provider_code": "E_X", "reason": "provider_error"},
        {**SENDING, **REST},
        *({**SENT, "delivery_status": kind, "delivery_count": 2} for kind in KINDS),
    ],
    "deliveries": [
        DELIVERY,
        *({**DELIVERY, "kind": kind} for kind in ("cc", "bcc")),
    ],
    "delivery_events": [
        DELIVERY_EVENT,
        *({**DELIVERY_EVENT, "kind": kind} for kind in KINDS),
        {**DELIVERY_EVENT, "is_permanent": 1, "smtp_code": "550", "response": "550 No"},
    ],
    "delivery_days": [DELIVERY_DAY],
    "events": [
        EVENT,
        *(
            {**EVENT, "kind": kind}
            for kind in (
                *("deferred", "failed", "unknown", "cancelled", "rescheduled"),
                *("delivered", "bounced", "complained"),
            )
        ),
        {**EVENT, "kind": "delivered", "recipient": "you@example.org"},
    ],
    "bodies": [BODY, {**BODY, "kind": "html"}],
    "attachment_parts": [PART, {**PART, "content": ""}],
    "rate_windows": [WINDOW],
    "daily_recipients": [DAY],
    "list_entries": [
        ENTRY,
        *({**ENTRY, "list": name} for name in ("name_block", "send_block", "unlimited")),
    ],
    "suppressions": [SUPPRESSION],
    "settings": [SETTING],
    "sweeps": [SWEEP],
    "login_failures": [FAILURE, *({**FAILURE, "counter": other} for other in (65_535, -7))],
    "daily_counts": [DAILY_COUNT],
    "audit": [AUDIT, {**AUDIT, "source": "192.0.2.1", "details": "{}"}],
    "sendbox_purges": [PURGE],
    "webhooks": [
        WEBHOOK,
        *({**WEBHOOK, "disabled_by": by} for by in ("owner", "gone", "failing", "removed")),
        {**WEBHOOK, **ROTATED, "address_id": 0},
    ],
    "webhook_deliveries": [
        HOOK_DELIVERY,
        {**HOOK_DELIVERY, "status": "attempting", "facts": None, "body": "{}", "attempt": 1},
        {**HOOK_DELIVERY, **SUCCESS},
        {**HOOK_DELIVERY, **SUCCESS, "status": "failed", "attempt": 9, "tries": 8},
    ],
    "webhook_attempts": [HOOK_ATTEMPT, {**HOOK_ATTEMPT, "code": 200, "response": "ok"}],
}

WRONG = {
    "addresses": [
        {**ADDRESS, "name": "Me@example.com"},
        {**ADDRESS, "name": "me"},
        {**ADDRESS, "name": "@example.com"},
        {**ADDRESS, "name": ""},
        {**ADDRESS, "name": None},
        {**ADDRESS, "credential_version": -1},
        {**ADDRESS, "credential_version": None},
        {**ADDRESS, "created_at": None},
        {**ADDRESS, "created_at": "yesterday"},
    ],
    "send_balances": [
        {**BALANCE, "balance": -1},
        {**BALANCE, "balance": None},
        {**BALANCE, "balance": "ten"},
        {**BALANCE, "balance": 1.5},
        {**BALANCE, "enabled": 2},
        {**BALANCE, "address_id": 99},
    ],
    "messages": [
        {**SENDING, "id": None},
        {**SENDING, "status": "timed_out"},
        {**SENDING, "lease_until": None},
        {**SENDING, "next_attempt_at": NOW},
        {**SENDING, "finished_at": NOW},
        {**SENT, "lease_until": NOW},
        {**SENT, "finished_at": None},
        {**SENT, "next_attempt_at": NOW},
        *({**SENT, "status": s, "finished_at": None} for s in ("failed", "unknown", "cancelled")),
        {**QUEUED, "next_attempt_at": None},
        {**QUEUED, "finished_at": NOW},
        {**QUEUED, "lease_until": NOW},
        {**QUEUED, "status": "scheduled", "next_attempt_at": None},
        {**SENDING, "recipients": 0, "charge": 0},
        {**SENDING, "recipients": 51},
        {**SENDING, "charge": 3},
        {**SENDING, "charge": -1},
        {**SENDING, "charge": None},
        {**SENDING, "size": 0},
        {**SENDING, "attempt": -1},
        {**SENDING, "subject": None},
        {**SENDING, "sender": None},
        *({**SENDING, name: "{"} for name, value in REST.items() if isinstance(value, str)),
        *({**SENT, "reported_as": report} for report in ("sending", "cancelled", "", 202)),
        *({**SENT, "delivery_status": status} for status in ("sent", "deferred")),
        {**SENT, "delivery_status": "delivered", "delivery_count": 0},
        {**SENDING, "is_sandbox": 2},
        {**SENDING, "is_sandbox": None},
    ],
    "deliveries": [
        {**DELIVERY, "kind": "from"},
        {**DELIVERY, "position": -1},
        {**DELIVERY, "message_id": "m0"},
        {**DELIVERY, "address": None},
    ],
    "delivery_events": [
        {**DELIVERY_EVENT, "event_id": ""},
        {**DELIVERY_EVENT, "event_id": None},
        *({**DELIVERY_EVENT, "kind": kind} for kind in ("sent", "deferred", None)),
        {**DELIVERY_EVENT, "position": -1},
        {**DELIVERY_EVENT, "is_permanent": 2},
        {**DELIVERY_EVENT, "message_id": "m0"},
        {**DELIVERY_EVENT, "occurred_at": None},
    ],
    "delivery_days": [{**DELIVERY_DAY, "day": "today"}, {**DELIVERY_DAY, "domain": None}],
    "events": [
        {**EVENT, "kind": "read"},
        {**EVENT, "kind": "accepted"},
        {**EVENT, "sequence": -1},
        {**EVENT, "attempt": -1},
        {**EVENT, "message_id": "m0"},
        {**EVENT, "occurred_at": None},
    ],
    "bodies": [
        {**BODY, "kind": "markdown"},
        {**BODY, "part": -1},
        {**BODY, "content": None},
        {**BODY, "message_id": "m0"},
    ],
    "attachment_parts": [
        {**PART, "position": -1},
        {**PART, "part": -1},
        {**PART, "content": None},
        {**PART, "message_id": "m0"},
    ],
    "rate_windows": [
        {**WINDOW, "used": 0},
        {**WINDOW, "started_at": None},
        {**WINDOW, "address_id": 99},
    ],
    "daily_recipients": [
        {**DAY, "recipients": -1},
        {**DAY, "recipients": None},
        {**DAY, "day": "2026-11-3"},
        {**DAY, "day": None},
    ],
    "list_entries": [
        {**ENTRY, "list": "friends"},
        {**ENTRY, "value": "You@example.org"},
        {**ENTRY, "value": ""},
    ],
    "suppressions": [
        {**SUPPRESSION, "address": "You@example.org"},
        {**SUPPRESSION, "scope": "Example.com"},
        {**SUPPRESSION, "reason": "bounced"},
        {**SUPPRESSION, "since": None},
    ],
    "settings": [{**SETTING, "value": "{"}, {**SETTING, "value": None}],
    "sweeps": [{**SWEEP, "name": None}, {**SWEEP, "position": None}],
    "login_failures": [
        {**FAILURE, "counter": 65_536},
        {**FAILURE, "failed_at": None},
        {**FAILURE, "client": None},
    ],
    "daily_counts": [
        {**DAILY_COUNT, "count": 0},
        {**DAILY_COUNT, "subject": None},
        {**DAILY_COUNT, "act": "sends"},
        {**DAILY_COUNT, "day": "today"},
    ],
    "audit": [
        *({**AUDIT, column: ""} for column in ("actor", "action", "object")),
        {**AUDIT, "details": "not JSON"},
        {**AUDIT, "occurred_at": None},
    ],
    "sendbox_purges": [{**PURGE, "sendbox": None}],
    "webhooks": [
        {**WEBHOOK, "endpoint": ""},
        {**WEBHOOK, "endpoint": "h" * 2049},
        {**WEBHOOK, "events": "email.sent"},
        {**WEBHOOK, "disabled_by": "somebody"},
        {**WEBHOOK, "secret_version": 0},
        {**WEBHOOK, "rotated_at": NOW},
        {**WEBHOOK, "address_id": None},
    ],
    "webhook_deliveries": [
        {**HOOK_DELIVERY, "status": "sent"},
        {**HOOK_DELIVERY, "next_attempt_at": None},
        {**HOOK_DELIVERY, "status": "attempting", "next_attempt_at": None},
        {**HOOK_DELIVERY, "finished_at": NOW},
        {**HOOK_DELIVERY, **SUCCESS, "next_attempt_at": NOW},
        {**HOOK_DELIVERY, **SUCCESS, "finished_at": None},
        {**HOOK_DELIVERY, "body": "{}"},
        {**HOOK_DELIVERY, "facts": "{"},
        {**HOOK_DELIVERY, "tries": 1},
    ],
    "webhook_attempts": [
        {**HOOK_ATTEMPT, "delivery_id": "d2"},
        {**HOOK_ATTEMPT, "number": 0},
        {**HOOK_ATTEMPT, "milliseconds": -1},
    ],
}


OF_A_MESSAGE = ("deliveries", "events", "delivery_events", "bodies", "attachment_parts")


@pytest.fixture
def filled(database: SqliteDatabase) -> SqliteDatabase:
    """A database with the address 1, and no other row."""
    given.address(database, "somebody@example.com")
    return database


def cases(rows: dict[str, list[Columns]]) -> list[tuple[str, Columns]]:
    return [(table, columns) for table, several in rows.items() for columns in several]


def insert(database: SqliteDatabase, table: str, columns: Columns) -> None:
    if table in OF_A_MESSAGE:
        database.insert("messages", **SENDING)
    if table == "webhook_attempts":
        database.insert("webhook_deliveries", **HOOK_DELIVERY)
    database.insert(table, **columns)


@pytest.mark.parametrize(("table", "columns"), cases(ROWS))
def test_a_valid_row_is_accepted(filled: SqliteDatabase, table: str, columns: Columns) -> None:
    insert(filled, table, columns)
    assert columns.items() <= filled.dump()[table][-1].items()


@pytest.mark.parametrize(("table", "columns"), cases(WRONG))
def test_an_invalid_row_is_rejected(filled: SqliteDatabase, table: str, columns: Columns) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(filled, table, columns)


@pytest.mark.parametrize("table", sorted(ROWS.keys() - {"audit"}))
def test_a_row_is_unique(filled: SqliteDatabase, table: str) -> None:
    columns = ROWS[table][0]
    insert(filled, table, columns)
    with pytest.raises(sqlite3.IntegrityError):
        filled.insert(table, **columns)


@pytest.mark.parametrize(
    "change",
    [
        "status = 'sent'",  # the row still has a lease and no end
        "status = 'sent', lease_until = NULL",
        "status = 'queued', lease_until = NULL",
        "lease_until = NULL",
        "finished_at = 1",
        "charge = 3",
        "charge = charge - 3",
    ],
)
def test_a_valid_row_cannot_become_invalid(filled: SqliteDatabase, change: str) -> None:
    filled.insert("messages", **SENDING)
    with pytest.raises(sqlite3.IntegrityError):
        filled.query(f"UPDATE messages SET {change}")


MORE: Columns = {**SENDING, "id": "m2"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"idempotency_key": None}, {"idempotency_key": None}),
        ({"idempotency_key": "k"}, {"idempotency_key": "K"}),
        ({"idempotency_key": "k"}, {"idempotency_key": "k", "address_id": 2}),
        ({"retry_of": None}, {"retry_of": None}),
        ({"retry_of": "m0"}, {"retry_of": "M0"}),
    ],
)
def test_several_messages_may_exist_together(
    filled: SqliteDatabase, first: Columns, second: Columns
) -> None:
    filled.insert("messages", **SENDING | first)
    filled.insert("messages", **MORE | second)


@pytest.mark.parametrize("same", [{"idempotency_key": "k"}, {"retry_of": "m0"}])
def test_a_key_has_one_message_and_a_message_has_one_retry(
    filled: SqliteDatabase, same: Columns
) -> None:
    filled.insert("messages", **SENDING | same)
    with pytest.raises(sqlite3.IntegrityError):
        filled.insert("messages", **MORE | same)


def test_a_balance_is_never_negative(filled: SqliteDatabase) -> None:
    filled.insert("send_balances", **BALANCE)
    with pytest.raises(sqlite3.IntegrityError):
        filled.query("UPDATE send_balances SET balance = balance - 11")


def test_ids_of_deleted_addresses_are_never_reused(database: SqliteDatabase) -> None:
    first = given.address(database)
    database.query("DELETE FROM addresses")
    second = given.address(database)
    assert second.address == first.address
    assert second.address_id > first.address_id


def test_deleting_an_address_deletes_its_balance_but_not_its_messages(
    filled: SqliteDatabase,
) -> None:
    filled.insert("send_balances", **BALANCE)
    filled.insert("messages", **SENDING)
    filled.query("DELETE FROM addresses")
    assert filled.value("SELECT count(*) FROM send_balances") == 0
    assert filled.value("SELECT count(*) FROM messages") == 1


def test_deleting_a_message_deletes_all_its_rows(filled: SqliteDatabase) -> None:
    insert(filled, "deliveries", DELIVERY)
    filled.insert("events", **EVENT)
    filled.insert("delivery_events", **DELIVERY_EVENT)
    filled.insert("bodies", **BODY)
    filled.insert("attachment_parts", **PART)
    filled.query("DELETE FROM messages")
    dump = filled.dump()
    assert [dump[table] for table in OF_A_MESSAGE] == [[]] * 5


def test_deleting_an_address_deletes_its_rate_window(filled: SqliteDatabase) -> None:
    filled.insert("rate_windows", **WINDOW)
    filled.query("DELETE FROM addresses")
    assert filled.dump()["rate_windows"] == []


@pytest.mark.contract("GET /admin/audit: Entries never change")
@pytest.mark.parametrize(
    "change",
    ["UPDATE audit SET actor = 'nobody'", "UPDATE audit SET id = 'a2'", "DELETE FROM audit"],
)
def test_the_audit_log_cannot_be_changed(database: SqliteDatabase, change: str) -> None:
    database.insert("audit", **AUDIT)
    before = database.dump()
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        database.query(change)
    assert database.dump() == before


def test_a_row_of_the_audit_log_cannot_be_replaced(database: SqliteDatabase) -> None:
    database.insert("audit", **AUDIT)
    before = database.dump()
    database.query("INSERT OR REPLACE INTO audit SELECT * FROM audit")
    database.query(
        "INSERT OR REPLACE INTO audit SELECT id, 0, actor, 'x', object, source, '{}' FROM audit"
    )
    assert database.dump() == before


def test_usage_from_before_the_second_migration_keeps_its_numbers() -> None:
    first, second = sorted((ROOT / "migrations").glob("*.sql"))[:2]
    connection = sqlite3.connect(":memory:")
    connection.executescript(runnable_here(first.read_text("utf-8")))
    connection.execute(
        "INSERT INTO addresses (id, name, created_at, updated_at) VALUES (1, 'me@a.example', 0, 0)"
    )
    connection.executemany(
        "INSERT INTO usage_days VALUES ('2026-11-03', ?, 4, 3, 2, 1)", [(0,), (1,), (2,)]
    )
    connection.executescript(second.read_text("utf-8"))
    columns = "address_id, domain, sent, failed, unknown, cancelled, recipients, delivered"
    rows = connection.execute(f"SELECT {columns} FROM usage_days ORDER BY address_id").fetchall()
    # The address 2 is deleted; 0 stands for administrators.
    assert rows == [
        (0, "", 4, 3, 2, 1, 0, 0),
        (1, "a.example", 4, 3, 2, 1, 0, 0),
        (2, "", 4, 3, 2, 1, 0, 0),
    ]
