"""Responses of the provider that arrive after "unknown" was reported."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mail.message import Message
from sending.dispatcher import Dispatcher
from tests.client.waiting import AsyncioWaiting
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase
from transport.outcome import Outcome, Rejected, Sent, Unknown


class NoTransport:
    """Sends nothing, because these tests begin after the call."""

    async def send(self, message: Message) -> Outcome:
        raise AssertionError("nothing is sent here")


class NoQueue:
    """Fails if a message is enqueued."""

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        raise AssertionError("nothing is enqueued here")


def nothing_in_background(work: Coroutine[Any, Any, Any]) -> Any:
    raise AssertionError("nothing runs in the background here")


async def late(outcome: Outcome) -> Outcome:
    return outcome


# The row is still "sending" if the outcome "unknown" could not be recorded yet.
@pytest.mark.parametrize("status", ["sending", "unknown"])
@pytest.mark.parametrize(
    ("outcome", "expected", "balance"),
    [
        (Sent("<id@provider>"), "sent", 9),
        (Rejected("recipient_rejected", "E_DELIVERY_FAILED"), "failed", 10),
        (Rejected("throttled", "E_RATE_LIMIT_EXCEEDED", transient=True), "failed", 10),
        (Unknown(), None, 9),
    ],
)
@pytest.mark.parametrize("wakeup_queue", [None, NoQueue()], ids=["no queue", "queue"])
def test_a_late_response_ends_the_message_and_queues_nothing(
    status: str, outcome: Outcome, expected: str | None, balance: int, wakeup_queue: NoQueue | None
) -> None:
    database = SqliteDatabase()
    credential = given.address(database, balance=10)
    given.reserved(database, credential, idempotency_key="k", request_digest="d")
    if status == "unknown":
        database.query(
            "UPDATE messages SET status = 'unknown', lease_until = NULL, finished_at = ?1", NOW
        )
    services = given.services(
        database,
        transport=NoTransport(),
        wakeup_queue=wakeup_queue,
        waiting=AsyncioWaiting(nothing_in_background),
        clock=lambda: NOW,
    )
    dispatcher = Dispatcher(services)
    attempt = given.attempt(given.message())
    asyncio.run(dispatcher._record_late([(attempt, late(outcome))]))
    (row,) = database.query("SELECT status, idempotency_key FROM messages")
    assert row == {"status": expected or status, "idempotency_key": "k"}
    assert database.value("SELECT balance FROM send_balances") == balance
