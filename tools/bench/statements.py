"""The SQL of one send, taken from the store itself, for the bare worker to run.

`reserve` and `confirm` run here against a database that only writes down what it is asked. So the
bare worker always runs the statements that this worker runs, however they change.
"""

import asyncio
import json
from collections import defaultdict
from typing import Any

from accounts.credentials import Credential
from mail.address import parse_address
from mail.message import Message, Recipient
from store.confirm import Confirmation, confirm
from store.database import Row, Statement
from store.reserve import Reservation, reserve
from tools.bench import mails

_ID = "the-id-of-the-message"
_BALANCE = 1_000_000_000


def plan(credential: Credential, size: int, day: str) -> dict[str, list[Any]]:
    """The two batches that send a text of `size` bytes on `day` (YYYY-MM-DD, UTC).

    Each statement is `[sql, parameters]`, and a parameter says what the bare worker binds:
    `{"id": true}` the message's id, `{"slice": [start, end]}` that part of the text,
    `{"json": {...}}` the object as JSON with the id and the times of this send in it, and
    `{"value": ...}` the value itself.
    """
    text = mails.content(size)
    message = Message(
        sender=parse_address(mails.SENDER),
        sender_name=mails.SENDER_NAME,
        recipients=(Recipient("to", parse_address(mails.RECIPIENT), mails.RECIPIENT_NAME),),
        subject=mails.SUBJECT,
        text=text,
    )
    reservation = Reservation(
        id=_ID,
        credential=credential,
        default_balance=_BALANCE,
        size=size,
        now=0,
        lease_until=0,
        day=day,
        request_id="the-id-of-the-request",
    )
    # The bare worker fills in the time and the Message-ID.
    confirmation = Confirmation(id=_ID, attempt=1, now=0, answer_status=200)
    asyncio.run(reserve(reserving := _Recorder(), message, reservation))
    asyncio.run(confirm(confirming := _Recorder(), "sent", confirmation))
    return {
        "reserve": [_template(statement, text) for statement in reserving.statements],
        "confirm": [_template(statement, text) for statement in confirming.statements],
    }


class _Recorder:
    """A database that keeps what it is asked and reports nothing that speaks against a send."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        if self.statements:
            raise AssertionError("a step of a send makes more than one batch")
        self.statements = statements
        return [[defaultdict(lambda: None)] for _ in statements]


def _template(statement: Statement, text: str) -> list[Any]:
    return [statement.sql, [_parameter(value, text) for value in statement.parameters]]


def _parameter(value: object, text: str) -> dict[str, Any]:
    if value == _ID:
        return {"id": True}
    if isinstance(value, str) and value.startswith("{"):
        return {"json": json.loads(value)}
    if isinstance(value, str) and len(value) > len("html") and value in text:
        # The text repeats itself, so every slice but the first is found as its end.
        start = 0 if text.startswith(value) else len(text) - len(value)
        if text[start : start + len(value)] == value:
            return {"slice": [start, start + len(value)]}
    return {"value": value}
