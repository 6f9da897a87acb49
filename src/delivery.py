"""One send: reserve in D1, call the provider once, confirm in D1.

Nothing reaches the provider before its row is written, and what is said at the end is no more
than what is known. A message whose provider call does not answer within 30 s is ``unknown``;
an answer that comes later still corrects it.
"""

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from accounts.credentials import Credential
from clock import now, utc_day
from mail.compose import check_size
from mail.message import Message
from refusals import ProviderFault, Refusal, Unavailable
from runtime.log import log
from sentences import en
from store.confirm import Ending, confirm
from store.database import Database, DatabaseUnavailable
from store.reserve import Reservation, reserve
from transport.outcome import Outcome, Refused, Sent, Transport, Unknown

PROVIDER_SECONDS = 30
# The provider's time, the confirm batch with its repetitions, and something to spare.
LEASE_SECONDS = 90
RETRY_SECONDS = 30
DATABASE_RETRY_SECONDS = 5

_FIRST_ATTEMPT = 1
_STATUS = {Sent: "sent", Refused: "failed", Unknown: "unknown"}


T = TypeVar("T")


class Outlive(Protocol):
    def __call__(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """Start ``work``, which goes on when the client has gone or has been answered."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that the provider took: this service's id and the provider's Message-ID."""

    id: str
    provider_message_id: str | None


async def deliver(
    message: Message,
    credential: Credential,
    *,
    database: Database,
    transport: Transport,
    default_balance: int,
    outlive: Outlive,
) -> Accepted:
    """Send ``message`` for the address of ``credential``.

    :param default_balance: what an address without a balance is granted.
    :param outlive: starts work that goes on when the client is gone.
    :raises Unauthorized, BadRequest: refused before the provider was called; nothing is kept.
    :raises ProviderFault: refused for good, or ``outcome_unknown``.
    :raises Unavailable: refused for now, with the charge given back; or the database is silent.
    """
    accepted_at = now()
    reservation = Reservation(
        id=str(uuid.uuid7()),
        credential=credential,
        default_balance=default_balance,
        size=check_size(message),
        now=accepted_at,
        lease_until=accepted_at + LEASE_SECONDS * 1000,
        day=utc_day(accepted_at),
    )
    try:
        await reserve(database, message, reservation)
    except DatabaseUnavailable as error:
        raise Unavailable("database_unavailable", retry_after=DATABASE_RETRY_SECONDS) from error

    call = outlive(transport.send(message))
    await asyncio.wait({call}, timeout=PROVIDER_SECONDS)
    if call.done():
        outcome = call.result()
        await _record(database, reservation.id, "sending", outcome)
    else:
        outcome = Unknown()
        await _record(database, reservation.id, "sending", outcome)
        outlive(_record_late(database, reservation.id, call))
    if isinstance(outcome, Sent):
        return Accepted(reservation.id, outcome.provider_message_id)
    raise _refusal(reservation.id, outcome)


async def _record_late(database: Database, message_id: str, call: asyncio.Future[Outcome]) -> None:
    outcome = await call
    if not isinstance(outcome, Unknown):
        await _record(database, message_id, "unknown", outcome)


async def _record(database: Database, message_id: str, expected: str, outcome: Outcome) -> None:
    ending = Ending(
        id=message_id,
        attempt=_FIRST_ATTEMPT,
        expected=expected,
        status=_STATUS[type(outcome)],
        now=now(),
        provider_message_id=outcome.provider_message_id if isinstance(outcome, Sent) else None,
        provider_code=None if isinstance(outcome, Sent) else outcome.provider_code,
    )
    try:
        await confirm(database, ending)
    except DatabaseUnavailable:
        # The client still hears what is known; the row stays open until its lease ends.
        log("confirm_failed", message_id=message_id, status=ending.status)


def _refusal(message_id: str, outcome: Refused | Unknown) -> Refusal:
    extra: dict[str, object] = {
        "id": message_id,
        "message_status": _STATUS[type(outcome)],
    }
    if isinstance(outcome, Unknown):
        return ProviderFault("outcome_unknown", extra=extra)
    code = outcome.provider_code
    known = code in en.SENTENCES
    if outcome.temporary:
        sentence = code if known else "provider_busy"
        return Unavailable(
            code,
            sentence=sentence,
            retry_after=RETRY_SECONDS,
            extra=extra,
            provider_code=code,
        )
    sentence = code if known else "provider_refused"
    return ProviderFault(code, sentence=sentence, extra=extra, provider_code=code)
