"""Idempotency keys and retries: a submission is sent and charged once."""

from typing import Any

import pytest

from accounts.credentials import Credential
from errors import ApiError, Conflict
from mail.lifecycle import Event, ReportedAs, Status
from mail.submission import SubmissionResult
from store.record import StatusUpdate, record
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW, TODAY, YOU
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import sweep


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    return given.address(database, balance=5)


def submit(
    database: SqliteDatabase,
    me: Credential,
    id: str = "m1",
    *,
    key: str | None = "k",
    digest: str = "d",
    **more: Any,
) -> SubmissionResult | None:
    fields = {"idempotency_key": key, "request_digest": digest if key else None, **more}
    return given.reserved(database, me, id, **fields)


def unchanged(
    database: SqliteDatabase, me: Credential, id: str = "m2", **more: Any
) -> SubmissionResult:
    """Submit a replay; return its result. Checks that the database does not change."""
    before = database.dump()
    found = submit(database, me, id, **more)
    assert database.dump() == before
    assert found is not None
    assert found.replayed
    return found


def rejected(database: SqliteDatabase, me: Credential, id: str = "m2", **more: Any) -> ApiError:
    before = database.dump()
    with pytest.raises(ApiError) as caught:
        submit(database, me, id, **more)
    assert database.dump() == before
    return caught.value


def record_event(database: SqliteDatabase, event: Event, id: str = "m1", **more: Any) -> None:
    about = StatusUpdate(id=id, event=event, attempt=1, now=NOW + 500, **more)
    run(record(database, [about]))


def result(status: Status, reported_as: ReportedAs, **fields: Any) -> SubmissionResult:
    """The result that a repeated request gets for m1."""
    return SubmissionResult(
        id="m1", status=status, reported_as=reported_as, replayed=True, **fields
    )


RESULTS: list[tuple[Event, dict[str, Any], SubmissionResult]] = [
    (
        "accepted",
        {"provider_message_id": "<p>", "reported_as": "sent"},
        result("sent", "sent", provider_message_id="<p>"),
    ),
    (
        "deferred",
        {"provider_code": "E_BUSY", "next_attempt_at": NOW + 30_000, "reported_as": "queued"},
        result("queued", "queued"),
    ),
    (
        "rejected",
        {"provider_code": "E_X", "reported_as": "failed"},
        result("failed", "failed", code="E_X"),
    ),
    ("timed_out", {"reported_as": "unknown"}, result("unknown", "unknown", code="outcome_unknown")),
]
every_result = pytest.mark.parametrize(
    ("event", "reported", "replayed"), RESULTS, ids=[event for event, *_ in RESULTS]
)


@every_result
def test_the_same_request_returns_the_first_result_again(
    database: SqliteDatabase,
    me: Credential,
    event: Event,
    reported: dict[str, Any],
    replayed: SubmissionResult,
) -> None:
    assert submit(database, me) is None
    record_event(database, event, **reported)
    for id in ("m2", "m3"):
        assert unchanged(database, me, id) == replayed
    assert database.value("SELECT count(*) FROM messages") == 1


@every_result
def test_a_request_with_another_digest_is_rejected(
    database: SqliteDatabase,
    me: Credential,
    event: Event,
    reported: dict[str, Any],
    replayed: SubmissionResult,
) -> None:
    submit(database, me)
    record_event(database, event, **reported)
    error = rejected(database, me, digest="other")
    assert (type(error), error.code) == (Conflict, "idempotency_key_reused")
    assert (error.headers, error.retryable) == ({}, False)
    assert unchanged(database, me) == replayed


def test_a_repeated_request_in_flight_is_rejected(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    error = rejected(database, me)
    assert (type(error), error.code) == (Conflict, "idempotency_in_flight")
    assert error.headers == {"Retry-After": "2"}
    assert error.retryable


def test_another_request_with_a_key_in_flight_is_rejected(
    database: SqliteDatabase, me: Credential
) -> None:
    submit(database, me)
    assert rejected(database, me, digest="other").code == "idempotency_key_reused"


def test_a_replay_has_the_current_status_and_the_first_report(
    database: SqliteDatabase, me: Credential
) -> None:
    submit(database, me)
    record_event(database, "timed_out", reported_as="unknown")
    record_event(database, "accepted", provider_message_id="<p>", reported_as="sent")
    found = unchanged(database, me)
    assert found == result("sent", "unknown", provider_message_id="<p>", code="outcome_unknown")


def test_a_replay_during_a_retry_reports_queued(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    record_event(database, "deferred", next_attempt_at=NOW, reported_as="queued")
    database.query(
        "UPDATE messages SET status = 'sending', attempt = 2, next_attempt_at = NULL,"
        " lease_until = ?",
        NOW + LEASE,
    )
    found = unchanged(database, me)
    assert (found.status, found.reported_as) == ("sending", "queued")


def test_a_request_of_a_dead_worker_is_unknown(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    run(sweep(database, now=NOW + LEASE, retention_days=0, retention_metadata_days=0))
    found = unchanged(database, me, now=NOW + LEASE)
    assert found == result("unknown", "unknown", code="outcome_unknown")


def test_a_replay_does_not_depend_on_later_changes(
    database: SqliteDatabase, me: Credential
) -> None:
    given.set_balance(database, me, 1)
    submit(database, me)
    record_event(database, "accepted", reported_as="sent")
    given.listed(database, "send_block", YOU)
    given.suppressed(database, YOU)
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=0, monthlyEnabled=True, monthlyLimit=0
    )
    assert rejected(database, me, key="other").code == "no_balance"
    assert unchanged(database, me).id == "m1"
    given.set_balance(database, me, 9, enabled=False)
    assert unchanged(database, me).id == "m1"


def test_an_invalid_credential_gets_no_replay(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    record_event(database, "accepted", reported_as="sent")
    database.query("UPDATE addresses SET credential_version = 1")
    assert rejected(database, me).code == "invalid_credential"


# The scope and the lifetime of a key


def test_a_key_belongs_to_one_address(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=5)
    assert submit(database, me) is None
    assert submit(database, other, "m2", digest="other") is None
    record_event(database, "accepted", reported_as="sent")
    assert unchanged(database, me, "m3").id == "m1"
    assert rejected(database, other, "m3", digest="other").code == "idempotency_in_flight"


def test_a_recreated_address_has_no_keys(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    database.query("DELETE FROM addresses")
    assert submit(database, given.address(database, balance=5), "m2") is None


@pytest.mark.parametrize(
    ("key", "other"),
    [("k", "K"), ("k", "k "), ("k", "kk"), ("1", "1.0"), ("é", "e\u0301"), ("null", "NULL")],
)
def test_keys_are_compared_exactly(
    database: SqliteDatabase, me: Credential, key: str, other: str
) -> None:
    submit(database, me, key=key)
    record_event(database, "accepted", reported_as="sent")
    assert submit(database, me, "m2", key=other, digest="other") is None
    assert unchanged(database, me, "m3", key=key).id == "m1"


@pytest.mark.parametrize("key", ["x" * 256, "名" * 256, "'; --", "?1", "$.id", '"', "0", "false"])
def test_any_text_is_a_key(database: SqliteDatabase, me: Credential, key: str) -> None:
    assert submit(database, me, key=key) is None
    record_event(database, "accepted", reported_as="sent")
    assert unchanged(database, me, key=key).id == "m1"
    assert submit(database, me, "m3", key="other") is None


def test_requests_without_a_key_are_never_replays(database: SqliteDatabase, me: Credential) -> None:
    for number in range(3):
        assert submit(database, me, f"m{number}", key=None) is None
    assert database.value("SELECT balance FROM send_balances") == 2


def test_a_key_may_be_used_again_after_a_day(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    record_event(database, "accepted", reported_as="sent")
    assert unchanged(database, me, now=NOW + DAY - 1).id == "m1"
    assert submit(database, me, "m2", now=NOW + DAY, digest="other") is None
    assert database.query("SELECT id, idempotency_key FROM messages ORDER BY id") == [
        {"id": "m1", "idempotency_key": None},
        {"id": "m2", "idempotency_key": "k"},
    ]
    assert rejected(database, me, "m3", now=NOW + DAY).code == "idempotency_key_reused"


def test_only_the_callers_own_old_key_is_freed(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=5)
    submit(database, me)
    submit(database, me, "m2", key="k2")
    submit(database, other, "m3")
    assert submit(database, me, "m4", now=NOW + 2 * DAY) is None
    rows = database.query("SELECT id FROM messages WHERE idempotency_key IS NOT NULL ORDER BY id")
    assert [row["id"] for row in rows] == ["m2", "m3", "m4"]


def test_a_rejected_request_does_not_use_its_key(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 0)
    assert rejected(database, me, "m1").code == "no_balance"
    assert rejected(database, me, "m1", digest="other").code == "no_balance"
    given.set_balance(database, me, 1)
    assert submit(database, me, "m2", digest="third") is None


def test_an_undone_request_does_not_use_its_key(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    record_event(database, "rejected", provider_code="E_BUSY", undo=True)
    assert submit(database, me, "m2", digest="other") is None
    assert database.value("SELECT balance FROM send_balances") == 4
    assert database.value("SELECT recipients FROM daily_recipients WHERE day = ?", TODAY) == 1


def test_the_key_of_a_removed_message_is_free(database: SqliteDatabase, me: Credential) -> None:
    submit(database, me)
    database.query("DELETE FROM messages")
    assert submit(database, me, "m2", digest="other") is None


def test_many_requests_with_one_key_make_one_message(
    database: SqliteDatabase, me: Credential
) -> None:
    submit(database, me)
    codes = {rejected(database, me, f"n{number}").code for number in range(199)}
    assert codes == {"idempotency_in_flight"}
    assert database.value("SELECT count(*) FROM messages") == 1
    assert database.value("SELECT balance FROM send_balances") == 4


# Retries on request of the caller


def ended(database: SqliteDatabase, me: Credential, id: str = "m1") -> None:
    submit(database, me, id, key=None)
    record_event(database, "timed_out", id, reported_as="unknown")


def test_a_retry_is_a_new_message_that_names_the_old_one(
    database: SqliteDatabase, me: Credential
) -> None:
    ended(database, me)
    assert submit(database, me, "m2", key=None, retry_of="m1") is None
    assert database.query("SELECT id, status, attempt, retry_of FROM messages ORDER BY id") == [
        {"id": "m1", "status": "unknown", "attempt": 1, "retry_of": None},
        {"id": "m2", "status": "sending", "attempt": 1, "retry_of": "m1"},
    ]
    assert database.value("SELECT balance FROM send_balances") == 3


def test_a_message_is_retried_once(database: SqliteDatabase, me: Credential) -> None:
    ended(database, me)
    submit(database, me, "m2", key=None, retry_of="m1")
    for _ in range(2):
        error = rejected(database, me, "m3", key=None, retry_of="m1")
        assert (type(error), error.code) == (Conflict, "already_retried")
        assert not error.retryable
        record_event(database, "rejected", "m2", reported_as="failed")


def test_a_retry_may_be_retried(database: SqliteDatabase, me: Credential) -> None:
    ended(database, me)
    submit(database, me, "m2", key=None, retry_of="m1")
    record_event(database, "timed_out", "m2", reported_as="unknown")
    assert submit(database, me, "m3", key=None, retry_of="m2") is None


def test_retries_of_two_messages_are_independent(database: SqliteDatabase, me: Credential) -> None:
    ended(database, me, "m1")
    ended(database, me, "m2")
    assert submit(database, me, "m3", key=None, retry_of="m1") is None
    assert submit(database, me, "m4", key=None, retry_of="m2") is None


def test_a_retry_may_have_an_idempotency_key(database: SqliteDatabase, me: Credential) -> None:
    ended(database, me)
    assert submit(database, me, "m2", retry_of="m1") is None
    # If the key was used, the request is a replay, even if it is a retry.
    assert rejected(database, me, "m3", retry_of="m1").code == "idempotency_in_flight"
    record_event(database, "accepted", "m2", reported_as="sent")
    assert unchanged(database, me, "m3", retry_of="m1").id == "m2"
    error = rejected(database, me, "m3", key="other", retry_of="m1")
    assert error.code == "already_retried"


def test_a_rejected_retry_may_be_submitted_again(database: SqliteDatabase, me: Credential) -> None:
    ended(database, me)
    given.set_balance(database, me, 0)
    assert rejected(database, me, key=None, retry_of="m1").code == "no_balance"
    given.set_balance(database, me, 1)
    assert submit(database, me, "m2", key=None, retry_of="m1") is None
