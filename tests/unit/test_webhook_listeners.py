"""Which webhooks hear of a change: enabled ones of the owner and of administrators, for its event.

In each test, every kind of other webhook is there too.
"""

import json
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from mail.suppressions import Suppression
from store.claim import claim
from store.record import StatusUpdate, record
from store.record.deliveries import record_delivery_events, settle
from store.suppressions import add_suppression, remove_suppression
from tests.unit import given
from tests.unit.given import DAY, LEASE, NOW
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

ADMIN = Actor("admin#1", "192.0.2.3", is_administrator=True)
SENT = StatusUpdate(
    id="m1", event="accepted", attempt=1, now=NOW, provider_message_id="<m1@provider.test>"
)


@pytest.fixture
def other(database: SqliteDatabase, me: Credential) -> Credential:
    return given.address(database, "other@example.com", balance=100)


def crowd(database: SqliteDatabase, me: Credential, other: Credential, event: str) -> None:
    """Let all kinds of webhooks listen to ``event``, and some listen to other events."""
    owners = {"mine": me.address_id, "other's": other.address_id, "administrators'": 0}
    rows: dict[str, tuple[int, list[str], str | None]] = {}
    for name, owner in owners.items():
        rows[name] = owner, [event], None
        rows[f"{name}, of other events"] = owner, ["email.cancelled"], None
        rows[f"{name}, of no events"] = owner, [], None
        for reason in ("owner", "gone", "failing", "removed"):
            rows[f"{name}, {reason}"] = owner, [event], reason
    for id_, (owner, events, disabled_by) in rows.items():
        database.insert(
            "webhooks",
            **{"id": id_, "address_id": owner, "endpoint": "https://a.example/", "created_at": 0},
            **{"events": json.dumps(events), "disabled_by": disabled_by},
        )


def heard(database: SqliteDatabase, event: str) -> list[str]:
    """The webhooks with a delivery of ``event``."""
    rows = database.query("SELECT webhook_id FROM webhook_deliveries WHERE type = ?", event)
    return sorted(row["webhook_id"] for row in rows)


MINE = ["administrators'", "mine"]


@pytest.mark.parametrize(
    "event", ["email.scheduled", "email.queued", "email.sent", "email.failed", "suppression.added"]
)
def test_a_reservation_names_those_that_hear_of_the_outcomes(
    database: SqliteDatabase, me: Credential, other: Credential, event: str
) -> None:
    crowd(database, me, other, event)
    assert sorted(given.reserve(database, [given.attempt(given.message())], me).webhooks) == MINE
    theirs = given.attempt(given.message(sender=other.address), "m2")
    found = given.reserve(database, [theirs], other)
    assert sorted(found.webhooks) == ["administrators'", "other's"]


def test_a_claim_names_those_that_hear_of_the_outcomes(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    for id_, owner in (("m1", me), ("m2", other)):
        message = given.message(sender=owner.address)
        waiting = given.attempt(message, id_, status="queued", due_at=NOW)
        given.reserve(database, [waiting], owner)
    crowd(database, me, other, "email.sent")
    limits: dict[str, Any] = {"max_messages": 9, "max_bytes": 10**6, "max_first": 0}
    ids = ["m1", "m2"]
    attempts, _ = run(
        claim(database, ids, claimant="c", now=NOW, lease_until=NOW + LEASE, **limits)
    )
    found = {one.id: sorted(one.webhooks) for one in attempts}
    assert found == {"m1": MINE, "m2": ["administrators'", "other's"]}


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("event", ["email.bounced", "suppression.added"])
def test_a_delivery_event_names_those_that_hear_of_it(
    database: SqliteDatabase, me: Credential, other: Credential, event: str, *, settles: bool
) -> None:
    given.reserved(database, me)
    crowd(database, me, other, event)
    events = [given.event("bounced", "m1@provider.test", is_permanent=True)]
    if settles:
        _, webhooks = run(settle(database, events, [SENT], now=NOW))
    else:
        run(record(database, [SENT]))
        *_, webhooks = run(record_delivery_events(database, events, now=NOW))
    assert heard(database, event) == MINE
    # If the response was lost, the second run inserts no events, and the cron finds the webhooks.
    assert sorted(webhooks) == ([] if isinstance(database, ForgetfulDatabase) else MINE)


# The deliveries that triggers write


def insert(database: SqliteDatabase, me: Credential, **fields: Any) -> None:
    given.reserve(database, [given.attempt(given.message(), **fields)], me)


def paused(database: SqliteDatabase, me: Credential) -> None:
    database.insert("send_pauses", address_id=me.address_id, paused=1, since=NOW)


def test_a_message_that_waits(database: SqliteDatabase, me: Credential, other: Credential) -> None:
    crowd(database, me, other, "email.queued")
    insert(database, me, status="queued", due_at=NOW)
    assert heard(database, "email.queued") == MINE


def test_a_message_that_changes(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    crowd(database, me, other, "email.sent")
    insert(database, me)
    run(record(database, [SENT]))
    assert heard(database, "email.sent") == MINE


def test_a_suppression_that_becomes_longer(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    given.reserved(database, me)
    run(record(database, [SENT]))
    given.delivery_event(database, "m1", "bounced", is_permanent=True)
    crowd(database, me, other, "suppression.added")
    given.delivery_event(database, "m1", "complained", occurred_at=NOW + DAY)
    assert heard(database, "suppression.added") == MINE


def test_a_pause(database: SqliteDatabase, me: Credential, other: Credential) -> None:
    crowd(database, me, other, "address.paused")
    paused(database, me)
    assert heard(database, "address.paused") == MINE


def test_a_further_pause(database: SqliteDatabase, me: Credential, other: Credential) -> None:
    paused(database, me)
    database.query("UPDATE send_pauses SET paused = 0")
    crowd(database, me, other, "address.paused")
    database.query("UPDATE send_pauses SET paused = 1")
    assert heard(database, "address.paused") == MINE


def test_only_administrators_hear_of_what_they_do(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    crowd(database, me, other, "suppression.added")
    one = Suppression(address=given.YOU)
    run(add_suppression(database, one, by=ADMIN, now=NOW))
    assert heard(database, "suppression.added") == ["administrators'"]
    database.query("""UPDATE webhooks SET events = replace(events, 'added', 'removed')""")
    run(remove_suppression(database, given.YOU, None, by=ADMIN, now=NOW))
    assert heard(database, "suppression.removed") == ["administrators'"]
    assert heard(database, "suppression.added") == ["administrators'"]
