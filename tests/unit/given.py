"""Initial data for tests of the store: ``given.address(database)``, ``given.message("a@b.c")``."""

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import store.reserve
from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.sending_limits import RateLimit
from mail.addresses import parse_address
from mail.delivery import DeliveryEvent, DeliveryKind
from mail.message import Attachment, Message, Recipient
from mail.submission import Attempt, Submission, SubmissionResult
from services import Clock, Services, Waiting, WakeupQueue
from store.database import Database
from store.own_credentials import change_password, rotate_credential
from store.record.deliveries import record_delivery_events
from store.reserve import Reserved, Terms
from subrequests import Subrequests
from tests.client.ports import UnlimitedMemory
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim
from transport.outcome import Transport

ME = "me@example.com"
YOU = "you@example.org"


def milliseconds(time: str) -> int:
    """The Unix milliseconds of a time in UTC, such as ``2026-11-03T12:00:00``."""
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() * 1000)


NOW = milliseconds("2026-11-03T12:00:00")
TODAY = "2026-11-03"
DAY = 86_400_000
LEASE = 90_000


def address(database: SqliteDatabase, name: str = ME, *, balance: int | None = None) -> Credential:
    """Create an address; return its credential. If ``balance`` is None it has no balance row."""
    database.insert("addresses", name=name, created_at=NOW, updated_at=NOW)
    (row,) = database.query("SELECT id FROM addresses WHERE name = ?", name)
    credential = Credential(name, row["id"], 0)
    if balance is not None:
        set_balance(database, credential, balance)
    return credential


OWNER = Actor(ME, "192.0.2.2")


def rotated(
    database: SqliteDatabase,
    credential: Credential,
    *,
    proof: str | None = None,
    most_a_day: int = 20,
    now: int = NOW,
) -> tuple[Credential, bool]:
    """Let the owner rotate ``credential``. Return the new one, and whether the password ended.

    ``proof`` is the stored form of the password that the owner has given, None without one.
    """
    return run(
        rotate_credential(
            database, credential, proof=proof, most_a_day=most_a_day, by=OWNER, now=now
        )
    )


def changed_password(
    database: SqliteDatabase,
    credential: Credential,
    password_hash: str,
    *,
    present: str | None = None,
    most_a_day: int = 20,
    now: int = NOW,
) -> None:
    """Let the owner change the password.

    ``present`` is the stored form of the password that the owner has given, None without one.
    """
    change = change_password(
        database,
        credential,
        password_hash,
        present=present,
        most_a_day=most_a_day,
        by=OWNER,
        now=now,
    )
    run(change)


def services(
    database: Database,
    *,
    transport: Transport | None,
    wakeup_queue: WakeupQueue | None,
    waiting: Waiting,
    clock: Clock,
    rate_limit: RateLimit | None = None,
    subrequests: int = 10_000,
    make_transport: Any = None,
    more: dict[str, object] | None = None,
) -> Services:
    """A deployment with default settings, but without pauses, and with many subrequests."""
    variables: dict[str, object] = {"PAUSE_FAILED_PERCENT": 0, "SUBREQUESTS": subrequests}
    variables |= more or {}
    if rate_limit:
        variables["SEND_RATE_LIMIT"] = f"{rate_limit.quota}/{rate_limit.seconds}s"
    return Services(
        variables=json.dumps(variables),
        database=database,
        transport=transport,
        wakeup_queue=wakeup_queue,
        event_queue=None,
        webhook_queue=None,
        rate_limiter=None,
        derive_key=_unused,
        fetch=_unused,
        subrequests=Subrequests(lambda: subrequests),
        memory=UnlimitedMemory(),
        waiting=waiting,
        clock=clock,
        make_transport=make_transport or _no_transport,
    )


def _no_transport(config: object, key: str) -> Any:
    raise AssertionError("the binding is the only transport")


async def _unused(*arguments: object, **named: object) -> Any:
    raise AssertionError("sending derives no keys and posts nothing")


def set_balance(
    database: SqliteDatabase, credential: Credential, balance: int, *, enabled: bool = True
) -> None:
    database.query(
        "INSERT OR REPLACE INTO send_balances (address_id, balance, enabled, created_at)"
        " VALUES (?, ?, ?, ?)",
        *(credential.address_id, balance, int(enabled), NOW),
    )


def listed(database: SqliteDatabase, name: str, value: str) -> None:
    database.insert("list_entries", list=name, value=value)


def suppressed(database: SqliteDatabase, recipient: str, **columns: object) -> None:
    row = {"scope": "", "reason": "manual", "since": NOW, **columns}
    database.insert("suppressions", address=recipient, **row)


def send_limits(database: SqliteDatabase, **config: Any) -> None:
    """Set ``sendMailLimitConfig`` to ``config``; omitted limits are disabled."""
    limits = {
        "dailyEnabled": False,
        "monthlyEnabled": False,
        "dailyLimit": None,
        "monthlyLimit": None,
        **config,
    }
    database.query(
        "INSERT OR REPLACE INTO settings (key, value) VALUES ('send_limits', ?)", json.dumps(limits)
    )


def sent_on(database: SqliteDatabase, day: str, recipients: int) -> None:
    database.insert("daily_recipients", day=day, recipients=recipients)


def message(*recipients: str, sender: str = ME, **fields: Any) -> Message:
    """A message to ``recipients``, by default to ``YOU``, and by default with a text."""
    if not {"text", "html"} & fields.keys():
        fields["text"] = "Hello"
    return Message(
        sender=parse_address(sender),
        sender_name=fields.pop("sender_name", None),
        recipients=tuple(Recipient("to", parse_address(to)) for to in recipients or (YOU,)),
        subject=fields.pop("subject", "Hello"),
        size=fields.pop("size", 2000),
        **fields,
    )


def file(content: bytes = b"hi", filename: str = "a.txt", **fields: Any) -> Attachment:
    """An attachment."""
    return Attachment(
        filename=filename,
        content_type="application/octet-stream",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        **fields,
    )


def attempt(message: Message, id: str = "m1", **fields: Any) -> Attempt:
    """The first attempt of a message; ``fields`` may be ``status`` and ``due_at``."""
    return Attempt(id=id, message=message, tried_from=NOW, request_id="r1", **fields)


def scheduled(time: int, id: str = "m1", *recipients: str, **fields: Any) -> Attempt:
    """A message that is scheduled for a time in Unix milliseconds."""
    mail = message(*recipients, scheduled_at=time, **fields)
    return attempt(mail, id, status="scheduled", due_at=time)


def reserve(
    database: Database,
    attempts: list[Attempt],
    credential: Credential,
    *,
    default_balance: int = 0,
    now: int = NOW,
    rate_limit: RateLimit | None = None,
    max_sandbox_recipients: int | None = None,
    request_id: str = "r1",
    **fields: Any,
) -> Reserved:
    """Reserve messages; ``fields`` are other fields of the ``Submission``."""
    submission = Submission(
        messages=tuple(one.message for one in attempts),
        credential=credential,
        request_id=request_id,
        **fields,
    )
    terms = Terms(
        now=now,
        lease_until=now + LEASE,
        default_balance=default_balance,
        rate_limit=rate_limit,
        max_sandbox_recipients=max_sandbox_recipients,
    )
    return run(store.reserve.reserve(database, submission, attempts, terms))


def reserved(
    database: SqliteDatabase,
    credential: Credential,
    id: str = "m1",
    message: Message | Attempt | None = None,
    **fields: Any,
) -> SubmissionResult | None:
    """Reserve one message, by default a plain one.

    Returns the result of an earlier request with the same key, or None.

    :raises ApiError: the message was rejected.
    """
    mail = message or _plain(credential)
    about = mail if isinstance(mail, Attempt) else attempt(mail, id)
    found = reserve(database, [about], credential, **fields)
    for error in found.errors:
        if error:
            raise error
    return found.earlier[0] if found.earlier else None


def claimed(database: SqliteDatabase, id: str = "m1", *, now: int = NOW) -> None:
    """Claim the message, which is due, for another worker."""
    found = run(claim(database, id, claimant=f"worker of {id}", now=now, lease_until=now + LEASE))
    assert found is not None


def delivery_event(
    database: SqliteDatabase, id: str, kind: DeliveryKind, recipient: str = YOU, **fields: Any
) -> None:
    """Let a delivery event of the sent message ``id`` arrive; ``fields`` are those of the event."""
    provider_id = f"<{id}@provider.test>"
    sql = "UPDATE messages SET provider_message_id = ? WHERE id = ?"
    database.query(sql, provider_id, id)
    one = event(kind, provider_id, recipient, **fields)
    run(record_delivery_events(database, [one], now=NOW))


def event(
    kind: DeliveryKind, provider_id: str, recipient: str = YOU, **fields: Any
) -> DeliveryEvent:
    """A delivery event of the message that has this id at the provider."""
    about = {"id": str(uuid.uuid4()), "sender": ME, "occurred_at": NOW, **fields}
    bare = provider_id.strip("<>")
    return DeliveryEvent(kind=kind, provider_ids=(f"<{bare}>", bare), recipient=recipient, **about)


def _plain(credential: Credential) -> Message:
    return message(sender=credential.address)


def message_id(time: int, number: int = 0) -> str:
    """A version 7 UUID of a time in Unix milliseconds. Ids sort by time, then by ``number``."""
    return f"{time >> 16:08x}-{time & 0xFFFF:04x}-7000-8000-{number:012x}"
