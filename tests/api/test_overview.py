"""The administrators' overview: the checklist up to the first delivered mail, and the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.overview import NEWEST_MIGRATION
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api
from tests.unit.source import ROOT

# wrangler adds a row for each migration that it applies.
APPLIED = "CREATE TABLE d1_migrations (name TEXT UNIQUE)"


@pytest.fixture
def own() -> Iterator[Api]:
    variables = {**DEPLOYMENT, "DOMAINS": ["example.com"], "DEFAULT_SEND_BALANCE": 0}
    with TestClient(variables) as running:
        yield Api(running)


def overview(api: Api) -> dict[str, Any]:
    response = api.admin("GET", "/admin/overview")
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


def checks(api: Api) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in overview(api)["checks"]}


def state(api: Api, name: str) -> str:
    found: str = checks(api)[name]["state"]
    return found


def day(days_ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()


@pytest.mark.contract("GET /admin/overview: Says what a deployment lacks until its first mail")
def test_a_new_deployment_lacks_everything_after_its_set_up(own: Api) -> None:
    own.server.sql(APPLIED)
    own.server.sql("INSERT INTO d1_migrations VALUES (?)", [NEWEST_MIGRATION])
    states = {name: check["state"] for name, check in checks(own).items()}
    assert states == {
        "bindings": "ok",
        "secrets": "ok",
        "migrations": "ok",
        "cron": "missing",
        "queue": "ok",
        "domains": "waiting",
        "address": "waiting",
        "balance": "waiting",
        "mail": "waiting",
        "events": "waiting",
    }
    assert checks(own)["domains"]["details"] == ["example.com"]


def test_a_deployment_that_has_sent_lacks_nothing_but_events(own: Api) -> None:
    own.server.run_cron()
    sender = own.new_sender(balance=5)
    assert own.send(sender).status_code == 200
    found = checks(own)
    names = ("cron", "queue", "domains", "address", "balance", "mail")
    assert {name: found[name]["state"] for name in names} == dict.fromkeys(names, "ok")
    assert found["mail"]["at"] == day(0)
    assert found["events"]["state"] == "waiting"


def test_mail_to_sandbox_recipients_does_not_count(own: Api) -> None:
    sender = own.new_sender()
    sent = own.send(sender, to_mail="delivered@test.invalid")
    assert sent.status_code == 200
    own.server.settle()
    assert state(own, "mail") == state(own, "events") == "waiting"


def test_the_cron_is_seen_for_five_minutes(own: Api) -> None:
    own.server.run_cron()
    first = checks(own)["cron"]
    assert first["state"] == "ok"
    own.server.advance(4 * 60)
    assert checks(own)["cron"] == first
    own.server.advance(2 * 60)
    late = checks(own)["cron"]
    assert (late["state"], late["at"]) == ("missing", first["at"])


def test_a_cron_that_runs_is_always_seen_and_rarely_writes(own: Api) -> None:
    written = []
    for _ in range(60):
        own.server.run_cron()
        assert state(own, "cron") == "ok"
        (row,) = own.server.sql("SELECT position FROM sweeps WHERE name = 'cron'")
        written.append(row["position"])
        own.server.advance(60)
    assert len(set(written)) <= 16


def test_a_note_of_a_fast_clock_is_replaced(own: Api) -> None:
    own.server.sql("INSERT INTO sweeps VALUES ('cron', 'ffffffff-ffff-7000-8000-000000000000')")
    assert state(own, "cron") == "missing"
    own.server.run_cron()
    assert state(own, "cron") == "ok"


def test_events_that_do_not_arrive_are_a_warning_after_a_day(own: Api) -> None:
    insert = (
        "INSERT INTO usage_days"
        " (day, address_id, domain, sent, failed, unknown, cancelled, recipients)"
        " VALUES (?, 7, 'example.com', 1, 0, 0, 0, 1)"
    )
    own.server.sql(insert, [day(1)])
    assert state(own, "events") == "waiting"
    own.server.sql(insert, [day(3)])
    found = checks(own)
    assert (found["events"]["state"], found["mail"]["at"]) == ("warning", day(3))
    own.server.sql(
        "INSERT INTO delivery_days (day, domain, delivered) VALUES (?, 'example.com', 1)", [day(2)]
    )
    assert checks(own)["events"] == {
        "name": "events",
        "state": "ok",
        "details": [],
        "at": day(2),
        "count": None,
    }


def test_overdue_messages_are_a_warning(own: Api) -> None:
    sender = own.new_sender(balance=5)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert own.send(sender, scheduled_at=soon).status_code == 202
    assert checks(own)["queue"]["count"] == 0
    own.server.sql("UPDATE messages SET next_attempt_at = ?", [own.server.now() - 400_000])
    found = checks(own)["queue"]
    assert (found["state"], found["count"]) == ("warning", 1)


@pytest.mark.parametrize(
    ("variables", "name", "details"),
    [
        ({"ADMIN_PASSWORDS": [], "DISABLE_ADMIN_PASSWORD_CHECK": "true"}, "secrets", 2),
        ({"JWT_SECRET": "short"}, "secrets", 1),
        ({"SENDING_PAUSED": "true"}, "queue", 1),
    ],
)
def test_doubtful_settings_are_a_warning(
    variables: dict[str, Any], name: str, details: int
) -> None:
    with TestClient({**DEPLOYMENT, **variables}) as server:
        found = checks(Api(server))[name]
    assert (found["state"], len(found["details"])) == ("warning", details)


def test_missing_bindings_are_named() -> None:
    with TestClient(DEPLOYMENT, transport=False, rate_limit=None, queue=False) as server:
        found = checks(Api(server))
    assert found["bindings"]["details"] == ["SEND_MAIL", "RATE_LIMITER"]
    assert found["bindings"]["state"] == "missing"
    assert (found["queue"]["state"], found["queue"]["details"]) == ("warning", ["OUTBOX"])


def test_a_default_balance_is_enough() -> None:
    with TestClient({**DEPLOYMENT, "DEFAULT_SEND_BALANCE": "3"}) as server:
        assert state(Api(server), "balance") == "ok"


def test_without_domains_nothing_can_be_sent() -> None:
    with TestClient({**DEPLOYMENT, "DOMAINS": [], "SEND_MAIL_DOMAINS": []}) as server:
        assert state(Api(server), "domains") == "missing"


def test_migrations_that_are_not_applied_are_missing(own: Api) -> None:
    assert checks(own)["migrations"]["state"] == "unknown"  # applied without wrangler
    own.server.sql(APPLIED)
    own.server.sql("INSERT INTO d1_migrations VALUES ('0001_schema.sql')")
    found = checks(own)
    assert (found["migrations"]["state"], found["migrations"]["details"]) == (
        "missing",
        [NEWEST_MIGRATION],
    )
    # The response tells it even if a table of this version is missing.
    own.server.sql("DROP TABLE delivery_days")
    assert set(checks(own)) == {"bindings", "secrets", "migrations"}


def test_the_newest_migration_is_named() -> None:
    files = sorted(path.name for path in (ROOT / "migrations").glob("*.sql"))
    assert files[-1] == NEWEST_MIGRATION


@pytest.mark.contract("GET /admin/overview: Says how full the database is")
@pytest.mark.parametrize(("plan", "limit"), [("50", 500_000_000), ("10000", 10_000_000_000)])
def test_the_size_of_the_database(plan: str, limit: int) -> None:
    with TestClient({**DEPLOYMENT, "SUBREQUESTS": plan}) as server:
        shown = overview(Api(server))["database"]
    assert shown["limit"] == limit
    assert 50_000 < shown["size"] < 5_000_000


def test_the_overview_takes_few_statements(own: Api) -> None:
    overview(own)
    assert own.server.invocations[-1].used <= 3


def test_only_administrators_see_it(own: Api) -> None:
    sender = own.new_sender()
    assert own.call("GET", "/admin/overview", headers=sender.headers).status_code == 401
