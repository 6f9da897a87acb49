"""Removing messages and addresses: waiting messages are cancelled and refunded once."""

from typing import Any

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import Conflict, NotFound, Unauthorized
from mail.lifecycle import Event
from store.database import Row, Statement
from store.record import StatusUpdate, record
from store.removal import (
    STEP_MESSAGES,
    clear_sendbox,
    purge_steps,
    remove_address,
    remove_message,
)
from store.sendbox import sendbox_page
from tests.unit import given
from tests.unit.given import DAY, NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim, purge_sendboxes, sweep

OWNER = Actor(given.ME, "192.0.2.1")
ADMINISTRATOR = Actor("admin#1", "192.0.2.2", is_administrator=True)
ID = given.message_id(NOW)
OLD = given.message_id(NOW - 7 * DAY - 1)


def sent(
    database: SqliteDatabase, me: Credential, id: str = ID, now: int = NOW, **fields: Any
) -> str:
    given.reserved(database, me, id, **fields)
    record_event(database, id, "accepted", now)
    return id


def scheduled(database: SqliteDatabase, me: Credential, id: str, *recipients: str) -> str:
    given.reserved(database, me, id, given.scheduled(NOW + 1000, id, *recipients))
    return id


def record_event(database: SqliteDatabase, id: str, event: Event, now: int = NOW) -> None:
    run(
        record(database, [StatusUpdate(id=id, event=event, attempt=1, now=now, reported_as="sent")])
    )


def remove(database: SqliteDatabase, me: Credential, id: str = ID, **fields: Any) -> None:
    run(remove_message(database, id, **{"owner": me, "by": OWNER, "now": NOW, **fields}))


def shown(database: SqliteDatabase, me: Credential) -> list[str]:
    rows, count = run(sendbox_page(database, me, limit=100, offset=0))
    assert count == len(rows)
    return [row["id"] for row in rows]


def balance(database: SqliteDatabase) -> int:
    value: int = database.value("SELECT balance FROM send_balances")
    return value


def audit_row(database: SqliteDatabase) -> list[tuple[str, ...]]:
    rows = database.query("SELECT actor, action, object, source FROM audit ORDER BY id")
    return [tuple(row.values()) for row in rows]


# One message


def test_a_finished_message_is_kept_for_a_week_without_its_content(
    database: SqliteDatabase,
) -> None:
    me = given.address(database, balance=5)
    sent(database, me, idempotency_key="k", request_digest="d")
    remove(database, me)
    assert (shown(database, me), balance(database)) == ([], 4)
    (row,) = database.query("SELECT status, sendbox, idempotency_key FROM messages")
    assert tuple(row.values()) == ("sent", None, "k")
    (content,) = database.query("SELECT subject, sender_name, details FROM messages")
    assert tuple(content.values()) == ("", None, None)
    assert database.dump()["bodies"] == []
    again = given.reserved(database, me, "m2", idempotency_key="k", request_digest="d")
    assert again is not None
    with pytest.raises(NotFound, match="message_not_found"):
        remove(database, me)


def test_a_message_that_finished_less_than_a_week_ago_is_kept(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    sent(database, me, OLD, NOW - 7 * DAY + 1)
    remove(database, me, OLD)
    assert database.value("SELECT sendbox FROM messages") is None


def test_an_old_message_is_removed_at_once(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    sent(database, me, OLD, NOW - 7 * DAY)
    remove(database, me, OLD)
    dump = database.dump()
    assert [dump[table] for table in ("messages", "deliveries", "events", "bodies")] == [[]] * 4


def test_a_late_rejection_of_a_deleted_message_refunds_its_charge(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    given.reserved(database, me, OLD)
    record_event(database, OLD, "timed_out")
    remove(database, me, OLD)
    run(sweep(database, now=NOW, retention_days=0, retention_metadata_days=0))
    assert balance(database) == 4
    record_event(database, OLD, "rejected")
    assert balance(database) == 5


def test_a_deleted_message_is_removed_a_week_after_its_end(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    sent(database, me)
    remove(database, me)
    for now, left in ((NOW + 7 * DAY - 1, 1), (NOW + 7 * DAY + 1, 0)):
        run(sweep(database, now=now, retention_days=0, retention_metadata_days=0))
        assert database.value("SELECT count(*) FROM messages") == left


def test_a_waiting_message_is_cancelled_and_refunded_once(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    scheduled(database, me, ID, "a@example.org", "b@example.org")
    assert balance(database) == 3
    remove(database, me)
    assert (shown(database, me), balance(database)) == ([], 5)
    assert database.value("SELECT recipients FROM daily_recipients") == 0
    assert database.value("SELECT status FROM messages") == "cancelled"
    assert database.value("SELECT kind FROM events") == "cancelled"


def test_a_message_being_sent_is_not_removed(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    given.reserved(database, me, ID)
    before = database.dump()
    with pytest.raises(Conflict, match="message_in_flight") as caught:
        remove(database, me)
    # As long as the provider may take to respond.
    assert caught.value.headers["Retry-After"] == "30"
    with pytest.raises(Conflict, match="message_in_flight"):
        remove(database, me, owner=None, by=ADMINISTRATOR)
    assert database.dump() == before


def test_events_of_a_deleted_message_are_still_recorded(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    given.reserved(database, me, ID)
    record_event(database, ID, "timed_out")
    remove(database, me)
    record_event(database, ID, "rejected")
    assert database.value("SELECT status FROM messages") == "failed"
    assert balance(database) == 5


def test_only_the_owner_and_administrators_remove_a_message(database: SqliteDatabase) -> None:
    me, other = given.address(database, balance=5), given.address(database, "b@example.com")
    sent(database, me)
    with pytest.raises(NotFound):
        remove(database, other)
    with pytest.raises(Unauthorized):
        remove(database, Credential(me.address, me.address_id, 1))
    assert (shown(database, me), audit_row(database)) == ([ID], [])
    remove(database, me, owner=None, by=ADMINISTRATOR)
    assert shown(database, me) == []
    assert audit_row(database) == [("admin#1", "message.deleted", ID, "192.0.2.2")]


# All messages of an address


@pytest.mark.parametrize("by", [OWNER, ADMINISTRATOR])
def test_a_cleared_sendbox_keeps_messages_being_sent(database: SqliteDatabase, by: Actor) -> None:
    me = given.address(database, balance=10)
    sent(database, me, "m1")
    scheduled(database, me, "m2")
    given.reserved(database, me, "m3")
    run(clear_sendbox(database, me, by=by, now=NOW))
    assert (shown(database, me), balance(database)) == (["m3"], 8)
    expected = [("admin#1", "sendbox.cleared", me.address, "192.0.2.2")]
    assert audit_row(database) == (expected if by.is_administrator else [])
    sent(database, me, "m4")
    assert run(purge_sendboxes(database, now=NOW)) == 2
    assert run(purge_sendboxes(database, now=NOW)) == 0
    assert database.dump()["sendbox_purges"] == []
    left = {row["id"]: row["sendbox"] for row in database.query("SELECT * FROM messages")}
    assert {id for id, sendbox in left.items() if sendbox is not None} == {"m3", "m4"}
    assert shown(database, me) == ["m4", "m3"]


def test_cleared_messages_are_not_sent(database: SqliteDatabase) -> None:
    me = given.address(database, balance=10)
    scheduled(database, me, "m1")
    # The worker dies before it cancels the waiting messages.
    database.query("UPDATE addresses SET sendbox = 1")
    database.insert("sendbox_purges", address_id=1, sendbox=0)
    late = NOW + DAY
    assert run(claim(database, "m1", claimant="w", now=late, lease_until=late + 1)) is None
    run(purge_sendboxes(database, now=NOW))
    assert database.value("SELECT status FROM messages") == "cancelled"
    assert balance(database) == 10


def test_the_cost_of_clearing_does_not_depend_on_the_number_of_messages() -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=10)
    sent(database, me, "m0")
    database.query(
        "INSERT INTO messages (id, address_id, sender, subject, size, recipients, charge, status,"
        " accepted_at, finished_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 3000) SELECT 'n' || i, 1, sender, subject, size, 1, 1, 'sent', 1, 1"
        " FROM n, messages WHERE id = 'm0'"
    )
    before = database.changes()
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    assert database.changes() - before == 2
    assert shown(database, me) == []
    steps = 0
    while run(purge_sendboxes(database, now=NOW)):
        steps += 1
    assert steps == -(-3001 // STEP_MESSAGES)


every_removal = pytest.mark.parametrize("removal", [clear_sendbox, remove_address])


@every_removal
def test_an_empty_sendbox_needs_no_purge(database: SqliteDatabase, removal: Any) -> None:
    me = given.address(database)
    sent(database, given.address(database, "you@example.com", balance=5))
    run(removal(database, me, by=OWNER, now=NOW))
    assert database.dump()["sendbox_purges"] == []


@every_removal
def test_a_sendbox_with_only_deleted_messages_needs_no_purge(
    database: SqliteDatabase, removal: Any
) -> None:
    me = given.address(database, balance=5)
    sent(database, me)
    remove(database, me)
    run(removal(database, me, by=OWNER, now=NOW))
    assert database.dump()["sendbox_purges"] == []


def test_clearing_changes_nothing_of_other_addresses(database: SqliteDatabase) -> None:
    me, other, cleared = (
        given.address(database, f"{name}@example.com", balance=5) for name in ("me", "you", "past")
    )
    sent(database, me, "m0")
    given.reserved(database, me)
    given.reserved(database, other, "m2")  # being sent
    scheduled(database, other, "m3")
    # The cron cancels this message.
    waiting(database, cleared, 1)
    database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", cleared.address_id)
    before = database.query("SELECT * FROM messages WHERE address_id <> ?", me.address_id)
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    after = database.query("SELECT * FROM messages WHERE address_id <> ?", me.address_id)
    assert after == before


def test_clearing_again_changes_nothing(database: SqliteDatabase) -> None:
    """So a batch whose response was lost can be repeated."""
    me = given.address(database, balance=5)
    sent(database, me)
    scheduled(database, me, "m2")
    given.reserved(database, me, "m3")  # being sent
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    before = database.dump()
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    assert database.dump() == before


class BusyDatabase(SqliteDatabase):
    """Accepts a scheduled message as soon as a clearing has started a new sendbox."""

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        rows = await super().batch(statements, repeatable=repeatable)
        if any("INTO sendbox_purges" in one.sql for one in statements):
            waiting(self, Credential(given.ME, 1, 0), 1, sendbox=1)
        return rows


def test_a_message_accepted_during_a_clearing_is_kept() -> None:
    database = BusyDatabase()
    me = given.address(database, balance=5)
    sent(database, me)
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    assert left(database, me, WAITS) == 1


@pytest.mark.parametrize(
    "stale",
    [
        Credential(given.ME, 1, 5),
        Credential(given.ME, 2, 0),  # of an address that was removed and created again
        Credential("other@example.com", 1, 0),
    ],
    ids=["version", "id", "name"],
)
def test_an_invalid_credential_removes_nothing(database: SqliteDatabase, stale: Credential) -> None:
    me = given.address(database, balance=5)
    sent(database, me)
    scheduled(database, me, "m2")
    given.reserved(database, me, "m3")  # being sent
    before = database.dump()
    with pytest.raises(Unauthorized):
        run(clear_sendbox(database, stale, by=OWNER, now=NOW))
    with pytest.raises(Unauthorized):
        run(remove_address(database, stale, by=OWNER, now=NOW))
    assert database.dump() == before


def waiting(database: SqliteDatabase, owner: Credential, count: int, *, sendbox: int = 0) -> None:
    """Insert scheduled messages directly, because reserving them would take long."""
    database.query(
        "INSERT INTO messages (id, address_id, sendbox, sender, subject, size, recipients, charge,"
        " status, accepted_at, next_attempt_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n WHERE i < ?1) SELECT 'w' || ?2 || '-' || i, ?2, ?3, 'a@b', 's', 1, 1,"
        " 1, 'scheduled', 1, 1 FROM n",
        *(count, owner.address_id, sendbox),
    )


def left(database: SqliteDatabase, owner: Credential, condition: str) -> int:
    sql = f"SELECT count(*) FROM messages WHERE address_id = ? AND {condition}"
    return int(database.value(sql, owner.address_id))


WAITS = "next_attempt_at IS NOT NULL"
IN_A_SENDBOX = "sendbox IS NOT NULL"


def test_all_waiting_messages_are_cancelled_before_any_is_removed() -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=10)
    for number in range(10):
        sent_id = given.message_id(NOW - 8 * DAY, number)
        given.reserved(database, me, sent_id)
        record_event(database, sent_id, "accepted", NOW - 8 * DAY)
    waiting(database, me, 1500)
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    assert left(database, me, WAITS) == 1000
    assert run(purge_sendboxes(database, now=NOW)) == 0
    assert left(database, me, WAITS) == 500
    assert left(database, me, "status = 'sent'") == 10
    assert run(purge_sendboxes(database, now=NOW)) > 0
    assert left(database, me, WAITS) == 0
    assert left(database, me, "status = 'sent'") == 0


def test_purges_share_a_step(database: SqliteDatabase) -> None:
    owners = [given.address(database, f"{name}@example.com", balance=0) for name in "abc"]
    for owner, count in zip(owners, (900, 900, 3), strict=True):
        waiting(database, owner, count)
    database.query("INSERT INTO sendbox_purges SELECT id, 0 FROM addresses")
    database.query("UPDATE addresses SET sendbox = 1")
    cancel, remove = purge_steps(now=NOW)
    share = STEP_MESSAGES // 3
    assert run(cancel.run(database)) == 2 * share + 3
    assert [left(database, owner, WAITS) for owner in owners] == [900 - share, 900 - share, 0]
    # No message of the last sendbox waits any more, so its messages are removed already.
    assert run(remove.run(database)) == 3
    assert [left(database, owner, IN_A_SENDBOX) for owner in owners] == [900, 900, 0]
    while run(cancel.run(database)):
        pass
    assert run(remove.run(database)) == STEP_MESSAGES // 2 * 2
    assert [left(database, owner, IN_A_SENDBOX) for owner in owners[:2]] == [650, 650]
    while run(remove.run(database)):
        pass
    assert database.dump()["sendbox_purges"] == []


def test_a_purge_changes_only_the_cleared_sendbox(database: SqliteDatabase) -> None:
    me = given.address(database, balance=5)
    other = given.address(database, "you@example.com", balance=5)
    sent(database, me, OLD, NOW - 8 * DAY)
    run(clear_sendbox(database, me, by=OWNER, now=NOW))
    scheduled(database, me, "m2")
    sent(database, other, "m3")
    scheduled(database, other, "m4")
    before = database.query("SELECT * FROM messages WHERE id IN ('m2', 'm3', 'm4')")
    for removed in (1, 0):
        assert run(purge_sendboxes(database, now=NOW)) == removed
    assert database.query("SELECT * FROM messages") == before
    assert database.dump()["sendbox_purges"] == []


def test_messages_being_sent_do_not_block_the_removal_of_others() -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=0)
    waiting(database, me, STEP_MESSAGES + 5)
    database.query(
        "UPDATE messages SET status = 'sending', next_attempt_at = NULL, lease_until = 1"
    )
    given.set_balance(database, me, 1)
    sent(database, me, given.message_id(NOW))
    run(remove_address(database, me, by=OWNER, now=NOW))
    assert run(purge_sendboxes(database, now=NOW)) == 1
    assert left(database, me, IN_A_SENDBOX) == STEP_MESSAGES + 5


def test_the_steps_of_a_purge_need_no_more_statements_than_they_say() -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=0)
    waiting(database, me, 5)
    database.query("INSERT INTO sendbox_purges SELECT id, 0 FROM addresses")
    database.query("UPDATE addresses SET sendbox = 1")
    for step in purge_steps(now=NOW):
        database.statements.clear()
        assert run(step.run(database)) == 5
        assert len(database.statements) == step.statements


# An address


@pytest.mark.parametrize("by", [OWNER, ADMINISTRATOR])
def test_removing_an_address_removes_its_messages(database: SqliteDatabase, by: Actor) -> None:
    me = given.address(database, balance=10)
    sent(database, me, OLD, NOW - 7 * DAY)
    scheduled(database, me, "m2")
    given.reserved(database, me, "m3")
    run(remove_address(database, me, by=by, now=NOW))
    assert audit_row(database) == [(by.name, "address.deleted", me.address, by.source)]
    assert database.value("SELECT recipients FROM daily_recipients") == 2
    assert database.value("SELECT status FROM messages WHERE id = 'm2'") == "cancelled"
    run(purge_sendboxes(database, now=NOW))
    left = database.query("SELECT id, sendbox FROM messages ORDER BY id")
    assert [tuple(row.values()) for row in left] == [("m2", None), ("m3", 0)]
    record_event(database, "m3", "accepted")
    run(purge_sendboxes(database, now=NOW))
    run(purge_sendboxes(database, now=NOW))
    assert database.dump()["sendbox_purges"] == []
    assert database.value("SELECT count(*) FROM messages WHERE sendbox IS NOT NULL") == 0


def test_a_deferred_message_of_a_removed_address_is_cancelled(database: SqliteDatabase) -> None:
    me = given.address(database, balance=10)
    given.reserved(database, me, "m1")
    run(remove_address(database, me, by=OWNER, now=NOW))
    about = StatusUpdate(id="m1", event="deferred", attempt=1, now=NOW, next_attempt_at=NOW)
    run(record(database, [about]))
    assert run(claim(database, "m1", claimant="w", now=NOW, lease_until=NOW + 1)) is None
    run(purge_sendboxes(database, now=NOW))
    assert database.value("SELECT status FROM messages") == "cancelled"


def test_an_address_is_removed_once(database: SqliteDatabase) -> None:
    me = given.address(database)
    with pytest.raises(Unauthorized):
        run(remove_address(database, Credential(me.address, 1, 5), by=OWNER, now=NOW))
    assert audit_row(database) == []
    run(remove_address(database, me, by=OWNER, now=NOW))
    for by, error in ((OWNER, Unauthorized), (ADMINISTRATOR, NotFound)):
        for removal in (remove_address, clear_sendbox):
            with pytest.raises(error):
                run(removal(database, me, by=by, now=NOW))
    assert len(audit_row(database)) == 1


def test_an_administrator_needs_no_version(database: SqliteDatabase) -> None:
    me = given.address(database)
    database.query("UPDATE addresses SET credential_version = 7")
    run(clear_sendbox(database, me, by=ADMINISTRATOR, now=NOW))
    run(remove_address(database, me, by=ADMINISTRATOR, now=NOW))
    assert database.dump()["addresses"] == []
