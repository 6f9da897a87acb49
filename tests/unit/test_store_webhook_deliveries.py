"""The log of deliveries, replays and the steps that clean up: each beside other webhooks.

The ids of deliveries are unique per webhook only, so other webhooks have deliveries with the same
ids here.
"""

import json
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import Conflict, NotFound, Unauthorized
from store.database import Row
from store.webhook_claims import (
    LEASE_MILLISECONDS,
    claim_deliveries,
    due_webhooks,
    finish_deliveries,
)
from store.webhook_log import delivery_page, find_delivery, replay_delivery
from store.webhook_removal import webhook_steps
from tests.unit import given
from tests.unit.given import DAY, NOW
from tests.unit.sqlite_database import SqliteDatabase, run

BY = Actor("somebody", "192.0.2.2")
OWNERS = {"w1": 1, "w2": 2, "w3": 0}


@pytest.fixture
def other(database: SqliteDatabase, me: Credential) -> Credential:
    """The address with the second webhook. The third one is the administrators'."""
    credential = given.address(database, "other@example.com")
    assert (me.address_id, credential.address_id) == (1, 2)
    for id_, owner in OWNERS.items():
        database.insert(
            "webhooks",
            **{"id": id_, "address_id": owner, "endpoint": f"https://{id_}.example.com/"},
            **{"events": "[]", "created_at": NOW},
        )
    return credential


def put(database: SqliteDatabase, *ids: str, webhook: str = "w1", **columns: Any) -> None:
    """Insert deliveries that have succeeded, or with other ``columns``."""
    for id_ in ids:
        row = {"status": "success", "body": "{}", "finished_at": NOW, "created_at": NOW, **columns}
        database.insert(
            "webhook_deliveries",
            **{"webhook_id": webhook, "id": id_, "type": "email.sent", **row},
        )


def put_pending(
    database: SqliteDatabase, *ids: str, webhook: str = "w1", at: int = NOW, **columns: Any
) -> None:
    pending = {"status": "pending", "finished_at": None, "next_attempt_at": at}
    put(database, *ids, webhook=webhook, **{**pending, **columns})


def put_attempt(database: SqliteDatabase, id: str, number: int, webhook: str = "w1") -> None:
    database.insert(
        "webhook_attempts",
        **{"webhook_id": webhook, "delivery_id": id, "number": number, "code": 500 + number},
        **{"started_at": NOW + number, "milliseconds": 5},
    )


def rows(database: SqliteDatabase) -> dict[tuple[str, str], Row]:
    found = database.query("SELECT * FROM webhook_deliveries")
    return {(row["webhook_id"], row["id"]): row for row in found}


def changed(before: dict[tuple[str, str], Row], after: dict[tuple[str, str], Row]) -> set[str]:
    """The deliveries that have changed or are gone, like ``w1/d1``."""
    return {"/".join(key) for key in before if before[key] != after.get(key)}


def page(
    database: SqliteDatabase, owner: Credential | None, webhook: str = "w1", **query: Any
) -> tuple[list[str], str | None]:
    query = {"after": None, "limit": 10, **query}
    found, cursor = run(delivery_page(database, owner, webhook, **query))
    return [row["id"] for row in found], cursor


# The log


def test_a_page_has_the_deliveries_of_one_webhook(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    put(database, "d1", "d3", "d5")
    put(database, "d2", "d3", "d4", webhook="w2")
    assert page(database, me) == (["d5", "d3", "d1"], None)
    assert page(database, me, limit=3) == (["d5", "d3", "d1"], None)
    assert page(database, me, limit=2) == (["d5", "d3"], "d3")
    assert page(database, me, limit=2, after="d3") == (["d1"], None)
    assert page(database, other, "w2") == (["d4", "d3", "d2"], None)
    assert page(database, None, "w3") == ([], None)
    for owner, webhook in ((me, "w2"), (me, "w3"), (other, "w1"), (None, "w1")):
        with pytest.raises(NotFound):
            page(database, owner, webhook)


def test_a_filter_looks_at_a_thousand_deliveries(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    put(database, "a0", status="failed")
    put(database, "a1", status="failed", type="email.bounced")
    put(database, *(f"b{number:04}" for number in range(999)))
    put(database, "c0", status="failed")
    assert page(database, me, status="failed") == (["c0"], "b0000")
    assert page(database, me, status="failed", after="b0000") == (["a1", "a0"], None)
    assert page(database, me, status="failed", limit=1, after="b0000") == (["a1"], "a1")
    assert page(database, me, status="failed", after="b0001") == (["a1", "a0"], None)
    assert page(database, me, kind="email.bounced", after="b0500") == (["a1"], None)
    assert page(database, me, status="failed", kind="email.sent", after="b0") == (["a0"], None)
    assert page(database, me, status="success", kind="email.bounced", after="b0") == ([], None)


def test_the_attempts_of_one_delivery_are_shown(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    put(database, "d1", "d2")
    put(database, "d1", webhook="w2")
    for number in range(1, 23):
        put_attempt(database, "d1", number)
    put_attempt(database, "d2", 40)
    put_attempt(database, "d1", 41, "w2")
    delivery, attempts = run(find_delivery(database, me, "w1", "d1"))
    assert delivery["id"] == "d1"
    assert [one["number"] for one in attempts] == [*range(22, 0, -1)]
    found, _ = run(delivery_page(database, me, "w1", after=None, limit=10))
    numbers = [[int(one["number"]) for one in json.loads(row["attempts"])] for row in found]
    assert numbers == [[40], [*range(22, 2, -1)]]  # at most 20 in a list
    for owner, webhook, id_ in ((me, "w1", "d3"), (me, "w2", "d1"), (other, "w1", "d1")):
        with pytest.raises(NotFound):
            run(find_delivery(database, owner, webhook, id_))


# Replays


def put_replayable(database: SqliteDatabase) -> None:
    """Insert deliveries beside that one which can't be replayed."""
    database.insert(
        "webhooks",
        **{"id": "w4", "address_id": 1, "endpoint": "https://w4.example.com/"},
        **{"events": "[]", "created_at": NOW},
    )
    put(database, "d0", "d2")
    for webhook in ("w2", "w3", "w4"):
        put(database, "d1", webhook=webhook)


def replay(database: SqliteDatabase, owner: Credential | None, webhook: str = "w1") -> None:
    run(replay_delivery(database, owner, webhook, "d1", by=BY, now=NOW + DAY))


@pytest.mark.parametrize("status", ["success", "failed", "pending"])
def test_a_replay_concerns_one_delivery(
    database: SqliteDatabase, me: Credential, other: Credential, status: str
) -> None:
    for webhook in OWNERS:
        for id_ in ("d0", "d1", "d2"):
            columns: dict[str, Any] = {"webhook": webhook, "attempt": 9, "tries": 8}
            if status == "pending":
                put_pending(database, id_, **columns)
            else:
                put(database, id_, status=status, **columns)
    for owner, webhook in ((me, "w2"), (other, "w1"), (None, "w2")):
        with pytest.raises(NotFound):
            replay(database, owner, webhook)
    before = rows(database)
    replay(database, me)
    after = rows(database)
    assert changed(before, after) == {"w1/d1"}
    values = {"status": "pending", "tries": 0, "next_attempt_at": NOW + DAY, "finished_at": None}
    assert after["w1", "d1"] == before["w1", "d1"] | values
    (audit,) = database.query("SELECT action, object FROM audit")
    assert audit == {"action": "webhook.delivery_replayed", "object": "w1"}


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"body": None, "facts": None}, "webhook_body_removed"),
        (
            {"status": "attempting", "finished_at": None, "next_attempt_at": NOW + 1},
            "webhook_in_flight",
        ),
    ],
)
def test_some_deliveries_are_not_replayed(
    database: SqliteDatabase, me: Credential, other: Credential, columns: Any, code: str
) -> None:
    put(database, "d1", **columns)
    put_replayable(database)
    before = database.dump()
    with pytest.raises(Conflict) as caught:
        replay(database, me)
    assert caught.value.code == code
    assert database.dump() == before


def test_a_delivery_with_facts_is_replayed(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    put(database, "d1", body=None, facts="{}", status="failed")
    replay(database, me)
    assert rows(database)["w1", "d1"]["status"] == "pending"


def test_a_disabled_webhook_and_an_invalid_credential_replay_nothing(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    put(database, "d1")
    before = database.dump()
    with pytest.raises(Unauthorized):
        replay(database, Credential(me.address, me.address_id, me.version + 1))
    assert database.dump() == before
    put_replayable(database)
    database.query("UPDATE webhooks SET disabled_by = 'owner' WHERE id = 'w1'")
    before = database.dump()
    with pytest.raises(Conflict) as caught:
        replay(database, me)
    assert caught.value.code == "webhook_disabled"
    assert database.dump() == before


# Claims


def test_a_claim_and_its_outcome_concern_one_webhook(
    database: SqliteDatabase, other: Credential
) -> None:
    for webhook in OWNERS:
        put_pending(database, "d1", "d2", webhook=webhook)
    before = rows(database)
    held = run(claim_deliveries(database, "w1", claimant="a", now=NOW))
    assert held.webhook is not None
    assert held.webhook["endpoint"] == "https://w1.example.com/"
    claimed = rows(database)
    assert changed(before, claimed) == {"w1/d1", "w1/d2"}
    run(claim_deliveries(database, "w2", claimant="b", now=NOW))
    before = rows(database)
    outcome = {"id": "d1", "status": "success", "started_at": NOW, "milliseconds": 1}
    about: dict[str, Any] = {"claimant": "a", "next_claimant": None, "result": "failed"}
    run(finish_deliveries(database, "w1", [outcome], **about, now=NOW + 1))
    after = rows(database)
    assert changed(before, after) == {"w1/d1"}
    assert after["w1", "d1"]["finished_at"] == NOW + 1
    attempts = database.query("SELECT webhook_id, delivery_id FROM webhook_attempts")
    assert attempts == [{"webhook_id": "w1", "delivery_id": "d1"}]
    failing = database.query("SELECT id FROM webhooks WHERE failing_since IS NOT NULL")
    assert failing == [{"id": "w1"}]


def test_the_outcome_of_a_claim_that_has_ended_changes_nothing(
    database: SqliteDatabase, other: Credential
) -> None:
    put_pending(database, "d1")
    run(claim_deliveries(database, "w1", claimant="a", now=NOW))
    later = NOW + LEASE_MILLISECONDS
    run(claim_deliveries(database, "w1", claimant="b", now=later))
    before = database.dump()
    outcome = {"id": "d1", "status": "failed", "started_at": NOW, "milliseconds": 1}
    for result in ("gone", "failed", "success"):
        about: dict[str, Any] = {"claimant": "a", "next_claimant": None, "result": result}
        reason, _ = run(finish_deliveries(database, "w1", [outcome], **about, now=later))
        assert reason is None
    assert database.dump() == before


def test_which_webhooks_are_due(database: SqliteDatabase, other: Credential) -> None:
    def due(now: int = NOW, limit: int = 10) -> list[str]:
        return run(due_webhooks(database, now=now, limit=limit))

    put(database, "d0", webhook="w3")
    put_pending(database, "d1", webhook="w3", at=NOW + DAY)
    put_pending(database, "d1", at=NOW)
    put_pending(database, "d1", webhook="w2", at=NOW + 10, status="attempting", claimed_by="a")
    assert due(NOW - 1) == []
    assert due() == ["w1"]
    assert due(NOW + 9) == ["w1"]
    assert due(NOW + 10) == ["w1", "w2"]
    assert due(NOW + 10, limit=1) == ["w1"]
    # A lease that ends too late is that of a wrong clock.
    assert due(NOW + 10 - LEASE_MILLISECONDS) == []
    assert due(NOW + 9 - LEASE_MILLISECONDS) == ["w2"]
    database.query("UPDATE webhooks SET disabled_by = 'owner' WHERE id = 'w1'")
    assert due(NOW + 10) == ["w2"]
    assert due(NOW + DAY) == ["w2", "w3"]


# The steps of the cron


def clean_up(database: SqliteDatabase, now: int = NOW) -> dict[str, int]:
    return {step.name: run(step.run(database)) for step in webhook_steps(now=now)}


def test_only_waiting_deliveries_of_disabled_webhooks_end(
    database: SqliteDatabase, other: Credential
) -> None:
    for webhook in ("w1", "w2"):
        put_pending(database, "d1", webhook=webhook)
        put_pending(database, "d2", webhook=webhook, at=NOW + DAY)
        put_pending(database, "d3", webhook=webhook, status="attempting", claimed_by="a")
        put(database, "d4", webhook=webhook)
    database.query("UPDATE webhooks SET disabled_by = 'owner' WHERE id = 'w2'")
    before = rows(database)
    clean_up(database)
    after = rows(database)
    assert changed(before, after) == {"w2/d1", "w2/d2"}
    ended = {"status": "failed", "next_attempt_at": None, "finished_at": NOW}
    assert after["w2", "d1"] == before["w2", "d1"] | ended


def test_finished_deliveries_are_removed_after_thirty_days(
    database: SqliteDatabase, other: Credential
) -> None:
    old, newer = NOW - 30 * DAY, NOW - 30 * DAY + 1
    for webhook in ("w1", "w2"):
        for status in ("success", "failed"):
            body: dict[str, Any] = {"webhook": webhook, "status": status, "body": None}
            put(database, f"old {status}", finished_at=old, **body)
            put(database, f"new {status}", finished_at=newer, **body)
        put_pending(database, "waiting", webhook=webhook, created_at=old)
    before = rows(database)
    clean_up(database)
    gone = {
        f"{webhook}/old {status}" for webhook in ("w1", "w2") for status in ("success", "failed")
    }
    assert changed(before, rows(database)) == gone


def test_bodies_of_successes_are_removed_after_seven_days(
    database: SqliteDatabase, other: Credential
) -> None:
    old, newer = NOW - 7 * DAY, NOW - 7 * DAY + 1
    put(database, "old", finished_at=old)
    put(database, "old", finished_at=old, webhook="w2")
    put(database, "new", finished_at=newer)
    put(database, "failed", finished_at=old, status="failed")
    before = rows(database)
    clean_up(database)
    after = rows(database)
    assert changed(before, after) == {"w1/old", "w2/old"}
    assert after["w1", "old"] == before["w1", "old"] | {"body": None}
    # The next step continues after the last one, and also finds those of the same time.
    put(database, "same time", finished_at=old)
    clean_up(database, NOW + 1)
    assert changed(after, rows(database)) == {"w1/new"}
    assert rows(database)["w1", "same time"]["body"] is None
    written = database.changes()
    assert clean_up(database, NOW + 1)["webhook_bodies_removed"] == 0
    assert database.changes() == written


def test_each_step_removes_the_next_thousand_bodies(
    database: SqliteDatabase, other: Credential
) -> None:
    for number in range(2500):
        put(database, f"d{number}", finished_at=NOW - 8 * DAY + number)
    for _ in range(3):
        clean_up(database)
    assert {row["body"] for row in rows(database).values()} == {None}


def test_a_wrong_clock_holds_up_no_removal(database: SqliteDatabase, other: Credential) -> None:
    put(database, "d1", finished_at=NOW + 300 * DAY)
    clean_up(database, NOW + 310 * DAY)
    put(database, "d2", finished_at=NOW - 8 * DAY)
    clean_up(database)
    assert rows(database)["w1", "d2"]["body"] is None


def test_a_removed_webhook_goes_with_its_last_delivery(
    database: SqliteDatabase, other: Credential
) -> None:
    for webhook in OWNERS:
        put(database, "d1", webhook=webhook)
        put_pending(database, "d2", webhook=webhook)
    database.query("UPDATE webhooks SET disabled_by = 'removed' WHERE id = 'w1'")
    database.query("UPDATE webhooks SET disabled_by = 'gone' WHERE id = 'w2'")
    clean_up(database)
    assert {webhook for webhook, _ in rows(database)} == {"w2", "w3"}
    clean_up(database)
    left = database.query("SELECT id FROM webhooks ORDER BY id")
    assert [row["id"] for row in left] == ["w2", "w3"]


def test_a_webhook_with_more_deliveries_than_a_step_removes_stays(
    database: SqliteDatabase, other: Credential
) -> None:
    put(database, *(f"d{number}" for number in range(2500)))
    database.query("UPDATE webhooks SET disabled_by = 'removed' WHERE id = 'w1'")
    left = []
    for _ in range(3):
        clean_up(database)
        left.append((len(rows(database)), len(database.query("SELECT 1 FROM webhooks"))))
    assert left[-1] == (0, 2)
    assert all(webhooks == 3 for deliveries, webhooks in left if deliveries)
