"""Claim: one worker gets a due message, with everything for the attempt."""

from typing import Any

import pytest

from accounts.credentials import Credential
from mail.addresses import Address
from mail.lifecycle import TRANSITIONS, Event, Status
from mail.message import Message, Recipient
from mail.submission import Attempt
from store.claim import claim as claim_several
from store.database import Row, Statement
from store.message_content import MAX_PART_BYTES
from store.record import StatusUpdate, record
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim

DUE = NOW + 30_000
LARGE = Message(
    sender=Address("Me", "example.com"),
    sender_name="Mé",
    recipients=(
        Recipient("to", Address("You", "example.org"), "You"),
        Recipient("cc", Address("o'neil", "example.org")),
        Recipient("bcc", Address("a", "xn--bcher-kva.example"), "名"),
    ),
    subject="Hé 😀",
    text="名" * (MAX_PART_BYTES // 2),
    html="<p>" + "é" * MAX_PART_BYTES,
    size=5_000_000,
)


@pytest.fixture(autouse=True)
def sending(database: SqliteDatabase) -> Credential:
    """The message m1 is being sent in attempt 1."""
    credential = given.address(database, balance=10)
    given.reserved(database, credential, message=LARGE)
    return credential


def record_event(
    database: SqliteDatabase, event: Event, *, attempt: int = 1, id: str = "m1"
) -> None:
    about = StatusUpdate(id=id, event=event, attempt=attempt, now=NOW, next_attempt_at=DUE)
    run(record(database, [about]))


def claimed(
    database: SqliteDatabase, *, id: str = "m1", claimant: str = "w1", now: int = DUE
) -> Attempt | None:
    return run(claim(database, id, claimant=claimant, now=now, lease_until=now + LEASE))


def message(database: SqliteDatabase, id: str = "m1") -> Row:
    (row,) = database.query("SELECT * FROM messages WHERE id = ?", id)
    return row


def put(database: SqliteDatabase, status: str) -> None:
    """Give the message this status, and set the other columns to match it."""
    waits = status in ("queued", "scheduled")
    columns = {
        "lease_until": NOW + LEASE if status == "sending" else None,
        "next_attempt_at": DUE if waits else None,
        "finished_at": None if waits or status == "sending" else NOW,
    }
    database.query(
        "UPDATE messages SET status = ?, lease_until = ?, next_attempt_at = ?, finished_at = ?",
        *(status, *columns.values()),
    )


def test_a_due_message_is_claimed_for_its_next_attempt(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    assert claimed(database) == Attempt(
        id="m1", number=2, tried_from=NOW, request_id="r1", message=LARGE
    )
    row = message(database)
    assert (row["status"], row["attempt"], row["claimed_by"]) == ("sending", 2, "w1")
    assert (row["lease_until"], row["next_attempt_at"]) == (DUE + LEASE, None)
    assert row["accepted_at"] == NOW


def test_the_claimed_message_equals_the_submitted_one(
    database: SqliteDatabase, sending: Credential
) -> None:
    small = given.message("b@example.org", text="Hello")
    given.reserved(database, sending, "m2", small)
    record_event(database, "deferred", id="m2")
    found = claimed(database, id="m2")
    assert found is not None
    assert found.message == small


def test_a_message_is_not_claimed_before_its_time(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    before = database.dump()
    assert claimed(database, now=DUE - 1) is None
    assert database.dump() == before
    assert claimed(database, now=DUE) is not None


@pytest.mark.parametrize("status", ["sending", "sent", "failed", "unknown", "cancelled"])
def test_a_message_that_does_not_wait_is_not_claimed(
    database: SqliteDatabase, status: Status
) -> None:
    assert (status, "claimed") not in TRANSITIONS
    put(database, status)
    before = database.dump()
    assert claimed(database, now=NOW + 100 * DAY) is None
    assert database.dump() == before


@pytest.mark.parametrize("status", ["queued", "scheduled"])
def test_a_waiting_message_is_claimed(database: SqliteDatabase, status: Status) -> None:
    assert (status, "claimed") in TRANSITIONS
    put(database, status)
    assert claimed(database) is not None


def test_an_unknown_id_is_not_claimed(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    before = database.dump()
    for id in ("m0", "M1", "", "m1 ", "%"):
        assert claimed(database, id=id) is None
    assert database.dump() == before


def test_only_one_of_two_claimants_gets_the_message(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    assert claimed(database, claimant="w1") is not None
    after = database.dump()
    assert claimed(database, claimant="w2") is None
    assert claimed(database, claimant="w2", now=DUE + 10 * LEASE) is None
    assert database.dump() == after


def test_a_claim_reads_the_content_of_its_own_messages_only(
    database: SqliteDatabase, sending: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = given.scheduled(DUE + DAY, "m2", attachments=(given.file(),))
    given.reserved(database, sending, "m2", other)
    record_event(database, "deferred")
    found: list[list[Row]] = []
    batch = database.batch

    async def noted(statements: list[Statement], *, repeatable: bool = False) -> list[list[Row]]:
        found[:] = await batch(statements, repeatable=repeatable)
        return found

    monkeypatch.setattr(database, "batch", noted)
    assert claimed(database) is not None
    _, _, *contents = found
    assert {row["message_id"] for rows in contents for row in rows} == {"m1"}
    assert claimed(database, claimant="w2") is None
    assert [len(rows) for rows in found] == [0] * 5


def test_a_claimant_finds_its_own_claim_again(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    first = claimed(database)
    after = database.dump()
    assert claimed(database) == first
    assert database.dump() == after


def test_the_attempt_that_reserve_began_has_no_claimant(database: SqliteDatabase) -> None:
    assert message(database)["claimed_by"] is None
    assert claimed(database, claimant="") is None


def test_the_attempt_grows_with_each_claim(database: SqliteDatabase) -> None:
    for attempt in range(1, 6):
        record_event(database, "deferred", attempt=attempt)
        found = claimed(database, claimant=f"w{attempt}")
        assert found is not None
        assert found.number == message(database)["attempt"] == attempt + 1


def test_an_ended_claim_is_not_found_again(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    claimed(database)
    record_event(database, "deferred", attempt=2)
    assert claimed(database, now=DUE - 1) is None
    record_event(database, "timed_out", attempt=2)
    assert message(database)["status"] == "queued"


def test_a_claim_changes_no_balance_and_adds_no_event(database: SqliteDatabase) -> None:
    record_event(database, "deferred")
    before = database.dump()
    claimed(database)
    after = database.dump()
    assert {name for name in before if before[name] != after[name]} == {"messages"}


def test_a_stored_message_without_some_fields_is_read(
    database: SqliteDatabase, sending: Credential
) -> None:
    mail = given.message("a@example.org", subject="x", html="<p>", sender_name=None)
    given.reserved(database, sending, "m2", mail)
    record_event(database, "deferred", id="m2")
    found = claimed(database, id="m2")
    assert found is not None
    assert (found.message.text, found.message.html, found.message.sender_name) == (
        None,
        "<p>",
        None,
    )
    assert found.message == mail


# Several messages


def claim_all(
    database: SqliteDatabase,
    ids: list[str],
    *,
    claimant: str = "w1",
    now: int = DUE,
    max_messages: int = 100,
    max_bytes: int = 10**9,
    max_first: int = 0,
) -> tuple[list[str], list[str]]:
    """The ids of the claimed messages, and of the due messages that were not claimed."""
    attempts, left = run(
        claim_several(
            *(database, ids),
            claimant=claimant,
            now=now,
            lease_until=now + LEASE,
            max_messages=max_messages,
            max_bytes=max_bytes,
            max_first=max_first,
        )
    )
    return [one.id for one in attempts], left


@pytest.fixture
def five(database: SqliteDatabase, sending: Credential) -> list[str]:
    """Five due messages of 2000 bytes."""
    ids = [f"n{number}" for number in range(5)]
    for id in ids:
        mail = given.message(f"{id}@example.org", text=f"text of {id}")
        given.reserved(database, sending, id, mail)
        record_event(database, "deferred", id=id)
    return ids


def test_messages_are_claimed_together_each_with_its_own_content(
    database: SqliteDatabase, five: list[str]
) -> None:
    record_event(database, "deferred")
    found, left = run(
        claim_several(
            database,
            ["n3", "m1", "n0"],
            claimant="w1",
            now=DUE,
            lease_until=DUE + LEASE,
            max_messages=9,
            max_bytes=10**9,
            max_first=0,
        )
    )
    assert left == []
    assert [one.id for one in found] == ["n3", "m1", "n0"]
    assert found[1].message == LARGE
    for one in (found[0], found[2]):
        assert one.message == given.message(f"{one.id}@example.org", text=f"text of {one.id}")
        assert (one.number, message(database, one.id)["claimed_by"]) == (2, "w1")


def test_at_most_max_messages_are_claimed(database: SqliteDatabase, five: list[str]) -> None:
    assert claim_all(database, five[::-1], max_messages=2) == (["n4", "n3"], ["n2", "n1", "n0"])
    assert claim_all(database, five, claimant="w2", max_messages=2) == (["n0", "n1"], ["n2"])


@pytest.mark.parametrize(
    ("max_bytes", "count"), [(1999, 0), (3999, 1), (4000, 2), (5999, 2), (6000, 3), (10_000, 5)]
)
def test_at_most_max_bytes_are_claimed(
    database: SqliteDatabase, five: list[str], max_bytes: int, count: int
) -> None:
    assert claim_all(database, five, max_bytes=max_bytes) == (five[:count], five[count:])


@pytest.mark.parametrize(("max_first", "count"), [(1999, 0), (2000, 1), (9000, 1)])
def test_the_first_message_may_be_larger(
    database: SqliteDatabase, five: list[str], max_first: int, count: int
) -> None:
    found = claim_all(database, five, max_bytes=1, max_first=max_first)
    assert found == (five[:count], five[count:])


def test_a_large_message_waits_for_the_next_claim(
    database: SqliteDatabase, five: list[str]
) -> None:
    database.query("UPDATE messages SET size = 5000 WHERE id = 'n1'")
    assert claim_all(database, five, max_bytes=4000) == (["n0"], five[1:])
    assert claim_all(database, five[1:], max_bytes=4000) == ([], five[1:])
    larger = claim_all(database, five[1:], max_bytes=4000, max_first=5000)
    assert larger == (["n1"], five[2:])
    assert claim_all(database, five[2:], max_bytes=4000) == (["n2", "n3"], ["n4"])


def test_messages_that_cannot_be_claimed_are_in_neither_list(
    database: SqliteDatabase, five: list[str]
) -> None:
    claimed(database, id="n0", claimant="w2")
    database.query("UPDATE messages SET next_attempt_at = ? WHERE id = 'n1'", DUE + 1)
    database.query("UPDATE addresses SET sendbox = 1")
    assert claim_all(database, five) == ([], [])
    database.query("UPDATE addresses SET sendbox = 0")
    assert claim_all(database, ["none", *five], max_messages=1) == (["n2"], ["n3", "n4"])


def test_a_repeated_claim_finds_its_own_first(database: SqliteDatabase, five: list[str]) -> None:
    record_event(database, "timed_out", id="n0")
    database.query("UPDATE messages SET next_attempt_at = ? WHERE id = 'n0'", DUE + 1)
    limits: dict[str, Any] = {"max_messages": 2, "max_bytes": 4000}
    assert claim_all(database, five, **limits) == (["n1", "n2"], ["n3", "n4"])
    # Meanwhile n0 has become due. It does not replace a message that is already claimed.
    database.query("UPDATE messages SET next_attempt_at = ? WHERE id = 'n0'", DUE)
    after = database.dump()
    assert claim_all(database, five, **limits) == (["n1", "n2"], ["n0", "n3", "n4"])
    assert database.dump() == after
