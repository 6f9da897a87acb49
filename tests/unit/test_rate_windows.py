"""The rate limit of a credential: a maximum number of messages per window."""

from itertools import count
from typing import Any

from hypothesis import given as drawn
from hypothesis import strategies as st

from accounts.credentials import Credential
from accounts.sending_limits import RateLimit, RateState
from errors import TooManyRequests
from store.reserve import Reserved
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase

SECOND = 1000
LIMIT = RateLimit(quota=3, seconds=60)


_numbers = count()


def sent(
    database: SqliteDatabase,
    me: Credential,
    *,
    at: int = 0,
    messages: int = 1,
    limit: RateLimit | None = LIMIT,
    permissive: bool = False,
) -> Reserved:
    """Reserve ``messages`` messages, ``at`` milliseconds after NOW."""
    batch = [given.attempt(given.message(), f"m{next(_numbers)}") for _ in range(messages)]
    return given.reserve(
        database,
        batch,
        me,
        now=NOW + at,
        rate_limit=limit,
        reports="acceptance",
        permissive=permissive,
    )


def rejected(database: SqliteDatabase, me: Credential, *, at: int = 0, messages: int = 1) -> int:
    """Check that a request is rejected and changes nothing; return its Retry-After (seconds)."""
    before = database.dump()
    errors = sent(database, me, at=at, messages=messages).errors
    assert database.dump() == before
    error = errors[-1]
    assert isinstance(error, TooManyRequests)
    assert error.code == "rate_limit_exceeded"
    return int(error.headers["Retry-After"])


def window(database: SqliteDatabase) -> tuple[int, int]:
    (row,) = database.query("SELECT started_at, used FROM rate_windows")
    return row["started_at"] - NOW, row["used"]


def test_a_window_admits_exactly_the_limit(database: SqliteDatabase, me: Credential) -> None:
    for remaining in (2, 1, 0):
        assert sent(database, me).rate == RateState(remaining, 60)
    assert rejected(database, me) == 60


def test_a_window_of_a_wrong_clock_counts_as_ended(
    database: SqliteDatabase, me: Credential
) -> None:
    sent(database, me, at=60 * SECOND, messages=3)
    assert rejected(database, me, at=1) == 120
    assert sent(database, me).rate == RateState(2, 60)
    assert window(database) == (0, 1)


def test_a_window_ends_one_period_after_its_first_message(
    database: SqliteDatabase, me: Credential
) -> None:
    for at in (0, 20 * SECOND, 40 * SECOND):
        sent(database, me, at=at)
    assert window(database) == (0, 3)
    assert rejected(database, me, at=40 * SECOND) == 20
    assert rejected(database, me, at=60 * SECOND - 1) == 1
    assert sent(database, me, at=60 * SECOND).rate == RateState(2, 60)
    assert window(database) == (60 * SECOND, 1)


def test_retry_after_is_enough(database: SqliteDatabase, me: Credential) -> None:
    sent(database, me, messages=3)
    for at in (1, 999, 1000, 59_001):
        seconds = rejected(database, me, at=at)
        later = at + seconds * SECOND
        assert 60 * SECOND <= later < 61 * SECOND


def test_a_window_without_messages_has_the_full_limit(
    database: SqliteDatabase, me: Credential
) -> None:
    given.set_balance(database, me, 0)
    assert sent(database, me).rate == RateState(3, 60)
    assert database.dump()["rate_windows"] == []


def test_messages_rejected_for_other_reasons_do_not_count(
    database: SqliteDatabase, me: Credential
) -> None:
    sent(database, me)
    given.listed(database, "send_block", given.YOU)
    for _ in range(5):
        assert sent(database, me).rate == RateState(2, 60)
    assert window(database) == (0, 1)


def test_an_exceeded_rate_limit_is_reported_first(database: SqliteDatabase, me: Credential) -> None:
    sent(database, me, messages=3)
    given.set_balance(database, me, 0)
    given.suppressed(database, given.YOU)
    assert rejected(database, me) == 60


def test_each_message_of_a_batch_counts(database: SqliteDatabase, me: Credential) -> None:
    assert sent(database, me, messages=2).rate == RateState(1, 60)
    assert rejected(database, me, messages=2) == 60
    assert sent(database, me).rate == RateState(0, 60)


def test_a_batch_larger_than_the_limit_is_always_rejected(
    database: SqliteDatabase, me: Credential
) -> None:
    assert rejected(database, me, messages=4) == 60


def test_sandbox_messages_count_like_others(database: SqliteDatabase, me: Credential) -> None:
    sandbox = given.attempt(given.message("delivered@test.invalid"), "t1")
    given.reserve(database, [sandbox], me, rate_limit=LIMIT)
    assert window(database) == (0, 1)


def test_a_replay_does_not_count_and_reports_the_rate_state(
    database: SqliteDatabase, me: Credential
) -> None:
    key: dict[str, Any] = {"idempotency_key": "k", "request_digest": "d", "rate_limit": LIMIT}
    given.reserved(database, me, "m", given.scheduled(NOW, "m"), **key)
    for seconds in (60, 50):
        at = NOW + (60 - seconds) * SECOND
        again = given.reserve(database, [given.scheduled(NOW, "again")], me, now=at, **key)
        assert again.earlier is not None
        assert again.rate == RateState(2, seconds)
    assert window(database) == (0, 1)


def test_each_address_has_its_own_window(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=10)
    sent(database, me, messages=3)
    assert sent(database, other).rate == RateState(2, 60)


def test_without_a_limit_nothing_is_counted(database: SqliteDatabase, me: Credential) -> None:
    assert sent(database, me, limit=None).rate is None
    assert database.dump()["rate_windows"] == []


def test_a_changed_limit_applies_at_once(database: SqliteDatabase, me: Credential) -> None:
    sent(database, me, messages=3)
    lower, higher = RateLimit(quota=2, seconds=60), RateLimit(quota=5, seconds=60)
    assert sent(database, me, limit=lower).rate == RateState(0, 60)
    assert sent(database, me, limit=higher).rate == RateState(1, 60)
    # The window began with its first message, and the current limit sets its length.
    longer = RateLimit(quota=5, seconds=3600)
    assert sent(database, me, at=60 * SECOND, limit=longer).rate == RateState(0, 3540)
    shorter = RateLimit(quota=5, seconds=1)
    assert sent(database, me, at=60 * SECOND, limit=shorter).rate == RateState(4, 1)


def test_a_late_clock_does_not_begin_a_new_window(database: SqliteDatabase, me: Credential) -> None:
    sent(database, me, messages=2)
    assert sent(database, me, at=-5 * SECOND).rate == RateState(0, 65)
    assert rejected(database, me, at=-5 * SECOND) == 65
    assert window(database) == (0, 3)


@drawn(
    steps=st.lists(
        st.tuples(st.integers(0, 40 * SECOND), st.integers(1, 4), st.booleans()), max_size=20
    ),
    forgetful=st.booleans(),
)
def test_no_window_exceeds_the_limit(steps: list[tuple[int, int, bool]], forgetful: bool) -> None:
    database = ForgetfulDatabase() if forgetful else SqliteDatabase()
    me = given.address(database, balance=1000)
    started, used, now = 0, 0, 0
    for elapsed, messages, permissive in steps:
        now += elapsed
        if now - started >= 60 * SECOND or not used:
            started, used = now, 0
        reserved = sent(database, me, at=now, messages=messages, permissive=permissive)
        fits = min(messages, 3 - used)
        assert reserved.errors.count(None) == fits
        if permissive or fits == messages:
            used += fits
        left = started + 60 * SECOND - now if used else 60 * SECOND
        assert reserved.rate == RateState(3 - used, -(-left // SECOND))
    assert used == 0 or window(database) == (started, used)
