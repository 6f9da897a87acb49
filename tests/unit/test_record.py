"""Record: an attempt's result is written once, and its charge is refunded at most once."""

from typing import Any

import pytest

from accounts.credentials import Credential
from accounts.sending_limits import PausePolicy
from mail.lifecycle import Event
from store.database import Row
from store.record import RECORD_STATEMENTS, StatusUpdate, record
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim
from transport.outcome import Reason

LATER = NOW + 1500
NEXT_DAY = given.milliseconds("2026-11-04T00:00:30")
TWO = ("a@one.example", "b@two.example")


@pytest.fixture(autouse=True)
def sending(database: SqliteDatabase) -> Credential:
    """The message m1 to two recipients is being sent; the balance is 8 of 10."""
    credential = given.address(database, balance=10)
    given.reserved(database, credential, message=given.message(*TWO))
    return credential


ENDS: dict[Event, str] = {"accepted": "sent", "rejected": "failed", "timed_out": "unknown"}
EVENTS: list[Event] = [*ENDS, "deferred"]
every_event = pytest.mark.parametrize("event", EVENTS)
every_end = pytest.mark.parametrize(("event", "status"), ENDS.items())


def record_event(
    database: SqliteDatabase,
    event: Event,
    *,
    id: str = "m1",
    attempt: int = 1,
    now: int = LATER,
    **more: Any,
) -> bool:
    """Record ``event``; return whether it changed the database."""
    if event == "deferred":
        more = {"next_attempt_at": now + 60_000, **more}
    before = database.dump()
    run(record(database, [StatusUpdate(id=id, event=event, attempt=attempt, now=now, **more)]))
    return database.dump() != before


def claim_again(database: SqliteDatabase, *, claimant: str = "w2") -> None:
    claimed = run(
        claim(database, "m1", claimant=claimant, now=LATER + DAY, lease_until=LATER + DAY + LEASE)
    )
    assert claimed is not None


def message(database: SqliteDatabase) -> Row:
    (row,) = database.query("SELECT * FROM messages")
    return row


def balance(database: SqliteDatabase) -> int:
    return int(database.value("SELECT balance FROM send_balances"))


def sent_today(database: SqliteDatabase) -> int:
    return int(database.value("SELECT recipients FROM daily_recipients WHERE day = ?", TODAY))


def history(database: SqliteDatabase) -> list[str]:
    return [row["kind"] for row in database.query("SELECT kind FROM events ORDER BY sequence")]


def last_event(database: SqliteDatabase) -> Row:
    return database.query("SELECT * FROM events ORDER BY sequence")[-1]


def test_accepted_keeps_the_charge_and_the_providers_message_id(database: SqliteDatabase) -> None:
    record_event(
        database, "accepted", provider_message_id="<p1@provider.example>", reported_as="sent"
    )
    row = message(database)
    assert (row["status"], row["provider_message_id"]) == ("sent", "<p1@provider.example>")
    assert (row["lease_until"], row["next_attempt_at"], row["finished_at"]) == (None, None, LATER)
    assert (row["provider_code"], row["reported_as"]) == (None, "sent")
    assert (balance(database), sent_today(database)) == (8, 2)
    assert history(database) == ["sent"]


def test_rejected_refunds_the_charge_and_the_count(database: SqliteDatabase) -> None:
    record_event(database, "rejected", provider_code="E_X", reported_as="failed")
    row = message(database)
    assert (row["status"], row["provider_code"]) == ("failed", "E_X")
    assert (row["lease_until"], row["next_attempt_at"], row["finished_at"]) == (None, None, LATER)
    assert row["reported_as"] == "failed"
    assert (balance(database), sent_today(database)) == (10, 0)
    assert history(database) == ["failed"]


def test_the_maximum_number_of_statements_is_computed_beforehand() -> None:
    database = SqliteDatabase()
    about = StatusUpdate(id="m1", event="rejected", now=LATER, reason="recipient_suppressed")
    run(record(database, [about], pause_policy=PausePolicy(percent=50, last=4)))
    assert len(database.statements) == RECORD_STATEMENTS


def test_timed_out_keeps_the_charge(database: SqliteDatabase) -> None:
    record_event(database, "timed_out", reported_as="unknown")
    row = message(database)
    assert (row["status"], row["finished_at"]) == ("unknown", LATER)
    assert (row["lease_until"], row["next_attempt_at"], row["provider_code"]) == (None, None, None)
    assert row["reported_as"] == "unknown"
    assert (balance(database), sent_today(database)) == (8, 2)
    assert history(database) == ["unknown"]


def test_deferred_waits_for_its_time_and_keeps_the_charge(database: SqliteDatabase) -> None:
    due = LATER + 30_000
    record_event(
        database, "deferred", provider_code="E_BUSY", next_attempt_at=due, reported_as="queued"
    )
    row = message(database)
    assert (row["status"], row["next_attempt_at"], row["provider_code"]) == (
        "queued",
        due,
        "E_BUSY",
    )
    assert (row["lease_until"], row["finished_at"], row["attempt"]) == (None, None, 1)
    assert row["reported_as"] == "queued"
    assert (balance(database), sent_today(database)) == (8, 2)
    assert history(database) == ["deferred"]


@pytest.mark.parametrize(
    ("event", "kind"), [*ENDS.items(), ("deferred", "deferred")], ids=lambda value: value
)
def test_an_event_has_its_time_and_reason(
    database: SqliteDatabase, event: Event, kind: str
) -> None:
    record_event(database, event, provider_code="E_X")
    assert last_event(database) == {
        "message_id": "m1",
        "sequence": 0,
        "kind": kind,
        "attempt": 1,
        "provider_code": "E_X",
        "occurred_at": LATER,
        "recipient": None,
        "settled_by": None,
        "transport": None,
        "next_transport": None,
    }


@every_event
def test_a_delivery_has_the_status_of_its_message(database: SqliteDatabase, event: Event) -> None:
    before = database.dump()["deliveries"]
    record_event(database, event, provider_code="E_X")
    assert database.dump()["deliveries"] == before


@pytest.mark.parametrize("first", ["accepted", "rejected"])
@every_event
def test_only_the_first_outcome_counts(
    database: SqliteDatabase, first: Event, event: Event
) -> None:
    assert record_event(database, first)
    assert not record_event(database, event, now=LATER + 1)


def test_unknown_does_not_become_unknown_again(database: SqliteDatabase) -> None:
    assert record_event(database, "timed_out")
    assert not record_event(database, "timed_out", now=LATER + 1)


@every_event
def test_a_deferred_attempt_has_no_more_events(database: SqliteDatabase, event: Event) -> None:
    assert record_event(database, "deferred")
    assert not record_event(database, event, now=LATER + 1)


@every_event
@pytest.mark.parametrize(
    "wrong", [{"attempt": 0}, {"attempt": 2}, {"id": "m0"}, {"id": "M1"}], ids=repr
)
def test_events_of_another_attempt_or_message_change_nothing(
    database: SqliteDatabase, event: Event, wrong: dict[str, Any]
) -> None:
    assert not record_event(database, event, **wrong)


@every_event
def test_events_of_an_earlier_attempt_change_nothing(
    database: SqliteDatabase, event: Event
) -> None:
    record_event(database, "deferred")
    claim_again(database)
    assert not record_event(database, event, attempt=1)
    assert record_event(database, event, attempt=2)
    assert last_event(database)["attempt"] == 2


@every_event
def test_a_second_attempt_ends_like_the_first(database: SqliteDatabase, event: Event) -> None:
    record_event(database, "deferred", reported_as="queued")
    claim_again(database)
    record_event(
        database, event, attempt=2, now=LATER + DAY, provider_code="E_X", reported_as="failed"
    )
    row = message(database)
    assert row["status"] == {**ENDS, "deferred": "queued"}[event]
    assert (row["reported_as"], row["provider_code"]) == ("queued", "E_X")
    assert (balance(database), sent_today(database)) == ((10, 0) if event == "rejected" else (8, 2))


@pytest.mark.parametrize(
    ("event", "status", "left", "count"),
    [("accepted", "sent", 8, 2), ("rejected", "failed", 10, 0), ("deferred", "failed", 10, 0)],
)
def test_a_late_response_corrects_unknown(
    database: SqliteDatabase, event: Event, status: str, left: int, count: int
) -> None:
    record_event(database, "timed_out")
    record_event(database, event, now=LATER + 60_000)
    row = message(database)
    assert (row["status"], row["finished_at"]) == (status, LATER + 60_000)
    assert (row["next_attempt_at"], row["lease_until"]) == (None, None)
    assert (balance(database), sent_today(database)) == (left, count)
    assert history(database) == ["unknown", status]


@pytest.mark.parametrize("late", ["accepted", "rejected", "deferred"])
def test_a_late_response_counts_once(database: SqliteDatabase, late: Event) -> None:
    record_event(database, "timed_out")
    assert record_event(database, late)
    for event in EVENTS:
        assert not record_event(database, event)


@pytest.mark.parametrize("late", ["accepted", "rejected", "deferred"])
def test_a_late_response_must_be_of_the_unknown_attempt(
    database: SqliteDatabase, late: Event
) -> None:
    record_event(database, "deferred")
    claim_again(database)
    record_event(database, "timed_out", attempt=2)
    assert not record_event(database, late, attempt=1)
    assert record_event(database, late, attempt=2)


# The first report, and the idempotency key


@pytest.mark.parametrize("late", ["accepted", "rejected", "deferred"])
def test_reported_as_keeps_the_first_report(database: SqliteDatabase, late: Event) -> None:
    record_event(database, "timed_out", reported_as="unknown")
    record_event(database, late, reported_as="sent")
    assert message(database)["reported_as"] == "unknown"


@pytest.mark.parametrize(
    ("late", "report", "stored"),
    [
        ("accepted", "sent", "sent"),
        ("rejected", "failed", "failed"),
        ("deferred", "queued", "failed"),  # an unknown message does not wait again
    ],
)
def test_a_late_response_is_the_first_report(
    database: SqliteDatabase, late: Event, report: str, stored: str
) -> None:
    record_event(database, "timed_out")  # the sweep reports nothing
    record_event(database, late, reported_as=report)
    assert message(database)["reported_as"] == stored


def test_a_report_of_queued_does_not_change(database: SqliteDatabase) -> None:
    record_event(database, "deferred", reported_as="queued")
    claim_again(database)
    record_event(database, "rejected", attempt=2, reported_as="failed")
    assert message(database)["reported_as"] == "queued"


def keep_with_key(database: SqliteDatabase, sending: Credential) -> None:
    given.reserved(database, sending, "m2", idempotency_key="k", request_digest="d")


def key(database: SqliteDatabase, id: str = "m2") -> tuple[str | None, str | None]:
    (row,) = database.query("SELECT idempotency_key, request_digest FROM messages WHERE id = ?", id)
    return row["idempotency_key"], row["request_digest"]


@every_event
def test_a_key_stays_with_its_message(
    database: SqliteDatabase, sending: Credential, event: Event
) -> None:
    keep_with_key(database, sending)
    record_event(database, event, id="m2")
    assert key(database) == ("k", "d")


def test_the_key_of_a_rejected_request_is_free(
    database: SqliteDatabase, sending: Credential
) -> None:
    keep_with_key(database, sending)
    record_event(database, "rejected", id="m2", provider_code="E_X", undo=True)
    assert key(database) == (None, None)
    rows = database.query("SELECT status, provider_code, reported_as FROM messages WHERE id = 'm2'")
    assert rows == [{"status": "failed", "provider_code": "E_X", "reported_as": None}]
    assert (balance(database), sent_today(database)) == (8, 2)


@pytest.mark.parametrize("wrong", [{"attempt": 0}, {"attempt": 2}, {"id": "m1"}], ids=repr)
def test_only_the_messages_own_key_is_freed(
    database: SqliteDatabase, sending: Credential, wrong: dict[str, Any]
) -> None:
    keep_with_key(database, sending)
    record_event(database, "rejected", **{"id": "m2", **wrong}, undo=True)
    assert key(database) == ("k", "d")


def test_an_undo_frees_no_key_of_a_message_recorded_with_it(
    database: SqliteDatabase, sending: Credential
) -> None:
    keep_with_key(database, sending)
    given.reserved(database, sending, "m3", idempotency_key="other", request_digest="d")
    updates = [
        StatusUpdate(id=id, event="rejected", attempt=1, now=LATER, undo=id == "m2")
        for id in ("m2", "m3")
    ]
    run(record(database, updates))
    assert (key(database, "m2"), key(database, "m3")) == ((None, None), ("other", "d"))


def test_the_report_of_another_message_does_not_prevent_an_undo(
    database: SqliteDatabase, sending: Credential
) -> None:
    record_event(database, "accepted", reported_as="sent")
    keep_with_key(database, sending)
    record_event(database, "rejected", id="m2", undo=True)
    assert key(database) == (None, None)


@pytest.mark.parametrize("first", ["accepted", "rejected", "timed_out", "deferred"])
def test_a_reported_key_is_used(
    database: SqliteDatabase, sending: Credential, first: Event
) -> None:
    keep_with_key(database, sending)
    record_event(database, first, id="m2", reported_as="sent")
    record_event(database, "rejected", id="m2", undo=True)
    assert key(database) == ("k", "d")


def test_a_rejected_retry_may_be_submitted_again(
    database: SqliteDatabase, sending: Credential
) -> None:
    # The response was 503 with Retry-After. After the undo, the retry is possible again.
    record_event(database, "timed_out")
    given.reserved(database, sending, "m2", retry_of="m1")
    record_event(database, "rejected", id="m2", undo=True)
    given.reserved(database, sending, "m3", retry_of="m1")
    assert database.value("SELECT status FROM messages WHERE id = 'm3'") == "sending"


# Suppressions


@pytest.mark.parametrize(
    "to", [(), TWO, ("suppressed@test.invalid",)], ids=["one", "two", "sandbox"]
)
def test_only_the_single_recipient_of_a_suppressed_message_is_suppressed(
    database: SqliteDatabase, sending: Credential, to: tuple[str, ...]
) -> None:
    given.reserved(database, sending, "m2", given.message("Bad@example.org"))
    given.reserved(database, sending, "m3", given.message("good@example.org"))
    given.reserved(database, sending, "m4", given.message(*to))
    reasons: dict[str, Reason] = {"m2": "recipient_suppressed", "m3": "recipient_rejected"}
    if to:
        reasons["m4"] = "recipient_suppressed"
    updates = [
        StatusUpdate(id=id, event="rejected", attempt=1, now=LATER, reason=reason)
        for id, reason in reasons.items()
    ]
    run(record(database, updates))
    assert database.query("SELECT * FROM suppressions") == [
        {
            "address": "bad@example.org",
            "scope": "example.com",
            "reason": "provider",
            "origin": "m2",
            "since": LATER,
            "expires_at": LATER + 24 * 3_600_000,
        }
    ]


# Refunds


def test_the_count_is_refunded_to_the_day_of_acceptance(database: SqliteDatabase) -> None:
    given.sent_on(database, "2026-11-04", 7)
    record_event(database, "rejected", now=NEXT_DAY)
    assert database.query("SELECT * FROM daily_recipients ORDER BY day") == [
        {"day": TODAY, "recipients": 0},
        {"day": "2026-11-04", "recipients": 7},
    ]


@pytest.mark.parametrize("accepted", ["2026-11-05T00:00:00.000", "2026-11-05T23:59:59.999"])
def test_the_day_of_acceptance_is_in_utc(
    database: SqliteDatabase, sending: Credential, accepted: str
) -> None:
    now = given.milliseconds(accepted)
    given.reserved(database, sending, "m2", now=now)
    record_event(database, "rejected", id="m2", now=now)
    sql = "SELECT recipients FROM daily_recipients WHERE day = '2026-11-05'"
    assert database.value(sql) == 0


def test_an_uncharged_message_is_not_refunded(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.listed(database, "verified", TWO[0])
    given.reserved(database, sending, "m2", given.message(*TWO))
    assert balance(database) == 7
    record_event(database, "rejected", id="m2")
    assert (balance(database), sent_today(database)) == (8, 2)


def test_an_unlimited_address_gets_only_its_count_refunded(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.listed(database, "unlimited", sending.address)
    given.reserved(database, sending, "m2", given.message(*TWO))
    # D1 also counts writes that change nothing.
    database.script(
        "CREATE TRIGGER unchanged BEFORE UPDATE ON send_balances"
        " BEGIN SELECT raise(ABORT, 'the balance is written'); END"
    )
    record_event(database, "rejected", id="m2")
    assert (balance(database), sent_today(database)) == (8, 2)


def test_other_messages_and_balances_do_not_change(
    database: SqliteDatabase, sending: Credential
) -> None:
    other = given.address(database, "other@example.com", balance=5)
    given.reserved(database, other, "m2")
    record_event(database, "rejected")
    assert database.query("SELECT id, status FROM messages ORDER BY id") == [
        {"id": "m1", "status": "failed"},
        {"id": "m2", "status": "sending"},
    ]
    assert database.query("SELECT balance FROM send_balances ORDER BY address_id") == [
        {"balance": 10},
        {"balance": 4},
    ]
    assert sent_today(database) == 1


def test_a_charge_is_refunded_to_a_changed_balance(
    database: SqliteDatabase, sending: Credential
) -> None:
    given.set_balance(database, sending, 100, enabled=False)
    record_event(database, "rejected")
    assert database.query("SELECT balance, enabled FROM send_balances") == [
        {"balance": 102, "enabled": 0}
    ]


@every_end
def test_a_message_ends_even_without_its_address(
    database: SqliteDatabase, event: Event, status: str
) -> None:
    database.query("DELETE FROM addresses")
    record_event(database, event)
    assert message(database)["status"] == status
    assert history(database) == [status]


@every_end
def test_a_removed_count_is_not_recreated(
    database: SqliteDatabase, event: Event, status: str
) -> None:
    database.query("DELETE FROM daily_recipients")
    record_event(database, event)
    assert message(database)["status"] == status
    assert database.dump()["daily_recipients"] == []


@every_event
def test_events_of_a_removed_message_change_nothing(database: SqliteDatabase, event: Event) -> None:
    database.query("DELETE FROM messages")
    assert not record_event(database, event)


@every_event
def test_other_columns_of_the_message_do_not_change(database: SqliteDatabase, event: Event) -> None:
    before = message(database)
    bodies = database.dump()["bodies"]
    record_event(
        database, event, provider_message_id="<p>", provider_code="E_X", reported_as="sent"
    )
    changed = {"status", "lease_until", "next_attempt_at", "finished_at"}
    changed |= {"provider_message_id", "provider_code", "reported_as"}
    after = message(database)
    assert {key for key in after if after[key] != before[key]} <= changed
    assert database.dump()["bodies"] == bodies
