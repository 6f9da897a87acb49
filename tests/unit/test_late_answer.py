"""An answer of the provider that comes when its client was told that nobody knows."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from delivery import Dispatcher
from mail.message import Message
from store.claim import Claim
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase
from transport.outcome import Outcome, Refused, Sent, Unknown


class NoTransport:
    """Sends nothing: these tests begin when the call has been made."""

    async def send(self, message: Message) -> Outcome:
        raise AssertionError("nothing is sent here")


class NoAlarm:
    """Wakes nobody."""

    async def wake(self, alarms: list[tuple[str, int]]) -> None:
        raise AssertionError("nobody is woken here")


def not_outlived(work: Coroutine[Any, Any, Any]) -> Any:
    raise AssertionError("nothing outlives this")


async def late(outcome: Outcome) -> Outcome:
    return outcome


# The row may still be "sending", where D1 has not taken yet that it is unknown.
@pytest.mark.parametrize("status", ["sending", "unknown"])
@pytest.mark.parametrize(
    ("outcome", "expected", "balance"),
    [
        (Sent("<id@provider>"), "sent", 9),
        (Refused("E_DELIVERY_FAILED", temporary=False), "failed", 10),
        (Refused("E_RATE_LIMIT_EXCEEDED", temporary=True), "failed", 10),
        (Unknown(), None, 9),
    ],
)
@pytest.mark.parametrize("alarm", [None, NoAlarm()], ids=["no queue", "queue"])
def test_a_late_answer_ends_the_message_and_queues_nothing(
    status: str, outcome: Outcome, expected: str | None, balance: int, alarm: NoAlarm | None
) -> None:
    database = SqliteDatabase()
    credential = given.address(database, balance=10)
    given.reserved(database, credential, idempotency_key="k", request_digest="d")
    if status == "unknown":
        database.query(
            "UPDATE messages SET status = 'unknown', lease_until = NULL, finished_at = ?1", NOW
        )
    dispatcher = Dispatcher(
        database=database,
        transport=NoTransport(),
        alarm=alarm,
        outlive=not_outlived,
        retry_hours=72,
        default_balance=0,
        batch_inline=25,
        rate_limit=None,
        brake=None,
        note_rate=lambda state: None,
    )
    held = Claim("m1", 1, NOW, "r1", 2000)
    asyncio.run(dispatcher._record_late([(held, given.message(), late(outcome))]))
    (row,) = database.query("SELECT status, idempotency_key FROM messages")
    assert row == {"status": expected or status, "idempotency_key": "k"}
    assert database.value("SELECT balance FROM send_balances") == balance
