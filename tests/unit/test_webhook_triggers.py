"""The triggers that write the deliveries of webhooks."""

import json
import re
from typing import Any, get_args

import pytest

from accounts.credentials import Credential
from mail.delivery import DeliveryKind
from mail.lifecycle import Event
from mail.webhook_events import EVENTS
from store.listeners import DELIVERY_OUTCOMES, OUTCOMES
from store.record import StatusUpdate, record
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tools.prepare import ROOT


def listen(database: SqliteDatabase, address_id: int, *events: str, id: str = "w1") -> None:
    database.insert(
        "webhooks",
        **{"id": id, "address_id": address_id, "endpoint": "https://a.example/", "created_at": 0},
        events=json.dumps(events or EVENTS),
    )


def heard(database: SqliteDatabase) -> list[str]:
    rows = database.query("SELECT type FROM webhook_deliveries ORDER BY type")
    return [row["type"] for row in rows]


@pytest.mark.parametrize(
    ("event", "fields", "type"),
    [
        ("accepted", {"provider_message_id": "<1@p>"}, "email.sent"),
        ("rejected", {"reason": "quota_reached"}, "email.failed"),
        ("rejected", {"reason": "recipient_suppressed"}, "email.suppressed"),
        ("timed_out", {}, "email.unknown"),
        ("deferred", {"next_attempt_at": NOW + 1}, "email.queued"),
    ],
)
def test_an_outcome_is_written(
    database: SqliteDatabase, me: Credential, event: Event, fields: dict[str, Any], type: str
) -> None:
    listen(database, me.address_id, *(one for one in EVENTS if one.startswith("email.")))
    given.reserved(database, me)
    update = StatusUpdate(id="m1", event=event, attempt=1, now=NOW + 7, **fields)
    for _ in range(2):  # the response of the first one is lost
        run(record(database, [update]))
    (row,) = database.query("SELECT * FROM webhook_deliveries")
    assert (row["type"], row["created_at"], row["next_attempt_at"]) == (type, NOW + 7, NOW + 7)
    facts = json.loads(row["facts"])
    assert facts["occurred_at"] == NOW + 7
    assert facts["message_id"] == fields.get("provider_message_id")
    assert facts["reason"] == fields.get("reason")
    assert (facts["email_id"], facts["subject"]) == ("m1", "Hello")


def test_a_change_by_hand_is_written(database: SqliteDatabase, me: Credential) -> None:
    listen(database, me.address_id)
    given.reserved(database, me)
    database.query("UPDATE messages SET status = 'unknown', finished_at = 1, lease_until = NULL")
    assert heard(database) == ["email.unknown"]


@pytest.mark.parametrize("kind", get_args(DeliveryKind))
def test_a_delivery_event_is_written(
    database: SqliteDatabase, me: Credential, kind: DeliveryKind
) -> None:
    given.reserved(database, me)
    run(record(database, [StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW)]))
    listen(database, me.address_id, *(one for one in EVENTS if one.startswith("email.")))
    given.delivery_event(database, "m1", kind, is_permanent=True, reason="blocked")
    types = {"rejected": "email.failed", "delayed": "email.delivery_delayed"}
    assert heard(database) == [types.get(kind, f"email.{kind}")]
    facts = json.loads(database.value("SELECT facts FROM webhook_deliveries"))
    assert facts["recipients"] == [given.YOU]
    assert facts["delivery"]["is_permanent"] == 1


def test_a_rejection_of_a_suppressed_recipient_has_its_own_event(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me)
    run(record(database, [StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW)]))
    listen(database, me.address_id)
    given.delivery_event(database, "m1", "rejected", reason="suppressed")
    assert heard(database) == ["email.suppressed"]


def test_a_suppression_is_written_when_it_is_new_or_lasts_longer(
    database: SqliteDatabase, me: Credential
) -> None:
    given.reserved(database, me)
    run(record(database, [StatusUpdate(id="m1", event="accepted", attempt=1, now=NOW)]))
    listen(database, me.address_id, "suppression.added")
    given.delivery_event(database, "m1", "bounced")
    assert heard(database) == ["suppression.added"]
    given.delivery_event(database, "m1", "complained")
    assert heard(database) == ["suppression.added"] * 2
    given.delivery_event(database, "m1", "bounced", occurred_at=NOW - 5)
    assert heard(database) == ["suppression.added"] * 2
    # Administrators are reported by a statement of their own.
    given.suppressed(database, "other@example.net", origin="admin#1")
    assert heard(database) == ["suppression.added"] * 2


def test_each_pause_is_written_once(database: SqliteDatabase, me: Credential) -> None:
    listen(database, me.address_id, "address.paused")
    pause = (
        f"INSERT INTO send_pauses VALUES ({me.address_id}, 1, {NOW})"
        " ON CONFLICT (address_id) DO UPDATE SET paused = 1, since = excluded.since"
    )
    for _ in range(2):
        database.query(pause)
    (row,) = database.query("SELECT type, next_attempt_at AS at, facts FROM webhook_deliveries")
    assert (row["type"], row["at"]) == ("address.paused", NOW)
    assert json.loads(row["facts"]) == {"occurred_at": NOW, "address": me.address}
    database.query("UPDATE send_pauses SET paused = 0")
    assert heard(database) == ["address.paused"]
    database.query(pause)
    assert heard(database) == ["address.paused"] * 2


def steps(database: SqliteDatabase, *sql: str) -> int:
    """The number of steps of SQLite's virtual machine."""
    counted = [0]

    def count() -> None:
        counted[0] += 1

    with database.watched(count):
        for one in sql:
            database.query(one)
    return counted[0]


def test_the_webhooks_of_others_cost_nothing(database: SqliteDatabase, me: Credential) -> None:
    given.reserved(database, me)
    change = "UPDATE messages SET status = 'sent', finished_at = 1, lease_until = NULL"
    back = f"UPDATE messages SET status = 'sending', finished_at = NULL, lease_until = {NOW}"
    before = steps(database, change)
    database.query(back)
    for number in range(500):
        listen(database, 1000 + number, id=f"w{number}")
    assert steps(database, change) == before
    assert heard(database) == []


def test_the_events_that_wake_webhooks_exist() -> None:
    assert {*OUTCOMES, *DELIVERY_OUTCOMES} <= {*EVENTS}


def test_webhooks_are_imported_after_all_that_they_would_hear_of() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (command,) = re.findall(r"d1 export .*?--table ((?:\w+|\s|\\)+)", operations)
    assert command.split()[-1] == "webhooks"
