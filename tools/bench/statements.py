"""The SQL of one send, taken from the store itself, for the bare worker to run.

`reserve` and `confirm` run here against a database that only writes down what it is asked. So the
bare worker always runs the statements that this worker runs, however they change.
"""

import asyncio
import re
from collections import defaultdict
from typing import Any

from accounts.credentials import Credential
from mail.address import parse_address
from mail.message import Message, Recipient
from store.confirm import Confirmation, confirm
from store.database import Row, Statement
from store.reserve import Entry, Reservation, reserve
from tools.bench import mails

# Stand for what the bare worker knows of each send, by these names.
_NOW, _LEASE_UNTIL = 1_111_111_111_111, 2_222_222_222_222
_ID, _PROVIDER_MESSAGE_ID = "the-id-of-the-message", "the-message-id-of-the-provider"
_FACTS = {
    _ID: "id",
    str(_NOW): "now",
    str(_LEASE_UNTIL): "lease_until",
    _PROVIDER_MESSAGE_ID: "provider_message_id",
}
_BALANCE = 1_000_000_000


def plan(credential: Credential, size: int, day: str) -> dict[str, list[Any]]:
    """The two batches that send a text of `size` bytes on `day` (YYYY-MM-DD, UTC).

    Each statement is `[sql, parameters]`, and a parameter says what the bare worker binds:
    `{"slice": [start, end]}` that part of the mail's text, `{"pieces": [...]}` these texts one
    after the other, `{"fact": name}` among them standing for that fact of this send, and
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
        credential=credential,
        default_balance=_BALANCE,
        now=_NOW,
        lease_until=_LEASE_UNTIL,
        day=day,
        request_id="the-id-of-the-request",
    )
    sent = Confirmation(
        id=_ID,
        news="sent",
        attempt=1,
        now=_NOW,
        provider_message_id=_PROVIDER_MESSAGE_ID,
        answer_status=200,
    )
    asyncio.run(reserve(reserving := _Recorder(), [Entry(_ID, message, size)], reservation))
    asyncio.run(confirm(confirming := _Recorder(), [sent]))
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
    if not isinstance(value, str):
        return {"value": value}
    # The text repeats itself, so every slice but the first is found as its end.
    start = 0 if text.startswith(value) else len(text) - len(value)
    if text[start : start + len(value)] == value:
        return {"slice": [start, start + len(value)]}
    pieces = re.split(f"({'|'.join(_FACTS)})", value)
    return {"pieces": [{"fact": _FACTS[it]} if it in _FACTS else it for it in pieces]}
