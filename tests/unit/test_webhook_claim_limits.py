"""Claims of webhook deliveries: what counts towards the four at once, and whose they are."""

import json
from typing import Any

import pytest

from accounts.credentials import Credential
from errors import Conflict
from store.webhook_claims import Held, claim_deliveries, finish_deliveries
from store.webhook_log import replay_delivery
from tests.unit import given
from tests.unit.given import DAY, NOW
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.test_store_webhook_deliveries import BY, changed, put_pending, rows

SECOND = 1000
LEASED: dict[str, Any] = {"status": "attempting", "attempt": 1, "tries": 1, "claimed_by": "other"}


@pytest.fixture(autouse=True)
def webhooks(database: SqliteDatabase, me: Credential) -> None:
    """Two webhooks of an address, and one of another."""
    for id_, owner in (("w1", me.address_id), ("w2", me.address_id), ("w3", 99)):
        database.insert(
            "webhooks",
            **{"id": id_, "address_id": owner, "endpoint": f"https://{id_}.example.com/"},
            **{"events": "[]", "created_at": NOW},
        )


def claim(
    database: SqliteDatabase, webhook: str = "w1", *, by: str = "a", now: int = NOW
) -> list[str]:
    return sorted(row["id"] for row in held(database, webhook, by=by, now=now).deliveries)


def held(database: SqliteDatabase, webhook: str = "w1", *, by: str = "a", now: int = NOW) -> Held:
    return run(claim_deliveries(database, webhook, claimant=by, now=now))


def finish(
    database: SqliteDatabase, *ids: str, by: str = "a", now: int = NOW, **outcome: Any
) -> str | None:
    """Finish deliveries of w1. By default they fail, and wait for five seconds."""
    result = outcome.pop("result", "failed")
    waits: dict[str, object] = {"status": "pending", "next_attempt_at": now + 5 * SECOND}
    values = {**waits, "started_at": now, "milliseconds": 1, **outcome}
    reason, _ = run(
        finish_deliveries(
            *(database, "w1", [{"id": id_, **values} for id_ in ids]),
            **{"claimant": by, "next_claimant": None, "result": result, "now": now},
        )
    )
    return reason


def test_a_lease_lasts_a_minute(database: SqliteDatabase) -> None:
    put_pending(database, "d1")
    claim(database)
    assert rows(database)["w1", "d1"]["next_attempt_at"] == NOW + 60_000


def test_only_leases_count_towards_the_four_at_once(database: SqliteDatabase) -> None:
    put_pending(database, "d1", "d2", "d3", "d4")
    put_pending(database, "e1", "e2", "e3", "e4", at=NOW + 10 * SECOND)
    put_pending(database, "d1", "d2", webhook="w2", at=NOW + 10 * SECOND, **LEASED)
    assert claim(database) == ["d1", "d2", "d3", "d4"]


@pytest.mark.parametrize("end", [NOW, NOW - DAY, NOW + 60_001])
def test_leases_that_have_ended_do_not_count(database: SqliteDatabase, end: int) -> None:
    """Nor do those of a wrong clock."""
    put_pending(database, "d1", "d2", at=end, **LEASED)
    put_pending(database, "d3", "d4", "d5")
    put_pending(database, "d6", at=NOW + 1)
    assert claim(database) == ["d1", "d2", "d3", "d4"]


@pytest.mark.parametrize("end", [NOW + 1, NOW + 60_000])
def test_a_lease_counts_until_its_end(database: SqliteDatabase, end: int) -> None:
    put_pending(database, "d1", "d2", at=end, **LEASED)
    put_pending(database, "d3", "d4", "d5")
    assert claim(database) == ["d3", "d4"]


def test_the_oldest_are_claimed_first(database: SqliteDatabase) -> None:
    for number in range(6):
        put_pending(database, f"d{number}", at=NOW - number)
    assert claim(database) == ["d2", "d3", "d4", "d5"]


def test_a_delivery_of_another_webhook_with_the_same_id_is_another(
    database: SqliteDatabase,
) -> None:
    """What makes a delivery of the others due, makes none of this webhook due."""
    later = NOW + 10 * SECOND
    put_pending(database, "due", "ended", "mine", at=later)
    put_pending(database, "due", webhook="w2")
    put_pending(database, "ended", webhook="w2", at=NOW, **LEASED)
    put_pending(database, "mine", webhook="w2", at=later, **{**LEASED, "claimed_by": "a"})
    before = rows(database)
    assert claim(database) == []
    assert changed(before, rows(database)) == set()


def test_each_claim_gets_the_endpoint_of_its_webhook(database: SqliteDatabase) -> None:
    for webhook in ("w1", "w2", "w3"):
        put_pending(database, "d1", webhook=webhook)
        found = held(database, webhook, by=webhook).webhook
        assert found is not None
        assert (found["id"], found["endpoint"]) == (webhook, f"https://{webhook}.example.com/")


def test_a_disabled_webhook_beside_enabled_ones_has_no_claim(database: SqliteDatabase) -> None:
    for webhook in ("w1", "w2", "w3"):
        put_pending(database, "d1", webhook=webhook)
    for webhook in ("w1", "w2", "w3"):
        database.query("UPDATE webhooks SET disabled_by = iif(id = ?, 'owner', NULL)", webhook)
        before = rows(database)
        assert held(database, webhook).webhook is None
        assert changed(before, rows(database)) == set()


def test_a_body_has_the_recipients_of_its_own_message(
    database: SqliteDatabase, me: Credential
) -> None:
    to = {"m1": ("b@example.org", "a@example.org"), "m2": ("c@example.org",)}
    for id_, recipients in to.items():
        given.reserved(database, me, id_, given.message(*recipients))
        facts = json.dumps({"email_id": id_})
        put_pending(database, f"d {id_}", facts=facts, body=None)
    one = json.dumps({"email_id": "m1", "recipients": ["a@example.org"]})
    put_pending(database, "d one", facts=one, body=None)
    found = {row["id"]: json.loads(row["facts"]) for row in held(database).deliveries}
    assert found["d m1"] == {"email_id": "m1", "recipients": [*to["m1"]]}
    assert found["d m2"] == {"email_id": "m2", "recipients": [*to["m2"]]}
    assert found["d one"]["recipients"] == ["a@example.org"]


def test_the_next_delivery_is_the_first_that_waits(database: SqliteDatabase) -> None:
    put_pending(database, "d1", webhook="w2", at=NOW + 1)
    put_pending(database, "d2", at=NOW + 2, **LEASED)
    assert held(database).following is None
    put_pending(database, "d3", at=NOW + 9)
    put_pending(database, "d4", at=NOW + 5)
    assert held(database).following == NOW + 5


# Outcomes


def test_a_finished_claim_is_not_claimed_again_before_its_time(database: SqliteDatabase) -> None:
    put_pending(database, "d1")
    claim(database)
    finish(database, "d1")
    assert claim(database) == []
    assert claim(database, now=NOW + 5 * SECOND) == ["d1"]


def test_an_outcome_counts_once(database: SqliteDatabase, me: Credential) -> None:
    """The batch that records it may be repeated, even after a replay."""
    put_pending(database, "d1")
    claim(database)
    finish(database, "d1")
    run(replay_delivery(database, me, "w1", "d1", by=BY, now=NOW + 1))
    before = database.dump()
    finish(database, "d1")
    assert database.dump() == before


def test_a_delivery_that_is_being_sent_is_not_replayed(
    database: SqliteDatabase, me: Credential
) -> None:
    put_pending(database, "d1")
    claim(database)
    with pytest.raises(Conflict) as caught:
        run(replay_delivery(database, me, "w1", "d1", by=BY, now=NOW))
    assert caught.value.headers == {"Retry-After": "60"}


@pytest.mark.parametrize("result", ["success", "failed", "gone"])
def test_a_webhook_that_its_owner_has_disabled_stays_as_it_is(
    database: SqliteDatabase, result: str
) -> None:
    put_pending(database, "d1")
    claim(database)
    sql = "UPDATE webhooks SET disabled_by = 'owner', failing_since = ? WHERE id = 'w1'"
    database.query(sql, NOW - 9 * DAY)
    before = database.query("SELECT * FROM webhooks")
    assert finish(database, "d1", result=result) is None
    assert database.query("SELECT * FROM webhooks") == before
    assert rows(database)["w1", "d1"]["status"] == "pending"


@pytest.mark.parametrize(
    ("days", "result", "disabled_by"),
    [
        (9, "success", None),
        (3, "success", None),
        (3, "failed", "failing"),
        (2, "failed", None),
        (9, "gone", "gone"),
    ],
)
def test_a_webhook_is_disabled_by_its_last_result(
    database: SqliteDatabase, days: int, result: str, disabled_by: str | None
) -> None:
    database.query("UPDATE webhooks SET failing_since = ?", NOW - days * DAY)
    put_pending(database, "d1")
    claim(database)
    finish(database, "d1", result=result)
    found = {row["id"]: row for row in database.query("SELECT * FROM webhooks")}
    assert found["w1"]["disabled_by"] == disabled_by
    assert (found["w1"]["failing_since"] is None) == (result == "success")
    for other in ("w2", "w3"):
        assert found[other]["disabled_by"] is None
        assert found[other]["failing_since"] == NOW - days * DAY


def test_deliveries_without_a_result_change_no_webhook(database: SqliteDatabase) -> None:
    database.query("UPDATE webhooks SET failing_since = ?", NOW - 9 * DAY)
    before = database.query("SELECT * FROM webhooks")
    put_pending(database, "d1")
    claim(database)
    assert finish(database, "d1", result=None) is None
    assert database.query("SELECT * FROM webhooks") == before
