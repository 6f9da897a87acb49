"""Usage: every message is counted once, by its outcome, on the day of its acceptance."""

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import Unauthorized
from store.balances import request_access
from store.record import StatusUpdate, record
from store.sendbox_generation import ADMINISTRATION
from store.usage import Quotas, usage_of_address, usage_of_all
from tests.unit import given
from tests.unit.given import DAY, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import sweep


def days(
    database: SqliteDatabase, me: Credential | None = None, *, now: int = NOW
) -> list[tuple[str, int, int, int]]:
    if me:
        rows, *_ = run(usage_of_address(database, me, now=now, default_balance=0))
    else:
        rows, _ = run(usage_of_all(database, now=now))
    return [(row["day"], row["accepted"], row["sent"], row["failed"]) for row in rows]


def recorded(database: SqliteDatabase, *updates: StatusUpdate) -> None:
    run(record(database, updates))


@pytest.mark.contract("GET /admin/usage: Returns daily counts over all addresses")
def test_each_message_is_counted_by_its_outcome(database: SqliteDatabase, me: Credential) -> None:
    for number in range(5):
        given.reserved(database, me, f"m{number}")
    assert days(database, me) == [(TODAY, 5, 0, 0)]
    recorded(
        database,
        StatusUpdate(id="m0", event="accepted", attempt=1, now=NOW),
        StatusUpdate(id="m1", event="rejected", attempt=1, now=NOW),
        StatusUpdate(id="m2", event="timed_out", attempt=1, now=NOW),
        StatusUpdate(id="m3", event="deferred", attempt=1, now=NOW, next_attempt_at=NOW + 1),
    )
    assert days(database, me) == [(TODAY, 5, 1, 1)]
    assert database.value("SELECT sent + failed + unknown + cancelled FROM usage_days") == 3
    recorded(database, StatusUpdate(id="m2", event="accepted", attempt=1, now=NOW + DAY))
    recorded(database, StatusUpdate(id="m3", event="cancelled", now=NOW))
    assert days(database, me) == days(database) == [(TODAY, 5, 2, 1)]


def test_a_message_that_waits_again_has_no_counter(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me)
    recorded(
        database,
        StatusUpdate(id="m1", event="deferred", attempt=1, now=NOW, next_attempt_at=NOW + 1),
    )
    assert database.dump()["usage_days"] == []


def test_an_undone_submission_is_not_counted(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me)
    recorded(database, StatusUpdate(id="m1", event="rejected", now=NOW, undo=True))
    assert days(database, me) == []


def test_messages_ended_by_the_sweep_are_counted(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me)
    run(sweep(database, now=NOW + DAY, retention_days=0, retention_metadata_days=0))
    assert days(database) == [(TODAY, 1, 0, 0)]
    recorded(database, StatusUpdate(id="m1", event="rejected", attempt=1, now=NOW + DAY))
    assert days(database) == [(TODAY, 1, 0, 1)]


def test_a_late_transient_rejection_is_counted_as_a_failure(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me)
    recorded(database, StatusUpdate(id="m1", event="timed_out", attempt=1, now=NOW))
    late = StatusUpdate(id="m1", event="deferred", attempt=1, now=NOW, next_attempt_at=NOW + 1)
    recorded(database, late)
    assert days(database) == [(TODAY, 1, 0, 1)]


def test_undoing_an_unknown_message_removes_it_from_the_counters(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me)
    recorded(database, StatusUpdate(id="m1", event="timed_out", attempt=1, now=NOW))
    assert days(database) == [(TODAY, 1, 0, 0)]
    recorded(database, StatusUpdate(id="m1", event="rejected", attempt=1, now=NOW, undo=True))
    assert days(database) == [(TODAY, 0, 0, 0)]


def test_removing_messages_changes_no_counter(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me)
    recorded(database, StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW))
    database.query("DELETE FROM messages")
    assert days(database) == [(TODAY, 1, 1, 0)]


@pytest.mark.contract("GET /api/usage: Returns daily counts of this address only")
def test_an_address_sees_its_own_usage(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=10)
    given.reserved(database, me)
    given.reserved(database, other, "m2", given.message(sender="other@example.com"))
    recorded(database, StatusUpdate(id="m2", event="accepted", attempt=1, now=NOW))
    assert days(database, me) == [(TODAY, 1, 0, 0)]
    assert days(database, other) == [(TODAY, 1, 1, 0)]
    assert days(database) == [(TODAY, 2, 1, 0)]


def test_sandbox_messages_are_not_counted(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me, "m1", given.message("delivered@test.invalid"))
    assert days(database) == []
    recorded(database, StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW))
    assert days(database) == []


@pytest.mark.contract("GET /admin/usage: Keeps counts for ninety days")
def test_counters_are_kept_for_ninety_days(database: SqliteDatabase, me: Credential) -> None:
    for day in ("2026-08-04", "2026-08-05", "2026-08-06"):
        counts = {"sent": 1, "failed": 0, "unknown": 0, "cancelled": 0}
        database.insert("usage_days", day=day, address_id=1, **counts)
    run(sweep(database, now=NOW, retention_days=0, retention_metadata_days=0))
    kept = [row["day"] for row in database.query("SELECT day FROM usage_days")]
    assert kept == ["2026-08-05", "2026-08-06"]


def test_the_last_ninety_days_are_shown(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=100)
    first = given.milliseconds("2026-08-06T00:00:00")
    for number, owner in enumerate((me, other, other)):
        for day in ("2026-08-05", "2026-08-06", TODAY, "2026-11-04"):
            if number < 2:
                counts = {"sent": 1000, "failed": 100, "unknown": 20, "cancelled": 3}
                database.insert("usage_days", day=day, address_id=owner.address_id, **counts)
        for accepted in (first - 1, first):
            waiting, sending = f"w{number}-{accepted}", f"s{number}-{accepted}"
            mail = given.scheduled(NOW + DAY, waiting, sender=owner.address)
            given.reserved(database, owner, waiting, mail, now=accepted)
            given.reserved(database, owner, sending, now=accepted)
    midnight = given.milliseconds("2026-11-03T00:00:00")
    for now in (midnight, midnight + DAY - 1):
        mine = days(database, me, now=now)
        assert mine == [("2026-08-06", 1125, 1000, 100), (TODAY, 1123, 1000, 100)]
        every = days(database, now=now)
        assert every == [("2026-08-06", 2252, 2000, 200), (TODAY, 2246, 2000, 200)]


@pytest.mark.parametrize(
    ("is_enabled", "limit", "left"),
    [(True, 1, 1), (True, 0, 0), (True, -1, None), (True, None, None), (False, 1, None)],
)
def test_a_limit_applies_if_it_is_enabled_and_not_negative(
    database: SqliteDatabase, is_enabled: bool, limit: int | None, left: int | None
) -> None:
    other = '{"dailyEnabled":true,"dailyLimit":7,"monthlyEnabled":true,"monthlyLimit":7}'
    for key in ("other", "zero"):
        database.insert("settings", key=key, value=other)
    given.send_limits(database, dailyEnabled=is_enabled, dailyLimit=limit)
    assert run(usage_of_all(database, now=NOW))[1] == Quotas(left, None)
    given.send_limits(database, monthlyEnabled=is_enabled, monthlyLimit=limit)
    assert run(usage_of_all(database, now=NOW))[1] == Quotas(None, left)


def test_a_quota_that_is_exceeded_leaves_nothing(database: SqliteDatabase) -> None:
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=4, monthlyEnabled=True, monthlyLimit=7
    )
    given.sent_on(database, "2026-11-04", 100)  # by a wrong clock
    given.sent_on(database, "2026-11-01", 1)
    given.sent_on(database, "2026-10-31", 100)
    for sent, left in ((2, (2, 4)), (3, (1, 3)), (4, (0, 2)), (6, (0, 0)), (7, (0, 0))):
        database.query("DELETE FROM daily_recipients WHERE day = ?", TODAY)
        given.sent_on(database, TODAY, sent)
        assert run(usage_of_all(database, now=NOW))[1] == Quotas(*left)


def test_remaining_quotas_are_exact(database: SqliteDatabase, me: Credential) -> None:
    def left() -> Quotas:
        return run(usage_of_all(database, now=NOW))[1]

    assert left() == Quotas(None, None)
    given.send_limits(database, dailyEnabled=True, dailyLimit=10, monthlyEnabled=True)
    assert left() == Quotas(10, None)
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=10, monthlyEnabled=True, monthlyLimit=20
    )
    given.sent_on(database, "2026-11-01", 15)
    given.sent_on(database, TODAY, 4)
    assert left() == Quotas(6, 1)


def test_the_credential_must_hold(database: SqliteDatabase, me: Credential) -> None:
    database.query("UPDATE addresses SET credential_version = 1")
    with pytest.raises(Unauthorized):
        days(database, me)


def test_reading_the_balance_grants_nothing(database: SqliteDatabase) -> None:
    new = given.address(database, "new@example.com")
    before = database.dump()

    def left() -> int:
        return run(usage_of_address(database, new, now=NOW, default_balance=7))[2]

    assert left() == 7  # the first send would grant this balance
    assert database.dump() == before
    given.set_balance(database, new, 5)
    assert left() == 5
    given.set_balance(database, new, 5, enabled=False)
    assert left() == 0
    given.listed(database, "unlimited", new.address)
    assert left() == 99_999


@pytest.mark.parametrize("default", [0, 7])
def test_only_a_balance_that_an_administrator_disabled_is_disabled(
    database: SqliteDatabase, default: int
) -> None:
    new = given.address(database, "new@example.com")
    given.set_balance(database, given.address(database, "other@example.com"), 0, enabled=False)

    def is_disabled() -> bool:
        return run(usage_of_address(database, new, now=NOW, default_balance=default))[3]

    assert not is_disabled()
    run(request_access(database, new, default=default, now=NOW))
    assert not is_disabled()
    given.set_balance(database, new, 0)
    assert not is_disabled()
    given.set_balance(database, new, 5, enabled=False)
    assert is_disabled()
    given.listed(database, "unlimited", new.address)
    assert not is_disabled()


def test_recipients_of_sent_messages_are_counted_per_sending_domain(
    database: SqliteDatabase, me: Credential
) -> None:
    administrator = Actor("admin#1", None, is_administrator=True)
    mails = [
        given.attempt(given.message("a@b.example", "c@d.example"), "m1"),
        given.attempt(given.message(), "m2"),
    ]
    given.reserve(database, mails, me)
    news = given.attempt(given.message(sender="news@Other.example"), "m3")
    owner = Credential("news@other.example", ADMINISTRATION, 0)
    given.reserve(database, [news], owner, administrator=administrator)
    recorded(
        database,
        *(StatusUpdate(id=id, event="accepted", attempt=1, now=NOW) for id in ("m1", "m3")),
        StatusUpdate(id="m2", event="timed_out", attempt=1, now=NOW),
    )
    sql = "SELECT domain, recipients FROM usage_days ORDER BY domain"
    counted = {row["domain"]: row["recipients"] for row in database.query(sql)}
    assert counted == {"example.com": 2, "other.example": 1}
    recorded(database, StatusUpdate(id="m2", event="accepted", attempt=1, now=NOW))
    assert [row["recipients"] for row in database.query(sql)] == [3, 1]
