"""The sweep: every kind of work, in bounded steps, and interrupted anywhere."""

import contextlib
from typing import Any

import pytest

from accounts.credentials import Credential
from mail.lifecycle import FINAL, Event
from store.database import DatabaseUnavailable
from store.logins import WINDOW_MILLISECONDS
from store.record import StatusUpdate, record
from store.sweep import STEP_ROWS, lease_step, sweep_steps
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW, message_id
from tests.unit.sqlite_database import DyingDatabase, ForgetfulDatabase, SqliteDatabase, run
from tests.unit.steps import claim, sweep

LEASE_END = NOW + LEASE

STATUSES = ("scheduled", "queued", "sending", "sent", "failed", "unknown", "cancelled")
OPEN = sorted(set(STATUSES) - FINAL)
NOTHING = {
    "became_unknown": 0,
    "keys_passed": 0,
    "usage_removed": 0,
    "deleted_removed": 0,
    "login_failures_removed": 0,
    "daily_counts_removed": 0,
    "suppressions_removed": 0,
    "sandbox_texts_removed": 0,
}


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    return given.address(database, balance=1000)


@pytest.fixture
def sending(database: SqliteDatabase, me: Credential) -> Credential:
    """The message m1 to two recipients is being sent; the balance is 998 of 1000."""
    mail = given.message("a@one.example", "b@two.example")
    given.reserved(database, me, message=mail)
    return me


def swept(
    database: SqliteDatabase, now: int = LEASE_END, *, days: int = 0, metadata_days: int = 0
) -> dict[str, int]:
    return run(sweep(database, now=now, retention_days=days, retention_metadata_days=metadata_days))


def record_event(
    database: SqliteDatabase, event: Event, *, id: str = "m1", attempt: int = 1
) -> None:
    about = StatusUpdate(
        id=id, event=event, attempt=attempt, now=LEASE_END + 1, next_attempt_at=NOW
    )
    run(record(database, [about]))


def statuses(database: SqliteDatabase) -> dict[str, str]:
    rows = database.query("SELECT id, status FROM messages")
    return {row["id"]: row["status"] for row in rows}


def ids(database: SqliteDatabase, sql: str = "SELECT id FROM messages") -> list[str]:
    return sorted(row["id"] for row in database.query(sql))


def put(database: SqliteDatabase, id: str, status: str = "sent", **more: Any) -> None:
    """Insert a message in any valid state, with the rows that belong to it."""
    waits, sending = status in ("scheduled", "queued"), status == "sending"
    columns: dict[str, Any] = {
        "id": id,
        "address_id": 1,
        "sender": given.ME,
        "subject": "Hello",
        "size": 2000,
        "recipients": 1,
        "charge": 1,
        "status": status,
        "attempt": 1,
        "accepted_at": NOW,
        "lease_until": NOW + 60_000 if sending else None,
        "next_attempt_at": 10**15 if waits else None,
        "finished_at": None if waits or sending else _time_of(id),
        **more,
    }
    database.insert("messages", **columns)
    database.insert("deliveries", message_id=id, position=0, kind="to", address=given.YOU)
    event = {"message_id": id, "sequence": 0, "kind": "deferred", "attempt": 1}
    database.insert("events", **event, occurred_at=NOW)
    for kind in ("text", "html"):
        database.insert("bodies", message_id=id, kind=kind, part=0, content="Hello")
    if waits or sending:
        database.insert("attachment_parts", message_id=id, position=0, part=0, content="aGk=")


def _time_of(id: str) -> int:
    """The time in a version 7 id; NOW for ids such as "m1"."""
    return int(id[:8] + id[9:13], 16) if id.count("-") == 4 else NOW


# Logins and clients


def test_failed_logins_are_removed_after_their_window(database: SqliteDatabase) -> None:
    for failed_at in (NOW - WINDOW_MILLISECONDS, NOW - WINDOW_MILLISECONDS + 1, NOW):
        database.insert("login_failures", counter=1, failed_at=failed_at, client="192.0.2.1")
    swept(database, NOW)
    assert [row["failed_at"] for row in database.dump()["login_failures"]] == [
        NOW - WINDOW_MILLISECONDS + 1,
        NOW,
    ]


def test_suppressions_are_removed_after_their_end(database: SqliteDatabase) -> None:
    for address, expires_at in {"a@a.example": NOW, "b@a.example": NOW + 1}.items():
        given.suppressed(database, address, expires_at=expires_at)
    given.suppressed(database, "c@a.example")
    swept(database, NOW)
    rows = database.query("SELECT address FROM suppressions")
    assert [row["address"] for row in rows] == ["b@a.example", "c@a.example"]


def test_usage_is_removed_after_ninety_days(database: SqliteDatabase) -> None:
    days = ("2026-08-04", "2026-08-05", given.TODAY)
    for day in days:
        for domain in ("a.example", "b.example"):
            database.insert("delivery_days", day=day, domain=domain, delivered=1)
            for address_id in (1, 2):
                counts = {"sent": 1, "failed": 0, "unknown": 0, "cancelled": 0}
                row = {"day": day, "address_id": address_id, "domain": domain, **counts}
                database.insert("usage_days", **row)
    swept(database, NOW)
    for table, rows in (("delivery_days", 2), ("usage_days", 4)):
        left = [row["day"] for row in database.dump()[table]]
        assert left == [day for day in days[1:] for _ in range(rows)]


def test_a_deleted_message_is_removed_a_week_after_it_finished(
    database: SqliteDatabase, me: Credential
) -> None:
    for minute, finished_at in enumerate((NOW - 7 * DAY - 1, NOW - 7 * DAY, NOW - 7 * DAY + 1)):
        id = message_id(NOW - 8 * DAY + minute, minute)
        put(database, id, finished_at=finished_at, sendbox=None)
        put(database, message_id(NOW - 8 * DAY + minute, minute + 10), finished_at=finished_at)
    swept(database, NOW)
    rows = database.query("SELECT finished_at FROM messages WHERE sendbox IS NULL")
    assert [row["finished_at"] for row in rows] == [NOW - 7 * DAY + 1]
    assert len(ids(database)) == 4


def test_daily_counts_are_removed_a_day_after_their_day(database: SqliteDatabase) -> None:
    for day in ("2026-10-31", "2026-11-01", "2026-11-02", given.TODAY):
        database.insert("daily_counts", day=day, subject="1", act="rotations", count=1)
    swept(database, NOW)
    assert [row["day"] for row in database.dump()["daily_counts"]] == ["2026-11-02", given.TODAY]


SANDBOX = "delivered@test.invalid"


def texts(database: SqliteDatabase) -> list[str]:
    return [row["message_id"] for row in database.query("SELECT message_id FROM bodies")]


def test_texts_of_sandbox_messages_are_kept_for_a_day(
    database: SqliteDatabase, me: Credential
) -> None:
    ids = [message_id(NOW + number, number) for number in range(4)]
    for id in ids[:2]:
        given.reserved(database, me, id, given.message(SANDBOX))
    given.reserved(database, me, ids[2])
    mail = given.attempt(given.message(SANDBOX), ids[3], status="scheduled", due_at=NOW + 20 * DAY)
    given.reserved(database, me, ids[3], mail)
    finish(database, ids[0], NOW + 5)
    finish(database, ids[2], NOW + 5)
    swept(database, NOW + DAY)
    assert texts(database) == ids
    swept(database, NOW + DAY + 1)
    assert texts(database) == ids[1:]
    assert database.value("SELECT position FROM sweeps WHERE name = 'sandbox_texts'") == ids[0]
    swept(database, NOW + DAY + 4)
    assert texts(database) == [ids[2]]


@pytest.mark.parametrize("ahead", [1, 10 * DAY])
def test_sandbox_texts_are_removed_after_a_wrong_clock_moved_the_position(
    database: SqliteDatabase, me: Credential, ahead: int
) -> None:
    id = message_id(NOW, 0)
    given.reserved(database, me, id, given.message(SANDBOX))
    wrong = message_id(NOW + DAY + 1 + ahead, 0)
    database.insert("sweeps", name="sandbox_texts", position=wrong)
    swept(database, NOW + DAY + 1)
    assert texts(database) == []
    sql = "SELECT position FROM sweeps WHERE name = 'sandbox_texts'"
    assert database.value(sql) == id


def finish(database: SqliteDatabase, id: str, now: int) -> None:
    run(record(database, [StatusUpdate(id=id, event="accepted", now=now)]))


def test_a_sweep_removes_a_limited_number_of_failed_logins() -> None:
    database = SqliteDatabase()
    database.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ?)"
        " INSERT INTO login_failures (counter, failed_at, client) SELECT i, 0, '' FROM n",
        STEP_ROWS,
    )
    assert swept(database, NOW)["login_failures_removed"] == STEP_ROWS
    assert swept(database, NOW)["login_failures_removed"] == 1


def test_a_step_makes_as_many_statements_as_it_says() -> None:
    """The cron plans with these numbers, because the platform limits the statements."""
    database = SqliteDatabase()
    given.reserved(database, given.address(database, balance=1))
    ages = {"retention_days": 1, "retention_metadata_days": 2}
    for step in [lease_step(now=LEASE_END), *sweep_steps(now=LEASE_END, **ages)]:
        database.statements.clear()
        run(step.run(database))
        assert len(database.statements) == step.statements, step.name


# Leases


def test_a_running_lease_is_not_ended(database: SqliteDatabase, sending: Credential) -> None:
    before = database.dump()
    assert swept(database, LEASE_END - 1) == NOTHING
    assert database.dump() == before


def test_a_message_with_an_expired_lease_becomes_unknown(
    database: SqliteDatabase, sending: Credential
) -> None:
    swept(database)
    (row,) = database.query(
        "SELECT status, lease_until, finished_at, attempt, next_attempt_at FROM messages"
    )
    assert row == {
        "status": "unknown",
        "lease_until": None,
        "finished_at": LEASE_END,
        "attempt": 1,
        "next_attempt_at": None,
    }
    assert database.query("SELECT * FROM events ORDER BY sequence")[-1] == {
        "message_id": "m1",
        "sequence": 0,
        "kind": "unknown",
        "attempt": 1,
        "provider_code": None,
        "occurred_at": LEASE_END,
        "recipient": None,
        "settled_by": None,
        "transport": None,
        "next_transport": None,
    }


def test_the_sweep_returns_the_number_of_unknown_messages(
    database: SqliteDatabase, sending: Credential
) -> None:
    assert swept(database) == {**NOTHING, "became_unknown": 1}


def test_unknown_keeps_its_charge(database: SqliteDatabase, sending: Credential) -> None:
    swept(database)
    assert database.value("SELECT balance FROM send_balances") == 998
    assert database.value("SELECT recipients FROM daily_recipients") == 2


def test_a_second_sweep_changes_nothing(database: SqliteDatabase, sending: Credential) -> None:
    swept(database)
    after = database.dump()
    assert swept(database, LEASE_END + 60_000) == NOTHING
    assert database.dump() == after


@pytest.mark.parametrize("event", ["accepted", "rejected", "timed_out"])
def test_final_messages_are_not_changed(
    database: SqliteDatabase, sending: Credential, event: Event
) -> None:
    record_event(database, event)
    after = database.dump()
    assert swept(database, LEASE_END + 10**6) == NOTHING
    assert database.dump() == after


def test_waiting_messages_are_not_changed(database: SqliteDatabase, sending: Credential) -> None:
    record_event(database, "deferred")
    after = database.dump()
    assert swept(database, LEASE_END + 10**6) == NOTHING
    assert database.dump() == after


@pytest.mark.parametrize(
    ("event", "status", "balance"),
    [("accepted", "sent", 998), ("rejected", "failed", 1000), ("deferred", "failed", 1000)],
)
def test_a_late_response_corrects_unknown_after_the_sweep(
    database: SqliteDatabase, sending: Credential, event: Event, status: str, balance: int
) -> None:
    swept(database)
    record_event(database, event)
    assert statuses(database) == {"m1": status}
    assert database.value("SELECT balance FROM send_balances") == balance


def test_a_timeout_after_the_sweep_changes_nothing(
    database: SqliteDatabase, sending: Credential
) -> None:
    swept(database)
    after = database.dump()
    record_event(database, "timed_out")
    assert database.dump() == after


def test_a_second_attempt_becomes_unknown_like_the_first(
    database: SqliteDatabase, sending: Credential
) -> None:
    record_event(database, "deferred")
    run(claim(database, "m1", claimant="w", now=NOW, lease_until=LEASE_END))
    swept(database)
    assert statuses(database) == {"m1": "unknown"}
    events = database.query("SELECT kind, attempt FROM events ORDER BY sequence")
    assert [(event["kind"], event["attempt"]) for event in events] == [
        ("deferred", 1),
        ("unknown", 2),
    ]


def test_an_unknown_message_has_no_code_of_an_earlier_attempt(
    database: SqliteDatabase, sending: Credential
) -> None:
    about = StatusUpdate(
        id="m1",
        event="deferred",
        attempt=1,
        now=NOW,
        next_attempt_at=NOW,
        provider_code="E_RATE_LIMIT_EXCEEDED",
    )
    run(record(database, [about]))
    run(claim(database, "m1", claimant="w", now=NOW, lease_until=LEASE_END))
    swept(database)
    assert database.value("SELECT provider_code FROM messages") is None


def test_a_sweep_is_bounded_and_begins_with_the_oldest(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(STEP_ROWS + 5):
        # The order of the ids is the reverse of the order of the leases.
        put(database, f"n{9999 - number}", "sending", lease_until=NOW + number)
    assert swept(database, NOW + 10**6)["became_unknown"] == STEP_ROWS
    left = [id for id, status in statuses(database).items() if status == "sending"]
    assert sorted(left) == [
        f"n{9999 - number}" for number in range(STEP_ROWS + 4, STEP_ROWS - 1, -1)
    ]
    assert swept(database, NOW + 10**6)["became_unknown"] == 5
    assert swept(database, NOW + 10**6)["became_unknown"] == 0


@pytest.mark.parametrize(("ahead", "status"), [(3_600_000, "sending"), (3_600_001, "unknown")])
def test_a_lease_that_is_too_long_counts_as_expired(
    database: SqliteDatabase, ahead: int, status: str
) -> None:
    put(database, "m1", "sending", lease_until=NOW + ahead)
    swept(database, NOW)
    assert statuses(database) == {"m1": status}


def test_leases_that_expire_together_all_end(database: SqliteDatabase, me: Credential) -> None:
    for number in range(STEP_ROWS + 5):
        put(database, f"n{number}", "sending", lease_until=NOW)
    swept(database, NOW)
    swept(database, NOW)
    assert set(statuses(database).values()) == {"unknown"}
    # Each message has exactly one new event.
    assert database.query("SELECT sequence, count(*) AS n FROM events GROUP BY 1") == [
        {"sequence": 0, "n": STEP_ROWS + 5},
        {"sequence": 1, "n": STEP_ROWS + 5},
    ]


def test_attachments_are_removed_with_the_lease_of_their_message(database: SqliteDatabase) -> None:
    put(database, "m1", "sending", lease_until=LEASE_END)
    put(database, "m2", "sending", lease_until=LEASE_END + 1)
    swept(database)
    assert ids(database, "SELECT message_id AS id FROM attachment_parts") == ["m2"]


# Idempotency keys


def put_with_key(database: SqliteDatabase, time: int, number: int = 0, **more: Any) -> str:
    id = message_id(time, number)
    more = {"idempotency_key": f"k{number}", "request_digest": "d", **more}
    put(database, id, accepted_at=time, **more)
    return id


WITH_KEY = "SELECT id FROM messages WHERE idempotency_key IS NOT NULL"


def position(database: SqliteDatabase) -> str | None:
    rows = database.query("SELECT name, position FROM sweeps")
    assert {row["name"] for row in rows} <= {"idempotency_keys"}
    return rows[0]["position"] if rows else None


def test_a_key_is_freed_after_a_day(database: SqliteDatabase) -> None:
    old = put_with_key(database, NOW - DAY - 1, 1)
    new = put_with_key(database, NOW - DAY, 0)
    swept(database, NOW)
    rows = database.query("SELECT id, idempotency_key, request_digest FROM messages ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(old, None, None), (new, "k0", "d")]
    assert position(database) == old


def test_the_walk_continues_at_its_last_position(database: SqliteDatabase) -> None:
    first = put_with_key(database, NOW, 0)
    second = put_with_key(database, NOW + 1000, 1)
    swept(database, NOW + DAY + 1)
    assert (ids(database, WITH_KEY), position(database)) == ([second], first)
    swept(database, NOW + DAY + 1000)
    assert (ids(database, WITH_KEY), position(database)) == ([second], first)
    swept(database, NOW + DAY + 1001)
    assert (ids(database, WITH_KEY), position(database)) == ([], second)


def test_the_walk_does_not_read_passed_rows(database: SqliteDatabase) -> None:
    put_with_key(database, NOW, 5)
    assert swept(database, NOW + 2 * DAY)["keys_passed"] in (0, 1)
    before = database.dump()
    assert swept(database, NOW + 3 * DAY)["keys_passed"] == 0
    assert database.dump() == before


def test_messages_without_a_key_are_passed(database: SqliteDatabase) -> None:
    last = ""
    for number in range(3):
        last = put_with_key(database, NOW, number, idempotency_key=None, request_digest=None)
    swept(database, NOW + 2 * DAY)
    assert position(database) == last


@pytest.mark.parametrize("status", STATUSES)
def test_a_key_is_freed_in_every_final_status(database: SqliteDatabase, status: str) -> None:
    put_with_key(database, NOW - 2 * DAY, status=status)
    swept(database, NOW)
    assert ids(database, WITH_KEY) == []
    assert list(statuses(database).values()) == [status]


@pytest.mark.parametrize("ahead", [0, 10 * DAY])
def test_keys_are_freed_after_a_wrong_clock_moved_the_position(
    database: SqliteDatabase, ahead: int
) -> None:
    put_with_key(database, NOW - 2 * DAY)
    database.insert("sweeps", name="idempotency_keys", position=message_id(NOW + ahead, 1))
    swept(database, NOW)
    assert ids(database, WITH_KEY) == []


def test_reported_as_is_kept_when_the_key_is_freed(database: SqliteDatabase) -> None:
    put_with_key(database, NOW, reported_as="failed", provider_code="E_X")
    before = database.query("SELECT * FROM messages")[0]
    swept(database, NOW + 2 * DAY)
    after = database.query("SELECT * FROM messages")[0]
    assert {name for name in before if before[name] != after[name]} == {
        "idempotency_key",
        "request_digest",
    }


def test_the_walk_over_keys_is_bounded(database: SqliteDatabase) -> None:
    made = [put_with_key(database, NOW + number, number) for number in range(STEP_ROWS + 5)]
    later = NOW + 2 * DAY
    if not isinstance(database, ForgetfulDatabase):
        assert swept(database, later)["keys_passed"] == STEP_ROWS
        assert (ids(database, WITH_KEY), position(database)) == (
            made[STEP_ROWS:],
            made[STEP_ROWS - 1],
        )
        assert swept(database, later)["keys_passed"] == 5
    else:
        swept(database, later)  # this database runs each step twice
    assert (ids(database, WITH_KEY), position(database)) == ([], made[-1])
    assert swept(database, later) == NOTHING


def test_a_message_removed_at_the_position_does_not_stop_the_walk(database: SqliteDatabase) -> None:
    first = put_with_key(database, NOW, 0)
    swept(database, NOW + DAY + 1)
    database.query("DELETE FROM messages WHERE id = ?", first)
    second = put_with_key(database, NOW + 1, 1)
    swept(database, NOW + DAY + 2)
    assert (ids(database, WITH_KEY), position(database)) == ([], second)


# Retention


def test_bodies_are_removed_after_their_days_and_messages_after_theirs(
    database: SqliteDatabase,
) -> None:
    made = [message_id(NOW - days * DAY - 1) for days in (100, 90, 89, 30, 29, 0)]
    for id in made:
        put(database, id)
    swept(database, NOW, days=30, metadata_days=90)
    assert ids(database) == made[2:]
    for table in ("deliveries", "events"):
        assert ids(database, f"SELECT message_id AS id FROM {table}") == made[2:]
    assert ids(database, "SELECT DISTINCT message_id AS id FROM bodies") == made[4:]


@pytest.mark.parametrize(("days", "metadata_days"), [(1, 0), (0, 1), (1, 1), (30, 7)])
def test_retention_is_exact_to_the_millisecond(
    database: SqliteDatabase, days: int, metadata_days: int
) -> None:
    for number, limit in enumerate({days, metadata_days} - {0}):
        put(database, message_id(NOW - limit * DAY, number))
    before = database.dump()
    if (days, metadata_days) != (30, 7):  # with (30, 7) this would remove the older message
        swept(database, NOW, days=days, metadata_days=metadata_days)
        assert [database.dump()[table] for table in ("messages", "bodies")] == [
            before[table] for table in ("messages", "bodies")
        ]
    swept(database, NOW + 1, days=days, metadata_days=metadata_days)
    assert bool(database.dump()["messages"]) == (metadata_days == 0)
    assert database.dump()["bodies"] == []


def test_0_days_disable_the_removal(database: SqliteDatabase) -> None:
    put(database, message_id(NOW - 20_000 * DAY))
    before = database.dump()
    assert swept(database, NOW).keys() == NOTHING.keys()
    after = database.dump()
    assert after.pop("sweeps") != before.pop("sweeps")
    assert after == before


@pytest.mark.parametrize("days", [1, 10**6, 2**53])
def test_any_number_of_days_is_accepted(database: SqliteDatabase, days: int) -> None:
    put(database, message_id(0))
    swept(database, NOW, days=days, metadata_days=days)
    assert len(database.dump()["messages"]) == (0 if days == 1 else 1)


@pytest.mark.parametrize("status", STATUSES)
def test_open_messages_are_never_removed(database: SqliteDatabase, status: str) -> None:
    put(database, message_id(NOW - 1000 * DAY), status)
    swept(database, NOW, days=1)
    assert len(database.dump()["bodies"]) == (2 if status in OPEN else 0)
    swept(database, NOW, days=1, metadata_days=1)
    assert list(statuses(database).values()) == ([status] if status in OPEN else [])


def test_old_open_messages_do_not_block_the_removal_of_others(database: SqliteDatabase) -> None:
    for number in range(STEP_ROWS + 5):
        put(database, message_id(NOW - 100 * DAY, number), "queued")
    old = message_id(NOW - 99 * DAY)
    put(database, old)
    swept(database, NOW, days=1, metadata_days=2)
    assert old not in ids(database)
    assert len(ids(database)) == STEP_ROWS + 5
    assert len(database.dump()["bodies"]) == 2 * (STEP_ROWS + 5)


@pytest.mark.parametrize("what", ["bodies", "messages"])
def test_removing_is_bounded_and_begins_with_the_oldest(what: str) -> None:
    database = SqliteDatabase()
    made = [message_id(NOW + number, number) for number in range(STEP_ROWS + 5)]
    for id in made:
        put(database, id)
    days = {"days": 1} if what == "bodies" else {"metadata_days": 1}
    sql = f"SELECT DISTINCT {'id' if what == 'messages' else 'message_id AS id'} FROM {what}"
    done = swept(database, NOW + 10 * DAY, **days)[f"{what}_removed"]
    assert done == STEP_ROWS * (2 if what == "bodies" else 1)  # a message has two bodies
    assert ids(database, sql) == made[STEP_ROWS:]
    assert swept(database, NOW + 10 * DAY, **days)[f"{what}_removed"] in (5, 10)
    assert ids(database, sql) == []


# Interrupted anywhere


def _work(database: SqliteDatabase) -> None:
    """Add work of every kind, more than one step can do."""
    given.address(database, balance=10)
    for number in range(STEP_ROWS + 20):
        time = NOW + number
        put(database, message_id(time - 100 * DAY, number))
        put(database, message_id(time - 40 * DAY, number), "failed")
        put_with_key(database, time - 2 * DAY, number)
        put(database, message_id(time, number), "sending", lease_until=time)
        put(database, message_id(time - 95 * DAY, number), "queued", next_attempt_at=time)


def _consistent(database: SqliteDatabase) -> None:
    """Check that nothing is half-done after an interruption."""
    # Status and history agree.
    assert (
        database.query(
            "SELECT id FROM messages WHERE (status = 'unknown') <> EXISTS"
            " (SELECT 1 FROM events WHERE message_id = id AND kind = 'unknown' AND sequence = 1)"
        )
        == []
    )
    # A message has all of its rows, or none.
    for table in ("deliveries", "events", "bodies", "attachment_parts"):
        sql = f"SELECT message_id FROM {table} WHERE message_id NOT IN (SELECT id FROM messages)"
        assert database.query(sql) == []
    for table in ("deliveries", "events"):
        sql = f"SELECT id FROM messages WHERE id NOT IN (SELECT message_id FROM {table})"
        assert database.query(sql) == []
    sql = "SELECT message_id FROM bodies GROUP BY 1 HAVING count(*) <> 2"
    assert database.query(sql) == []
    # Exactly the messages that may still be sent have attachments.
    sql = "SELECT message_id AS id FROM attachment_parts"
    waiting = "SELECT id FROM messages WHERE status IN ('scheduled', 'queued', 'sending')"
    assert ids(database, sql) == ids(database, waiting)
    # No key is left before the position.
    sql = f"{WITH_KEY} AND id <= coalesce((SELECT position FROM sweeps), '')"
    assert database.query(sql) == []
    # All queued messages are still there.
    assert database.value("SELECT count(*) FROM messages WHERE status = 'queued'") == (
        STEP_ROWS + 20
    )


def _finish(database: SqliteDatabase) -> int:
    """Sweep until no work is left; return the number of statements."""
    minutes = 0
    before = len(database.statements)
    while any(swept(database, NOW + 10**6, days=30, metadata_days=90).values()):
        minutes += 1
        assert minutes < 10
    return len(database.statements) - before


@pytest.fixture(scope="module")
def finished() -> SqliteDatabase:
    database = SqliteDatabase()
    _work(database)
    _consistent(database)
    assert _finish(database) > 0
    _consistent(database)
    assert set(statuses(database).values()) == {"sent", "failed", "unknown", "queued"}
    return database


@pytest.mark.parametrize("batches", range(16))
def test_a_sweep_may_be_interrupted_anywhere(finished: SqliteDatabase, batches: int) -> None:
    database = DyingDatabase()
    _work(database)
    database.batches_left = batches
    with contextlib.suppress(DatabaseUnavailable):
        _finish(database)
    assert database.batches_left == 0  # the worker has died
    _consistent(database)
    database.batches_left = 10**9
    _finish(database)
    assert database.dump() == finished.dump()


def test_a_repeatedly_interrupted_sweep_finishes(finished: SqliteDatabase) -> None:
    database = DyingDatabase()
    _work(database)
    for batches in range(1, 20):
        database.batches_left = batches
        with contextlib.suppress(DatabaseUnavailable):
            swept(database, NOW + 10**6, days=30, metadata_days=90)
        _consistent(database)
    database.batches_left = 10**9
    _finish(database)
    assert database.dump() == finished.dump()


def test_days_are_counted_from_the_end(database: SqliteDatabase, me: Credential) -> None:
    accepted, ended = NOW - 4 * DAY, NOW - DAY // 2
    put(database, given.message_id(accepted), finished_at=ended)
    kept = database.dump()
    swept(database, NOW, days=1, metadata_days=3)
    assert database.dump()["messages"] == kept["messages"]
    assert database.dump()["bodies"] == kept["bodies"]
    swept(database, ended + DAY, days=1, metadata_days=3)
    assert database.dump()["bodies"] == []
    assert ids(database) != []
    swept(database, ended + 3 * DAY, days=1, metadata_days=3)
    assert ids(database) == []
