"""The SQL statements of a send and of a run of the cron, for the bare worker.

The application runs here against a stand-in for the database, which only collects the
statements. So the bare worker always runs the same statements as this project's worker.
"""

import asyncio
import contextlib
import io
import re
from collections import defaultdict
from typing import Any, cast

from accounts.credentials import Credential
from clock import now, utc_day
from mail.addresses import parse_address
from mail.message import Message, Recipient
from mail.submission import Attempt, Submission
from sending.jobs import run_cron
from services import Services
from store.database import Row, Statement
from store.record import StatusUpdate, record
from store.reserve import Terms, reserve
from subrequests import Subrequests
from tools.bench import mails
from transport.outcome import BINDING

# Placeholders for values that the bare worker knows only at each send.
_NOW, _LEASE_UNTIL = 1_111_111_111_111, 2_222_222_222_222
_ID, _PROVIDER_MESSAGE_ID = "the-id-of-the-message", "the-message-id-of-the-provider"
_FACTS = {
    _ID: "id",
    str(_NOW): "now",
    str(_LEASE_UNTIL): "lease_until",
    _PROVIDER_MESSAGE_ID: "provider_message_id",
}
_DAY = utc_day(_NOW)
_BALANCE = 1_000_000_000


def plan(credential: Credential, size: int, day: str) -> dict[str, list[Any]]:
    """The two batches that send a text of `size` bytes on `day` (YYYY-MM-DD, UTC).

    Each statement is `[sql, parameters]`. The bare worker binds each parameter by its form:

    - `{"value": ...}`: this value.
    - `{"slice": [start, end]}`: this part of the mail's text.
    - `{"pieces": [...]}`: the pieces joined. A piece is a text, or `{"fact": name}` for a value
      that differs for each send, for example `id` or `now`.
    """
    text = mails.content(size)
    message = Message(
        sender=parse_address(mails.SENDER),
        sender_name=mails.SENDER_NAME,
        recipients=(Recipient("to", parse_address(mails.RECIPIENT), mails.RECIPIENT_NAME),),
        subject=mails.SUBJECT,
        text=text,
        size=size,
    )
    submission = Submission(
        messages=(message,), credential=credential, request_id="the-id-of-the-request"
    )
    attempt = Attempt(
        id=_ID,
        message=message,
        tried_from=_NOW,
        request_id=submission.request_id,
        transport=BINDING,
    )
    terms = Terms(now=_NOW, lease_until=_LEASE_UNTIL, default_balance=_BALANCE)
    accepted = StatusUpdate(
        id=_ID,
        event="accepted",
        attempt=1,
        now=_NOW,
        provider_message_id=_PROVIDER_MESSAGE_ID,
        reported_as="sent",
    )
    asyncio.run(reserve(reserving := _Recorder(), submission, [attempt], terms))
    asyncio.run(record(recording := _Recorder(), [accepted]))
    return {
        "reserve": [_template(statement, text, day) for statement in reserving.statements],
        "record": [_template(statement, text, day) for statement in recording.statements],
    }


def cron_plan(variables: str) -> list[list[Any]]:
    """The batches of a run of the cron with nothing to do. Their statements are as in `plan`."""
    database, unused = _EmptyDatabase(), cast(Any, object())
    services = Services(
        variables=variables,
        database=database,
        transport=unused,
        event_queue=None,
        wakeup_queue=unused,
        webhook_queue=unused,
        rate_limiter=None,
        derive_key=unused,
        fetch=unused,
        subrequests=Subrequests(lambda: 50),
        memory=unused,
        waiting=unused,
        clock=now,
        make_transport=unused,
    )
    with contextlib.redirect_stdout(io.StringIO()):  # its lines of the log
        asyncio.run(run_cron(services))
    return [
        [[sql, [{"value": value} for value in parameters]] for sql, parameters in batch]
        for batch in database.batches
    ]


class _EmptyDatabase:
    """A database without rows. It collects the batches."""

    def __init__(self) -> None:
        self.round_trips = self.rows_written = 0
        self.size = None
        self.batches: list[list[Statement]] = []

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        self.batches.append(statements)
        return [[] for _ in statements]


class _Recorder:
    """A database that collects the statements, and returns rows that let the send continue."""

    def __init__(self) -> None:
        self.round_trips = self.rows_written = 0
        self.size = None
        self.statements: list[Statement] = []

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        if self.statements:
            raise AssertionError("a step of a send runs more than one batch")
        self.statements = statements
        return [[defaultdict(lambda: None, webhooks="[]")] for _ in statements]


def _template(statement: Statement, text: str, day: str) -> list[Any]:
    return [statement.sql, [_parameter(value, text, day) for value in statement.parameters]]


def _parameter(value: object, text: str, day: str) -> dict[str, Any]:
    if not isinstance(value, str):
        return {"value": value}
    # The text repeats one line. So a slice that is not its beginning equals a slice at its end.
    start = 0 if text.startswith(value) else len(text) - len(value)
    if text[start : start + len(value)] == value:
        return {"slice": [start, start + len(value)]}
    pieces = re.split(f"({'|'.join(_FACTS)})", value.replace(_DAY, day))
    return {"pieces": [{"fact": _FACTS[it]} if it in _FACTS else it for it in pieces]}
