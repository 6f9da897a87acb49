"""Every field of a message survives storage, every attempt, and the sendbox.

The tests iterate over the fields of the structs. If a new field is lost, a test fails and names it.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from accounts.credentials import Credential
from handlers.sendbox_views import detail
from mail.addresses import Address, parse_address
from mail.message import Attachment, Header, Mailbox, Message, MessageDetails, Recipient, Tag
from mail.submission import Attempt
from store.message_content import MAX_PART_BYTES
from store.record import StatusUpdate, record
from store.sendbox import view_message
from tests.unit import given
from tests.unit.given import LEASE, ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim

DUE = NOW + 30_000

# Every field of every struct has a value other than its default, and all values differ.
MESSAGE = Message(
    sender=parse_address(ME),
    sender_name="Mé",
    recipients=(
        Recipient("to", parse_address("to@example.org"), "Tó", field="to[0]"),
        Recipient("cc", parse_address("cc@example.org"), "Cé", field="cc[0]"),
        Recipient("bcc", parse_address("bcc@xn--bcher-kva.example"), "名", field="bcc[0]"),
    ),
    subject="Hé 😀",
    text="a text\x00 with a NUL",
    html="<p>" + "é" * MAX_PART_BYTES,
    reply_to=Mailbox(parse_address("answers@example.net"), "Answers"),
    headers=(Header("X-First", "first value"), Header("X-Second", "second value")),
    tags=(Tag("kind", "welcome"), Tag("campaign", "spring")),
    attachments=(
        given.file(bytes(range(256)) * 5000, "large.bin", content_id="logo"),
        given.file(b"", "empty.txt", content_id="nothing"),
        given.file(b"\x00\xff", "small.txt", content_id="other"),
    ),
    scheduled_at=DUE,
    adaptations=("Delivered-To left out", "a name shortened"),
    size=4_000_000,
)
# A message that is sent at once has no schedule.
AT_ONCE = replace(MESSAGE, scheduled_at=None)
FIELDS_AT_ONCE = [name for name in Message.__struct_fields__ if name != "scheduled_at"]


def structs(value: Any) -> Iterator[Any]:
    """``value`` and every struct and dataclass in it, including addresses."""
    if isinstance(value, tuple):
        for item in value:
            yield from structs(item)
    elif isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value):
        yield value
        for name in names(value):
            yield from structs(getattr(value, name))


def names(value: Any) -> list[str]:
    """The names of the fields of a struct or a dataclass."""
    if isinstance(value, msgspec.Struct):
        return list(value.__struct_fields__)
    return [field.name for field in dataclasses.fields(value)]


def defaults(value: Any) -> dict[str, Any]:
    """The default values, by field, of a struct or a dataclass. Required fields are left out."""
    of_struct = isinstance(value, msgspec.Struct)
    fields = msgspec.structs.fields(value) if of_struct else dataclasses.fields(value)
    missing = (msgspec.NODEFAULT, dataclasses.MISSING)
    return {field.name: field.default for field in fields if field.default not in missing}


def words(value: Any) -> Iterator[str]:
    """Every text and number in ``value`` except contents of files. An address is one text."""
    if isinstance(value, Address):
        yield str(value)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from words(item)
    elif isinstance(value, dict):
        yield from words([*value.keys(), *value.values()])
    elif isinstance(value, msgspec.Struct) or dataclasses.is_dataclass(value):
        for name in names(value):
            if not (isinstance(value, Attachment) and name == "content"):
                yield from words(getattr(value, name))
    else:
        yield str(value)


@pytest.fixture
def sender(database: SqliteDatabase) -> Credential:
    return given.address(database, balance=10)


def reserved_as_scheduled(database: SqliteDatabase, sender: Credential) -> None:
    attempt = given.attempt(MESSAGE, status="scheduled", due_at=MESSAGE.scheduled_at)
    given.reserved(database, sender, message=attempt)


def claimed(database: SqliteDatabase) -> Attempt:
    found = run(claim(database, "m1", claimant="w1", now=DUE, lease_until=DUE + LEASE))
    assert found is not None
    return found


def check_field(name: str, kept: Message, message: Message) -> None:
    assert getattr(kept, name) == getattr(message, name), f"the field {name} is lost"


@pytest.mark.parametrize("name", Message.__struct_fields__)
def test_a_scheduled_message_is_claimed_with_every_field(
    database: SqliteDatabase, sender: Credential, name: str
) -> None:
    reserved_as_scheduled(database, sender)
    check_field(name, claimed(database).message, MESSAGE)


def test_a_scheduled_message_is_claimed_as_it_was_submitted(
    database: SqliteDatabase, sender: Credential
) -> None:
    reserved_as_scheduled(database, sender)
    attempt = claimed(database)
    assert attempt.message == MESSAGE
    assert type(attempt.message) is Message
    contents = [file.content for file in attempt.message.attachments]
    assert contents == [file.content for file in MESSAGE.attachments]


def claimed_after_deferral(database: SqliteDatabase, sender: Credential) -> Attempt:
    given.reserved(database, sender, message=given.attempt(AT_ONCE))
    deferred = StatusUpdate(
        id="m1",
        event="deferred",
        attempt=1,
        now=NOW,
        next_attempt_at=DUE,
        provider_code="E_RATE_LIMIT_EXCEEDED",
        reason="throttled",
        reported_as="queued",
    )
    assert run(record(database, [deferred], queued=[("m1", AT_ONCE)])) == {"m1": "queued"}
    return claimed(database)


@pytest.mark.parametrize("name", FIELDS_AT_ONCE)
def test_a_deferred_message_is_claimed_with_every_field(
    database: SqliteDatabase, sender: Credential, name: str
) -> None:
    check_field(name, claimed_after_deferral(database, sender).message, AT_ONCE)


def test_a_deferred_message_is_claimed_as_it_was_submitted(
    database: SqliteDatabase, sender: Credential
) -> None:
    attempt = claimed_after_deferral(database, sender)
    assert (attempt.number, attempt.message) == (2, AT_ONCE)
    contents = [file.content for file in attempt.message.attachments]
    assert contents == [file.content for file in AT_ONCE.attachments]


@pytest.mark.parametrize("name", MessageDetails.__struct_fields__)
def test_the_sendbox_shows_every_detail(
    database: SqliteDatabase, sender: Credential, name: str
) -> None:
    reserved_as_scheduled(database, sender)
    shown = msgspec.to_builtins(detail(run(view_message(database, sender, "m1")), "en"))
    assert name in shown, f"the sendbox does not show the field {name}"
    missing = set(words(getattr(MESSAGE, name))) - set(words(shown[name]))
    assert missing == set(), f"the sendbox shows only a part of the field {name}"


# The tests above would not notice the loss of an empty field, or of a field equal to another.


def test_the_message_has_a_value_in_every_field() -> None:
    unset: dict[tuple[str, str], bool] = {}
    for struct in structs(MESSAGE):
        for name, default in defaults(struct).items():
            field = (type(struct).__name__, name)
            unset[field] = unset.get(field, True) and getattr(struct, name) == default
    assert ("Attachment", "content_id") in unset
    assert [field for field, is_unset in unset.items() if is_unset] == []


@pytest.mark.parametrize("name", MessageDetails.__struct_fields__)
def test_every_value_of_a_detail_occurs_only_there(name: str) -> None:
    others = [getattr(MESSAGE, other) for other in Message.__struct_fields__ if other != name]
    assert set(words(getattr(MESSAGE, name))).isdisjoint(words(others))
