"""Several messages in one submission: strict (all or none), or permissive."""

from collections.abc import Iterable
from typing import Any

import pytest

from accounts.credentials import Credential
from accounts.sending_limits import RateLimit, RateState
from errors import ApiError, Conflict, PayloadTooLarge, TooManyRequests, Unauthorized
from mail.submission import Attempt, SubmissionResult
from store.record import StatusUpdate, record
from store.reserve import Reserved, find_earlier
from tests.unit import given
from tests.unit.given import DAY, ME, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run

A, B, C, D = (f"{letter}@example.org" for letter in "abcd")
Outcome = list[str | None]


def attempts(*messages: Iterable[str], first: int = 1) -> list[Attempt]:
    """One attempt per group of recipients, with ids from m1 on, or from m``first`` on."""
    numbered = enumerate(messages, first)
    return [given.attempt(given.message(*to), f"m{number}") for number, to in numbered]


def submitted(
    database: SqliteDatabase, me: Credential, batch: list[Attempt], **more: Any
) -> Reserved:
    return given.reserve(database, batch, me, **{"reports": "acceptance", **more})


def accepted(*ids: str) -> list[SubmissionResult]:
    """The results of a repeated request if all messages of the batch were accepted."""
    return [SubmissionResult(id=id, replayed=True) for id in ids]


def outcome(reserved: Reserved) -> Outcome:
    return [error.code if error else None for error in reserved.errors]


def kept(database: SqliteDatabase) -> list[str]:
    return [row["id"] for row in database.query("SELECT id FROM messages ORDER BY id")]


def balance(database: SqliteDatabase) -> int:
    return int(database.value("SELECT balance FROM send_balances"))


def sent_today(database: SqliteDatabase) -> int:
    rows = database.query("SELECT recipients FROM daily_recipients WHERE day = ?", TODAY)
    return rows[0]["recipients"] if rows else 0


def test_a_batch_is_stored_and_charged_as_a_whole(database: SqliteDatabase, me: Credential) -> None:
    reserved = submitted(database, me, attempts([A], [A, B], [C]))
    assert reserved == Reserved((None,) * 3, None, None, transports=(None,) * 3)
    assert kept(database) == ["m1", "m2", "m3"]
    assert (balance(database), sent_today(database)) == (96, 4)
    rows = database.query("SELECT message_id, position, address FROM deliveries")
    assert [tuple(row.values()) for row in rows] == [
        ("m1", 0, A),
        ("m2", 0, A),
        ("m2", 1, B),
        ("m3", 0, C),
    ]
    assert database.query("SELECT message_id, kind, content FROM bodies") == [
        {"message_id": id, "kind": "text", "content": "Hello"} for id in ("m1", "m2", "m3")
    ]


def test_each_message_of_a_batch_has_its_own_first_status(
    database: SqliteDatabase, me: Credential
) -> None:
    batch = [
        given.attempt(given.message(), "m1"),
        given.attempt(given.message(), "m2", status="queued", due_at=NOW),
        given.scheduled(NOW + DAY, "m3"),
    ]
    submitted(database, me, batch)
    rows = database.query(
        "SELECT status, attempt, lease_until, next_attempt_at, scheduled_at FROM messages"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("sending", 1, NOW + given.LEASE, None, None),
        ("queued", 0, None, NOW, None),
        ("scheduled", 0, None, NOW + DAY, NOW + DAY),
    ]


def test_the_first_send_grants_the_balance_for_the_whole_batch(database: SqliteDatabase) -> None:
    me = given.address(database)
    submitted(database, me, attempts([A], [A, B]), default_balance=3)
    assert balance(database) == 0


# Rejected messages. In a batch, earlier messages use limits and balance before later ones.


def limited_daily(database: SqliteDatabase) -> None:
    given.send_limits(database, dailyEnabled=True, dailyLimit=3)


def limited_monthly(database: SqliteDatabase) -> None:
    given.send_limits(database, monthlyEnabled=True, monthlyLimit=3)


def short_of_balance(database: SqliteDatabase) -> None:
    database.query("UPDATE send_balances SET balance = 3")


def blocked(database: SqliteDatabase) -> None:
    given.listed(database, "send_block", C)


def suppressed(database: SqliteDatabase) -> None:
    given.suppressed(database, C)


REJECTED = [
    (short_of_balance, [None, "no_balance", None]),
    (limited_daily, [None, "daily_quota_reached", None]),
    (limited_monthly, [None, "monthly_quota_reached", None]),
    (blocked, [None, "address_blocked", None]),
    (suppressed, [None, "recipient_suppressed", None]),
]
each_error = pytest.mark.parametrize(
    ("condition", "expected"), REJECTED, ids=[condition.__name__ for condition, _ in REJECTED]
)
MESSAGES = ([A, B], [B, C], [A])


@each_error
def test_a_strict_batch_with_a_rejected_message_is_rejected(
    database: SqliteDatabase, me: Credential, condition: Any, expected: Outcome
) -> None:
    condition(database)
    before = database.dump()
    assert outcome(submitted(database, me, attempts(*MESSAGES))) == expected
    assert database.dump() == before


@each_error
def test_a_permissive_batch_stores_the_other_messages(
    database: SqliteDatabase, me: Credential, condition: Any, expected: Outcome
) -> None:
    condition(database)
    before = balance(database)
    reserved = submitted(database, me, attempts(*MESSAGES), permissive=True)
    assert outcome(reserved) == expected
    numbers = [number for number, code in enumerate(expected) if code is None]
    assert kept(database) == [f"m{number + 1}" for number in numbers]
    recipients = sum(len(MESSAGES[number]) for number in numbers)
    assert (balance(database), sent_today(database)) == (before - recipients, recipients)
    assert database.value("SELECT count(*) FROM deliveries") == recipients
    assert database.value("SELECT count(*) FROM bodies") == len(numbers)


@pytest.mark.parametrize("permissive", [False, True])
def test_a_limit_may_be_used_up_to_the_last(
    database: SqliteDatabase, me: Credential, permissive: bool
) -> None:
    database.query("UPDATE send_balances SET balance = 5")
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=5, monthlyEnabled=True, monthlyLimit=5
    )
    limit = RateLimit(quota=3, seconds=60)
    more: dict[str, Any] = {"permissive": permissive, "rate_limit": limit}
    assert outcome(submitted(database, me, attempts(*MESSAGES), **more)) == [None] * 3
    assert (balance(database), sent_today(database)) == (0, 5)
    more["rate_limit"] = RateLimit(quota=4, seconds=60)
    assert outcome(submitted(database, me, attempts([A], first=4), **more)) == ["no_balance"]


def test_a_rate_limit_counts_the_messages(database: SqliteDatabase, me: Credential) -> None:
    limit = RateLimit(quota=2, seconds=60)
    before = database.dump()
    reserved = submitted(database, me, attempts(*MESSAGES), rate_limit=limit)
    assert outcome(reserved) == [None, None, "rate_limit_exceeded"]
    assert isinstance(reserved.errors[2], TooManyRequests)
    assert reserved.errors[2].headers == {"Retry-After": "60"}
    assert reserved.rate == RateState(remaining=2, reset=60)
    assert database.dump() == before
    reserved = submitted(database, me, attempts(*MESSAGES), rate_limit=limit, permissive=True)
    assert reserved.rate == RateState(remaining=0, reset=60)
    assert kept(database) == ["m1", "m2"]


def test_a_rejected_message_uses_no_share_of_the_limits(
    database: SqliteDatabase, me: Credential
) -> None:
    given.listed(database, "send_block", B)
    given.suppressed(database, C)
    database.query("UPDATE send_balances SET balance = 1")
    given.send_limits(database, dailyEnabled=True, dailyLimit=1)
    limit = RateLimit(quota=1, seconds=60)
    reserved = submitted(database, me, attempts([B], [C], [A]), permissive=True, rate_limit=limit)
    assert outcome(reserved) == ["address_blocked", "recipient_suppressed", None]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (short_of_balance, "no_balance"),
        (limited_daily, "daily_quota_reached"),
        (limited_monthly, "monthly_quota_reached"),
    ],
)
def test_a_rejected_message_takes_nothing_from_the_others(
    database: SqliteDatabase, me: Credential, condition: Any, expected: str
) -> None:
    condition(database)
    sizes = [4, 1, 3, 2, 1, 50]
    batch = attempts(*([f"r{n}@example.org" for n in range(size)] for size in sizes))
    limit = RateLimit(quota=2, seconds=60)
    reserved = submitted(database, me, batch, permissive=True, rate_limit=limit)
    over_rate = ["rate_limit_exceeded"] * 2
    assert outcome(reserved) == [expected, None, expected, None, *over_rate]
    assert reserved.rate == RateState(remaining=0, reset=60)
    assert sent_today(database) == 3


def test_a_suppressed_recipient_is_named(database: SqliteDatabase, me: Credential) -> None:
    given.suppressed(database, C)
    given.suppressed(database, D)
    reserved = submitted(database, me, attempts([A], [B, C], [D]), permissive=True)
    names = [it.values["recipient"] for it in reserved.errors if it]
    assert names == [C, D]


@pytest.mark.parametrize("free", ["verified", "unlimited", "sandbox"])
def test_a_free_message_needs_no_balance(
    database: SqliteDatabase, me: Credential, free: str
) -> None:
    recipient = "delivered@test.invalid" if free == "sandbox" else B
    given.listed(database, "verified", B)
    database.query("UPDATE send_balances SET balance = 0")
    batch = attempts([A], [recipient])
    expected: Outcome = ["no_balance", None]
    if free == "unlimited":
        given.listed(database, "unlimited", ME)
        batch, expected = attempts([A], [D]), [None, None]
    assert outcome(submitted(database, me, batch, permissive=True)) == expected
    assert balance(database) == 0


def test_sandbox_messages_are_not_limited_by_the_day(
    database: SqliteDatabase, me: Credential
) -> None:
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=0, monthlyEnabled=True, monthlyLimit=0
    )
    batch = attempts([A], ["delivered@test.invalid", "delivered+2@test.invalid"], [A])
    expected: Outcome = ["daily_quota_reached", None, "daily_quota_reached"]
    assert outcome(submitted(database, me, batch, permissive=True)) == expected
    assert (balance(database), sent_today(database)) == (100, 0)
    assert database.query("SELECT recipients, charge, is_sandbox FROM messages") == [
        {"recipients": 2, "charge": 0, "is_sandbox": 1}
    ]


@pytest.mark.parametrize("permissive", [False, True])
def test_an_invalid_credential_rejects_the_whole_batch(
    database: SqliteDatabase, me: Credential, permissive: bool
) -> None:
    database.query("UPDATE addresses SET credential_version = 1")
    before = database.dump()
    with pytest.raises(ApiError, match="invalid_credential"):
        submitted(database, me, attempts([A], [B]), permissive=permissive)
    assert database.dump() == before


def test_a_request_has_at_most_1800000_bytes(database: SqliteDatabase, me: Credential) -> None:

    def submit(characters: int) -> Reserved:
        subject = "s" * characters
        return submitted(database, me, [given.attempt(given.message(subject=subject))])

    with pytest.raises(PayloadTooLarge) as caught:
        submit(1_800_000)
    others = caught.value.values["size"] - 1_800_000
    with pytest.raises(PayloadTooLarge):
        submit(1_800_001 - others)
    assert outcome(submit(1_800_000 - others)) == [None]


def test_a_batch_beyond_the_size_of_a_parameter_is_rejected(
    database: SqliteDatabase, me: Credential
) -> None:
    long = [f"{'a' * 60}{number}@{'b' * 60}.{'c' * 60}.example" for number in range(50)]
    before = database.dump()
    with pytest.raises(PayloadTooLarge) as caught:
        submitted(database, me, attempts(*[long] * 100))
    assert caught.value.code == "batch_too_large"
    assert database.dump() == before


def test_a_hundred_messages_to_fifty_recipients_each(
    database: SqliteDatabase, me: Credential
) -> None:
    given.set_balance(database, me, 5000)
    fifty = [f"recipient-number-{number}@some-domain.example.org" for number in range(50)]
    batch = [
        given.attempt(given.message(*fifty, text="t" * 20_000, html="h" * 20_000), f"m{number:03}")
        for number in range(100)
    ]
    more = {"idempotency_key": "k", "request_digest": "d"}
    limit = RateLimit(quota=100, seconds=60)
    assert set(outcome(submitted(database, me, batch, rate_limit=limit, **more))) == {None}
    assert (balance(database), sent_today(database)) == (0, 5000)
    earlier = submitted(database, me, attempts([A]), **more).earlier
    assert earlier == accepted(*(f"m{number:03}" for number in range(100)))


# Lost responses: the second run of the database batch reports the results of the first run.


def test_a_repeated_permissive_batch_reports_its_first_results(
    database: SqliteDatabase, me: Credential
) -> None:
    blocked(database)
    limit = RateLimit(quota=2, seconds=60)
    batch = attempts([C], [A], [B], [A])
    more: dict[str, Any] = {"permissive": True, "rate_limit": limit}
    first = submitted(database, me, batch, **more)
    assert outcome(first) == ["address_blocked", None, None, "rate_limit_exceeded"]
    after = database.dump()
    # Changes after the first run do not change the results.
    database.query("DELETE FROM list_entries")
    given.suppressed(database, A)
    again = submitted(database, me, batch, **more)
    assert outcome(again) == outcome(first)
    assert again.rate == first.rate == RateState(remaining=0, reset=60)
    database.query("DELETE FROM suppressions")
    blocked(database)
    assert database.dump() == after


def test_a_repeated_permissive_batch_without_accepted_messages_reports_its_first_errors(
    database: SqliteDatabase, me: Credential
) -> None:
    blocked(database)
    batch = attempts([C], [C, A])
    for _ in range(2):
        reserved = submitted(database, me, batch, permissive=True)
        assert outcome(reserved) == ["address_blocked"] * 2
    assert kept(database) == []


# Replays


KEY: dict[str, Any] = {"idempotency_key": "k", "request_digest": "d"}


def test_a_replayed_batch_returns_its_first_results(
    database: SqliteDatabase, me: Credential
) -> None:
    submitted(database, me, attempts([A], [B]), **KEY)
    for first in (3, 5):
        again = submitted(database, me, attempts([A], [B], first=first), **KEY)
        assert again == Reserved((), None, accepted("m1", "m2"))
    assert kept(database) == ["m1", "m2"]
    assert balance(database) == 98


def test_a_replayed_permissive_batch_returns_its_first_errors(
    database: SqliteDatabase, me: Credential
) -> None:
    given.suppressed(database, C)
    limit = RateLimit(quota=2, seconds=60)
    more: dict[str, Any] = {"permissive": True, "rate_limit": limit, **KEY}
    submitted(database, me, attempts([C], [A], [B], [A]), **more)
    database.query("DELETE FROM suppressions")
    later = {"now": NOW + 59_000}
    again = submitted(database, me, attempts([C], [A], [B], [A], first=5), **more, **later)
    assert again.earlier is not None
    first, *others, last = again.earlier
    assert others == accepted("m2", "m3")
    assert (first.id, last.id, first.replayed, last.replayed) == ("", "", True, True)
    assert first.error is not None
    assert first.error.code == "recipient_suppressed"
    assert first.error.extra["suppression"] == {
        "recipient": C,
        "reason": "manual",
        "expires_at": None,
    }
    assert isinstance(last.error, TooManyRequests)
    assert kept(database) == ["m2", "m3"]
    # The first accepted message stores the key and the response.
    rows = database.query(
        "SELECT idempotency_key, batch_results IS NOT NULL AS answers FROM messages ORDER BY id"
    )
    assert [tuple(row.values()) for row in rows] == [("k", 1), (None, 0)]


def test_a_permissive_batch_without_accepted_messages_does_not_use_its_key(
    database: SqliteDatabase, me: Credential
) -> None:
    blocked(database)
    submitted(database, me, attempts([C]), permissive=True, **KEY)
    database.query("DELETE FROM list_entries")
    reserved = submitted(database, me, attempts([C]), permissive=True, **KEY)
    assert reserved == Reserved((None,), None, None, transports=(None,))


def test_another_request_with_the_key_of_a_batch_is_rejected(
    database: SqliteDatabase, me: Credential
) -> None:
    submitted(database, me, attempts([A], [B]), **KEY)
    before = database.dump()
    other = {**KEY, "request_digest": "other"}
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        submitted(database, me, attempts([A], first=3), **other)
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        run(find_earlier(database, me, key="k", digest="other", now=NOW))
    assert database.dump() == before


def test_a_batch_is_never_in_flight(database: SqliteDatabase, me: Credential) -> None:
    submitted(database, me, attempts([A], [B]), **KEY)
    found = run(find_earlier(database, me, key="k", digest="d", now=NOW))
    assert found == accepted("m1", "m2")


def test_the_key_of_a_batch_is_free_after_a_day(database: SqliteDatabase, me: Credential) -> None:
    submitted(database, me, attempts([A], [B]), **KEY)
    later = submitted(database, me, attempts([A], [B], first=3), **KEY, now=NOW + DAY)
    assert later == Reserved((None,) * 2, None, None, transports=(None,) * 2)
    assert run(find_earlier(database, me, key="k", digest="d", now=NOW + DAY)) is not None
    assert run(find_earlier(database, me, key="k", digest="d", now=NOW + 2 * DAY)) is None


# Updates of several messages


def update(id: str, event: Any, **more: Any) -> StatusUpdate:
    return StatusUpdate(id=id, event=event, attempt=1, now=NOW + 500, **more)


def test_updates_of_several_messages_are_written_together(
    database: SqliteDatabase, me: Credential
) -> None:
    submitted(database, me, attempts([A], [A, B], [C], [D], [D]))
    statuses = run(
        record(
            database,
            [
                update("m1", "accepted", provider_message_id="<p1>", reported_as="sent"),
                update("m2", "rejected", provider_code="E_X", reported_as="failed"),
                update("m3", "timed_out", reported_as="unknown"),
                update("m4", "deferred", next_attempt_at=NOW + DAY, reported_as="queued"),
                update("m6", "accepted"),
            ],
        )
    )
    assert statuses == {"m1": "sent", "m2": "failed", "m3": "unknown", "m4": "queued"}
    rows = database.query(
        "SELECT status, provider_message_id, provider_code, reported_as, next_attempt_at"
        " FROM messages ORDER BY id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("sent", "<p1>", None, "sent", None),
        ("failed", None, "E_X", "failed", None),
        ("unknown", None, None, "unknown", None),
        ("queued", None, None, "queued", NOW + DAY),
        ("sending", None, None, None, None),
    ]
    assert (balance(database), sent_today(database)) == (96, 4)
    events = database.query("SELECT message_id, kind FROM events ORDER BY message_id")
    assert [tuple(event.values()) for event in events] == [
        ("m1", "sent"),
        ("m2", "failed"),
        ("m3", "unknown"),
        ("m4", "deferred"),
    ]


def test_charges_are_refunded_to_each_address_and_day(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    submitted(database, me, attempts([A], [B, C]))
    submitted(database, me, attempts([A], first=3), now=NOW + DAY)
    submitted(database, other, attempts([A, B, C], first=4), now=NOW + DAY)
    run(record(database, [update(f"m{number}", "rejected") for number in (2, 3, 4)]))
    rows = database.query("SELECT balance FROM send_balances ORDER BY address_id")
    assert [row["balance"] for row in rows] == [99, 10]
    rows = database.query("SELECT recipients FROM daily_recipients ORDER BY day")
    assert [row["recipients"] for row in rows] == [1, 0]


def test_a_rejected_sandbox_message_refunds_nothing(
    database: SqliteDatabase, me: Credential
) -> None:
    submitted(database, me, attempts([A], ["suppressed@test.invalid"]))
    assert run(record(database, [update("m2", "rejected")])) == {"m2": "failed"}
    assert (balance(database), sent_today(database)) == (99, 1)


# Undoing submissions when the response of reserve is lost


def undo(database: SqliteDatabase, *ids: str, waiting: Iterable[str] = ()) -> dict[str, str]:
    undone = [update(id, "rejected", undo=True) for id in ids]
    undone += [StatusUpdate(id=id, event="cancelled", now=NOW, undo=True) for id in waiting]
    return dict(run(record(database, undone)))


def mixed(database: SqliteDatabase, me: Credential) -> None:
    """m1 is being sent, m2 is queued and m3 scheduled, in one batch."""
    queued = given.attempt(given.message(B), "m2", status="queued", due_at=NOW)
    submitted(database, me, [*attempts([A]), queued, given.scheduled(NOW, "m3")], **KEY)


def test_an_undone_batch_leaves_no_charge_and_no_key(
    database: SqliteDatabase, me: Credential
) -> None:
    mixed(database, me)
    statuses = undo(database, "m1", waiting=("m2", "m3"))
    assert statuses == {"m1": "failed", "m2": "cancelled", "m3": "cancelled"}
    assert (balance(database), sent_today(database)) == (100, 0)
    assert submitted(database, me, attempts([A], first=4), **KEY).earlier is None


def test_undoing_a_batch_that_was_never_reserved_changes_nothing(
    database: SqliteDatabase, me: Credential
) -> None:
    before = database.dump()
    assert undo(database, "m1", waiting=("m2",)) == {}
    assert database.dump() == before


@pytest.mark.parametrize("by", ["reserve", "find_earlier"])
def test_a_reported_batch_is_not_undone(database: SqliteDatabase, me: Credential, by: str) -> None:
    mixed(database, me)
    if by == "reserve":
        assert submitted(database, me, attempts([A], first=4), **KEY).earlier
    else:
        assert run(find_earlier(database, me, key="k", digest="d", now=NOW))
    before = database.dump()
    statuses = undo(database, "m1", waiting=("m2", "m3"))
    assert statuses == {"m1": "sending", "m2": "queued", "m3": "scheduled"}
    assert database.dump() == before


def test_an_invalid_credential_does_not_prevent_an_undo(
    database: SqliteDatabase, me: Credential
) -> None:
    mixed(database, me)
    given.rotated(database, me)
    before = database.dump()
    with pytest.raises(Unauthorized):
        submitted(database, me, attempts([A], first=4), **KEY)
    with pytest.raises(Unauthorized):
        run(find_earlier(database, me, key="k", digest="d", now=NOW))
    assert database.dump() == before


def test_a_batch_with_a_message_being_sent_is_not_undone(
    database: SqliteDatabase, me: Credential
) -> None:
    # If the batch were undone, its key would be free, and a repeated request would send m2 again.
    mixed(database, me)
    given.claimed(database, "m2")
    before = database.dump()
    statuses = undo(database, "m1", waiting=("m2", "m3"))
    assert statuses == {"m1": "sending", "m2": "sending", "m3": "scheduled"}
    assert database.dump() == before


@pytest.mark.parametrize("reported", [False, True])
def test_a_scheduled_message_is_undone_unless_it_was_reported(
    database: SqliteDatabase, me: Credential, reported: bool
) -> None:
    given.reserved(database, me, "m1", given.scheduled(NOW + DAY), **KEY)
    if reported:
        again = given.reserved(database, me, "m2", given.scheduled(NOW + DAY, "m2"), **KEY)
        assert again == SubmissionResult(
            id="m1", status="scheduled", reported_as="queued", replayed=True
        )
    statuses = undo(database, waiting=("m1",))
    assert statuses == {"m1": "scheduled" if reported else "cancelled"}
    assert balance(database) == (99 if reported else 100)
