"""Pauses: an address is paused exactly when too many of its last messages failed."""

from typing import Any, get_args

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.sending_limits import PausePolicy
from errors import BadRequest, NotFound
from mail.delivery import DeliveryKind
from mail.lifecycle import Event
from store.due import due_messages
from store.pauses import lift_pause, pause_page
from store.record import StatusUpdate, record
from store.record.deliveries import record_delivery_events
from store.removal import clear_sendbox
from tests.unit import given
from tests.unit.given import NOW, message_id
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim, purge_sendboxes
from transport.outcome import Reason

POLICY = PausePolicy(percent=50, last=4)
BAD_RECIPIENT = {"recipient_rejected", "recipient_suppressed"}
FOUR_REJECTIONS: list[Event] = ["rejected"] * 4
SIX_REJECTIONS: list[Event] = ["rejected"] * 6


def finish_messages(
    database: SqliteDatabase,
    me: Credential,
    *events: Event,
    start: int = 0,
    pause_policy: PausePolicy | None = POLICY,
    recipient: str = given.YOU,
    reason: Reason | None = "recipient_rejected",
) -> None:
    """Reserve one message after the other, and record one of ``events`` for each."""
    for number, event in enumerate(events, start):
        id = message_id(NOW + number, number)
        mail = given.message(recipient, sender=me.address)
        given.reserved(database, me, id, mail)
        about = StatusUpdate(id=id, event=event, attempt=1, now=NOW + number, reason=reason)
        run(record(database, [about], pause_policy=pause_policy))


def lift(database: SqliteDatabase, address: Credential, *, now: int) -> None:
    by = Actor("admin#1", "192.0.2.1", is_administrator=True)
    run(lift_pause(database, address, by=by, now=now, most_withdrawals=0))


def paused(database: SqliteDatabase) -> list[str]:
    rows, count = run(pause_page(database, limit=100, offset=0))
    assert count == len(rows)
    return [row["address"] for row in rows]


@pytest.mark.parametrize("reason", sorted(BAD_RECIPIENT))
def test_every_reason_of_a_bad_recipient_counts(
    database: SqliteDatabase, me: Credential, reason: Reason
) -> None:
    for number in range(4):
        recipient = f"a{number}@example.org"  # a suppressed one would be rejected next time
        finish_messages(database, me, "rejected", start=number, recipient=recipient, reason=reason)
    assert paused(database) == [me.address]


@pytest.mark.contract("send checks: An address with too many failures is paused")
def test_an_address_is_paused_at_the_percentage(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, "accepted", "accepted", "rejected")
    assert paused(database) == []
    finish_messages(database, me, "rejected", start=3)
    assert paused(database) == [me.address]
    with pytest.raises(BadRequest) as caught:
        given.reserved(database, me, "m9")
    assert caught.value.code == "address_paused"


def test_too_few_messages_do_not_pause(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, "rejected", "rejected", "rejected")
    assert paused(database) == []


def test_only_the_last_messages_count(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, "rejected", "accepted", "accepted", "accepted", "rejected")
    assert paused(database) == []


@pytest.mark.parametrize(
    ("kind", "is_permanent", "counts"),
    [
        ("bounced", True, True),
        ("bounced", False, False),
        ("bounced", None, False),
        ("complained", None, True),
        ("delivered", None, False),
        ("failed", None, False),
    ],
)
def test_permanent_bounces_and_complaints_count(
    database: SqliteDatabase,
    me: Credential,
    kind: DeliveryKind,
    is_permanent: bool | None,
    counts: bool,
) -> None:
    finish_messages(database, me, "accepted", "accepted", "accepted")
    given.delivery_event(database, message_id(NOW), kind, is_permanent=is_permanent)
    finish_messages(database, me, "rejected", start=3, recipient="other@example.org")
    assert paused(database) == ([me.address] if counts else [])


def test_a_permanent_bounce_of_another_message_does_not_count(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "b@example.com", balance=10)
    finish_messages(database, other, "accepted", start=10)
    finish_messages(database, me, "accepted", "accepted", "accepted")
    given.delivery_event(database, message_id(NOW + 10, 10), "bounced", is_permanent=True)
    given.delivery_event(database, message_id(NOW), "bounced", is_permanent=False)
    finish_messages(database, me, "rejected", start=3, recipient="other@example.org")
    assert paused(database) == []


def test_only_a_bounce_that_is_permanent_itself_counts(
    database: SqliteDatabase, me: Credential
) -> None:
    finish_messages(database, me, "accepted", "accepted", "accepted")
    id = message_id(NOW)
    given.delivery_event(database, id, "bounced", is_permanent=False)
    given.delivery_event(database, id, "delayed", is_permanent=True)
    finish_messages(database, me, "rejected", start=3, recipient="other@example.org")
    assert paused(database) == []


def test_a_bounce_pauses_at_once(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, "accepted", "accepted", "rejected")
    finish_messages(database, me, "accepted", start=3, recipient="other@example.org")
    assert paused(database) == []
    id = message_id(NOW + 3, 3)
    given.delivery_event(database, id, "bounced", "other@example.org", is_permanent=True)
    assert paused(database) == []
    event = given.event("bounced", f"<{id}@provider.test>", "other@example.org", is_permanent=True)
    run(record_delivery_events(database, [event], now=NOW, pause_policy=POLICY))
    assert paused(database) == [me.address]


@pytest.mark.parametrize("reason", [*sorted({*get_args(Reason)} - BAD_RECIPIENT), None])
def test_other_failures_do_not_count(
    database: SqliteDatabase, me: Credential, reason: Reason | None
) -> None:
    finish_messages(database, me, *SIX_REJECTIONS, reason=reason)
    assert paused(database) == []


def test_waiting_and_cancelled_messages_do_not_count(
    database: SqliteDatabase, me: Credential
) -> None:
    finish_messages(database, me, "rejected", "cancelled", "rejected", "cancelled", "rejected")
    mail = given.scheduled(NOW + 9000, message_id(NOW + 8, 8))
    given.reserved(database, me, message_id(NOW + 8, 8), mail)
    finish_messages(database, me, "rejected", start=9)
    assert paused(database) == [me.address]


@pytest.mark.parametrize("times", [1, 3])
def test_deleting_messages_does_not_hide_failures(
    database: SqliteDatabase, me: Credential, times: int
) -> None:
    by = Actor(me.address, "192.0.2.1")
    for number in range(3):
        finish_messages(database, me, "rejected", start=number)
        if number < times:
            run(clear_sendbox(database, me, by=by, now=NOW + number))
    run(purge_sendboxes(database, now=NOW + 4))
    finish_messages(database, me, "rejected", start=5)
    assert paused(database) == [me.address]


def test_messages_of_other_addresses_do_not_wait(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com")
    database.insert("send_pauses", address_id=other.address_id, paused=1, since=NOW)
    given.reserved(database, me, "m1", given.scheduled(NOW))
    assert run(due_messages(database, now=NOW)) == [("m1", NOW)]
    assert run(claim(database, "m1", claimant="c", now=NOW, lease_until=NOW + 1))


def test_queued_messages_wait_until_the_pause_is_lifted(
    database: SqliteDatabase, me: Credential
) -> None:
    id = message_id(NOW + 8, 8)
    given.reserved(database, me, id, given.scheduled(NOW + 9000, id))
    finish_messages(database, me, *FOUR_REJECTIONS)
    later = NOW + 10_000
    assert run(due_messages(database, now=later)) == []
    asked: dict[str, Any] = {"claimant": "c", "now": later, "lease_until": later + 1}
    assert run(claim(database, id, **asked)) is None
    lift(database, me, now=later)
    assert run(due_messages(database, now=later)) == [(id, NOW + 9000)]
    assert run(claim(database, id, **asked))


def test_pauses_can_be_disabled(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, *SIX_REJECTIONS, pause_policy=None)
    assert paused(database) == []


def test_sandbox_messages_do_not_count(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, *SIX_REJECTIONS, recipient="suppressed@test.invalid")
    assert paused(database) == []


def test_other_addresses_are_not_paused(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com", balance=10)
    finish_messages(database, me, *FOUR_REJECTIONS)
    given.reserved(database, other, "m9", given.message(sender="other@example.com"))


def test_messages_of_other_addresses_do_not_count(database: SqliteDatabase) -> None:
    before, me, after = (
        given.address(database, f"{name}@example.com", balance=20) for name in ("a", "me", "z")
    )
    for start, other in ((0, before), (200, after)):
        finish_messages(database, other, *FOUR_REJECTIONS, start=start, pause_policy=None)
        bounced = f"{start}@example.org"
        finish_messages(database, other, "accepted", start=start + 10, recipient=bounced)
        id = message_id(NOW + start + 10, start + 10)
        given.delivery_event(database, id, "bounced", bounced, is_permanent=True)
    finish_messages(database, me, "accepted", "accepted", "accepted", "rejected", start=100)
    assert paused(database) == []


def test_a_lift_changes_no_pause_of_another_address(database: SqliteDatabase) -> None:
    me, other, third = (
        given.address(database, name, balance=10)
        for name in (given.ME, "b@example.com", "c@example.com")
    )
    for start, one in ((0, me), (10, other)):
        for number in range(start, start + 4):
            recipient = f"a{number}@example.org"
            finish_messages(database, one, "rejected", start=number, recipient=recipient)
    assert paused(database) == [other.address, me.address]
    with pytest.raises(NotFound):
        lift(database, third, now=NOW + 99)
    assert paused(database) == [other.address, me.address]
    lift(database, me, now=NOW + 99)
    assert paused(database) == [other.address]


def test_a_lifted_pause_of_another_address_changes_nothing(database: SqliteDatabase) -> None:
    before, me, after = (
        given.address(database, f"{name}@example.com", balance=20) for name in ("a", "me", "z")
    )
    for other in (before, after):
        database.insert("send_pauses", address_id=other.address_id, paused=0, since=NOW + given.DAY)
    finish_messages(database, me, *FOUR_REJECTIONS)
    assert paused(database) == [me.address]


def test_waiting_messages_with_a_bad_recipient_do_not_count(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(6):
        id = message_id(NOW + number, number)
        given.reserved(database, me, id)
        about = StatusUpdate(
            id=id,
            event="rejected" if number % 2 else "deferred",
            attempt=1,
            now=NOW,
            next_attempt_at=None if number % 2 else NOW,
            reason="recipient_rejected",
        )
        run(record(database, [about], pause_policy=POLICY))
    assert paused(database) == []


def test_the_last_messages_are_the_newest_even_if_they_were_deleted(
    database: SqliteDatabase, me: Credential
) -> None:
    finish_messages(database, me, *FOUR_REJECTIONS, pause_policy=None)
    by = Actor(me.address, "192.0.2.1")
    run(clear_sendbox(database, me, by=by, now=NOW + 4))
    run(purge_sendboxes(database, now=NOW + 4))
    finish_messages(database, me, "accepted", "accepted", "accepted", "rejected", start=10)
    assert paused(database) == []


def test_a_pause_begins_with_the_result_that_causes_it(
    database: SqliteDatabase, me: Credential
) -> None:
    ids = [message_id(NOW + number, number) for number in range(8)]
    for id in ids:
        given.reserved(database, me, id)

    def reject(now: int, *these: int) -> None:
        run(
            record(
                database,
                [
                    StatusUpdate(
                        id=ids[number],
                        event="rejected",
                        attempt=1,
                        now=now + number,
                        reason="recipient_rejected",
                    )
                    for number in these
                ],
                pause_policy=POLICY,
            )
        )

    reject(NOW, 0, 1, 2, 3)
    assert database.value("SELECT since FROM send_pauses") == NOW + 3
    reject(NOW + 100, 4, 5, 6, 7)  # late results
    assert database.value("SELECT since FROM send_pauses") == NOW + 3


def test_a_deleted_address_is_not_paused(database: SqliteDatabase, me: Credential) -> None:
    finish_messages(database, me, "rejected", "rejected", "rejected")
    id = message_id(NOW + 3, 3)
    given.reserved(database, me, id)
    database.query("DELETE FROM addresses")
    rejected = StatusUpdate(
        id=id, event="rejected", attempt=1, now=NOW, reason="recipient_rejected"
    )
    assert run(record(database, [rejected], pause_policy=POLICY)) == {id: "failed"}
    assert database.query("SELECT * FROM send_pauses") == []


@pytest.mark.contract(
    "DELETE /admin/pauses/{id}: Lifts a pause; only later messages count towards the next one"
)
def test_after_a_lifted_pause_only_new_messages_count(
    database: SqliteDatabase, me: Credential
) -> None:
    finish_messages(database, me, *FOUR_REJECTIONS)
    lift(database, me, now=NOW + 10)
    with pytest.raises(NotFound):
        lift(database, me, now=NOW + 11)
    (row,) = database.query("SELECT actor, action, object FROM audit")
    assert row == {"actor": "admin#1", "action": "pause.lifted", "object": me.address}
    finish_messages(database, me, "rejected", "rejected", "rejected", start=20)
    assert paused(database) == []
    finish_messages(database, me, "rejected", start=30)
    assert paused(database) == [me.address]


def test_pauses_are_listed_newest_first_in_pages(database: SqliteDatabase) -> None:
    names = [f"a{number}@example.com" for number in range(4)]
    for since, name in enumerate(names):
        about = given.address(database, name)
        database.insert("send_pauses", address_id=about.address_id, paused=1, since=since)
    database.query("UPDATE send_pauses SET paused = 0 WHERE since = 2")
    rows, count = run(pause_page(database, limit=2, offset=1))
    assert ([row["address"] for row in rows], count) == ([names[1], names[0]], 3)
    database.query("UPDATE send_pauses SET since = 1")  # later addresses first
    rows, _ = run(pause_page(database, limit=2, offset=1))
    assert [row["address"] for row in rows] == [names[1], names[0]]
