"""The limits of a reservation: each exact, for batches too, and only for what it limits."""

from collections.abc import Callable
from typing import Any

import pytest

import store.reserve
from accounts.credentials import Credential
from accounts.sending_limits import RateLimit
from mail.message import Message
from mail.submission import Submission
from tests.unit import given
from tests.unit.given import LEASE, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run

SANDBOX = "delivered@test.invalid"


def sandbox(size: int = 10) -> Message:
    """A message of ``size`` bytes to a sandbox recipient."""
    message = given.message(SANDBOX, size=size)
    assert message.is_sandbox
    return message


def submit(
    database: SqliteDatabase, me: Credential, *messages: Message, first: int = 1, **terms: Any
) -> list[str | None]:
    """Reserve a permissive batch. Return the code of the error of each message, or None."""
    submission = Submission(
        messages=messages, credential=me, request_id="r1", permissive=True, reports="acceptance"
    )
    limits = store.reserve.Terms(now=NOW, lease_until=NOW + LEASE, default_balance=0, **terms)
    attempts = [given.attempt(one, f"m{number}") for number, one in enumerate(messages, first)]
    found = run(store.reserve.reserve(database, submission, attempts, limits))
    return [error.code if error else None for error in found.errors]


def three_a_day(database: SqliteDatabase) -> dict[str, Any]:
    given.send_limits(database, dailyEnabled=True, dailyLimit=3)
    return {}


def three_a_month(database: SqliteDatabase) -> dict[str, Any]:
    given.send_limits(database, monthlyEnabled=True, monthlyLimit=3)
    return {}


def balance_of_three(database: SqliteDatabase) -> dict[str, Any]:
    database.query("UPDATE send_balances SET balance = 3")
    return {}


def rate_of_three(database: SqliteDatabase) -> dict[str, Any]:
    return {"rate_limit": RateLimit(quota=3, seconds=60)}


def three_recipients(database: SqliteDatabase) -> dict[str, Any]:
    return {"max_sandbox_recipients": 3}


def thirty_bytes(database: SqliteDatabase) -> dict[str, Any]:
    return {"max_sandbox_bytes": 30}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("limit", "message", "code"),
    [
        (three_a_day, given.message(), "daily_quota_reached"),
        (three_a_month, given.message(), "monthly_quota_reached"),
        (balance_of_three, given.message(), "no_balance"),
        (rate_of_three, given.message(), "rate_limit_exceeded"),
        (three_recipients, sandbox(), "too_many_sandbox_recipients"),
        (thirty_bytes, sandbox(), "too_many_sandbox_bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_limit_of_three_accepts_three(
    database: SqliteDatabase,
    me: Credential,
    limit: Callable[[SqliteDatabase], dict[str, Any]],
    message: Message,
    code: str,
    *,
    at_once: bool,
) -> None:
    terms = limit(database)
    if at_once:
        assert submit(database, me, *[message] * 5, **terms) == [None, None, None, code, code]
        return
    found = [submit(database, me, message, first=number, **terms) for number in range(5)]
    assert found == [[None], [None], [None], [code], [code]]


def test_a_limit_that_is_exceeded_already_concerns_only_what_it_limits(
    database: SqliteDatabase, me: Credential
) -> None:
    """A limit may be lowered below what was sent."""
    given.sent_on(database, TODAY, 9)
    for limits in (
        {"dailyEnabled": True, "dailyLimit": 5},
        {"monthlyEnabled": True, "monthlyLimit": 5},
    ):
        given.send_limits(database, **limits)
        assert submit(database, me, given.message()) != [None]
        before = database.copy()
        assert submit(before, me, sandbox()) == [None]
    given.send_limits(database)
    for act in ("sandbox_recipients", "sandbox_bytes"):
        subject = {"day": TODAY, "subject": str(me.address_id), "act": act}
        database.insert("daily_counts", **subject, count=9)
        limits = {f"max_{act}": 5}
        assert submit(database, me, sandbox(1), **limits) == [f"too_many_{act}"]
        assert submit(database.copy(), me, given.message(), **limits) == [None]


def test_the_limit_of_withdrawals_concerns_only_what_costs_balance(
    database: SqliteDatabase, me: Credential
) -> None:
    usage = {"day": TODAY, "address_id": me.address_id, "sent": 1, "failed": 3, "cancelled": 0}
    database.insert("usage_days", **usage, unknown=0)
    assert submit(database, me, sandbox(), first=1, max_withdrawals=2) == [None]
    assert submit(database, me, given.message(), first=2, max_withdrawals=3) == [None]
    assert submit(database, me, given.message(), first=3, max_withdrawals=2) == [
        "too_many_withdrawals"
    ]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (three_a_day, given.message()),
        (three_a_month, given.message()),
        (three_recipients, sandbox()),
        (thirty_bytes, sandbox()),
    ],
)
def test_the_limit_of_an_address_or_of_all(
    database: SqliteDatabase,
    me: Credential,
    limit: Callable[[SqliteDatabase], dict[str, Any]],
    message: Message,
) -> None:
    """The limits of the administrators count all addresses. Those of the sandbox count one."""
    other = given.address(database, "other@example.com", balance=9)
    terms = limit(database)
    assert submit(database, me, *[message] * 3, **terms) == [None] * 3
    found = submit(database, other, message, first=4, **terms)
    assert (found == [None]) == message.is_sandbox
