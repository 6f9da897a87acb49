"""One minute of the cron, with the maximum amount of every kind of work.

The deployment ends an invocation that makes more subrequests than the plan allows.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from ids import first_id
from store.search_index import STEP_MESSAGES
from store.sweep import STEP_ROWS
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender

DAY = 86_400_000
SUPPRESSED = "[E_RECIPIENT_SUPPRESSED]"
_numbers = itertools.count()
VARIABLES = {**DEPLOYMENT, "ENABLE_USER_DELETE_EMAIL": "true"}


def insert(api: Api, sender: Sender, time: int, count: int, **columns: Any) -> None:
    """Insert ``count`` messages, accepted at ``time``. ``columns`` are SQL expressions over i."""
    fields: dict[str, object] = {
        "id": f"substr('{first_id(time)}', 1, 24) || printf('%03d%09d', {next(_numbers)}, i)",
        "address_id": sender.address_id,
        "sender": f"'{sender.address}'",
        "subject": "'Hello'",
        **dict.fromkeys(("size", "recipients", "charge"), 1),
        "accepted_at": time,
        "status": "'sent'",
        **(
            {}
            if "next_attempt_at" in columns or "lease_until" in columns
            else {"finished_at": time}
        ),
        **columns,
    }
    names, values = ", ".join(fields), ", ".join(map(str, fields.values()))
    api.server.sql(
        f"INSERT INTO messages ({names}) WITH RECURSIVE n (i) AS"
        f" (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT {values} FROM n",
        [count],
    )
    api.server.sql(
        "INSERT INTO deliveries (message_id, position, kind, address)"
        " SELECT id, 0, 'to', 'you@example.net' FROM messages AS m"
        " WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = m.id)"
    )
    api.server.sql(
        "INSERT INTO bodies (message_id, kind, part, content)"
        " SELECT id, 'text', 0, 'Hello' FROM messages AS m"
        " WHERE NOT EXISTS (SELECT 1 FROM bodies WHERE message_id = m.id)"
    )


def work_of_every_kind(api: Api, steps: int = 1) -> None:
    """Insert more work for each job than it can do in ``steps`` steps."""
    now, rows = api.server.now(), STEP_ROWS * steps + 5
    sender, cleared = api.new_sender(balance=10**6), api.new_sender(balance=10**6)
    waiting = {"status": "'scheduled'", "next_attempt_at": f"{now} - i"}
    insert(api, sender, now, rows, subject=f"'{SUPPRESSED}'", **waiting)
    leased = {"status": "'sending'", "lease_until": "i"}
    insert(api, sender, now - 1, rows, **leased)
    old = {"idempotency_key": "'k' || i", "request_digest": "'d'"}
    insert(api, sender, now - 40 * DAY, rows, **old)
    insert(api, sender, now - 100 * DAY, rows)
    insert(api, sender, now - 300_000, STEP_MESSAGES * 10 * steps)
    insert(api, sender, now - 8 * DAY, rows, sendbox="NULL")
    insert(api, sender, now - 2 * DAY, rows, is_sandbox=1, charge=0)
    for owner in (cleared, api.new_sender(balance=10**6)):
        insert(api, owner, now - 2 * DAY, rows)
    insert(api, cleared, now, rows, **waiting)
    api.server.sql("UPDATE addresses SET sendbox = 1 WHERE id >= ?", [cleared.address_id])
    api.server.sql(
        "INSERT INTO sendbox_purges (address_id, sendbox)"
        " SELECT id, 0 FROM addresses WHERE id >= ?",
        [cleared.address_id],
    )
    for webhook, reason in (("w1", "owner"), ("w2", None)):
        api.server.sql(
            "INSERT INTO webhooks (id, address_id, endpoint, events, disabled_by, created_at)"
            " VALUES (?, 0, 'https://hooks.example.com/', '[]', ?, 0)",
            [webhook, reason],
        )
    api.server.sql("UPDATE webhooks SET events = '[\"address.paused\"]' WHERE id = 'w2'")
    pause = "INSERT INTO send_pauses VALUES (?, 1, ?)"
    api.server.sql(pause, [api.new_sender().address_id, now])
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    for table in (
        "usage_days (day, address_id, sent, failed, unknown, cancelled)"
        " {} SELECT '2020-01-01', i, 1, 1, 1, 1",
        "login_failures (counter, failed_at, client) {} SELECT i % 65536, 0, ''",
        "daily_counts (day, subject, act, count) {} SELECT '2020-01-01', i, 'rotations', 1",
        "webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)"
        " {} SELECT 'w1', 'd' || i, 'email.sent', 1, '{{}}', 0",
        "webhook_deliveries (webhook_id, id, type, status, body, created_at, finished_at)"
        " {} SELECT 'w2', 'd' || i, 'email.sent', 'success', '{{}}', 0,"
        f" iif(i % 2, 0, {now - 8 * DAY})",
        "suppressions (address, scope, reason, since, expires_at)"
        " {} SELECT 'a' || i || '@example.net', '', 'provider', 0, 1",
    ):
        api.server.sql(f"INSERT INTO {table.format(numbers)} FROM n")


def counts(api: Api) -> dict[str, int]:
    """The counts that the last run of the cron has logged, by event and name."""
    found = {}
    for line in api.server.log_lines():
        if line["event"] in ("due", "sweep", "sendbox_purges", "search_index"):
            for name, count in line.items():
                if isinstance(count, int):
                    found[f"{line['event']} {name}"] = count
    return found


@pytest.fixture(params=[True, False], ids=["queue", "no queue"])
def deployment(request: pytest.FixtureRequest) -> Iterator[Api]:
    with TestClient(VARIABLES, queue=request.param) as server:
        yield Api(server)


def test_the_worst_minute_is_within_the_limit(deployment: Api) -> None:
    api = deployment
    work_of_every_kind(api)
    first = len(api.server.invocations)
    api.server.run_cron()
    api.server.settle()
    assert max(one.used for one in api.server.invocations[first:]) <= 50
    assert "cron_failed" not in {line["event"] for line in api.server.log_lines()}
    (failed,) = api.server.sql("SELECT count(*) AS n FROM messages WHERE status = 'failed'")
    assert failed["n"] >= 2


def idle_jobs(api: Api, full_minutes: int) -> list[str]:
    """The jobs that do nothing in the next minutes, although there is work of every kind.

    The steps of webhooks have one of five minutes. A step for which too few subrequests are left in
    each of ``full_minutes`` has its turn when the minutes and the steps have gone round.
    """
    done: dict[str, int] = {}
    for minute in range(60):
        if minute >= full_minutes and all(done.values()):
            break
        api.server.run_cron()
        api.server.settle()
        for name, count in counts(api).items():
            done[name] = done.get(name, 0) + count
        api.server.advance(60)
    # If a new step is idle here, work_of_every_kind must insert work for this step.
    return [name for name, count in done.items() if not count]


def test_with_a_queue_each_job_does_a_step_in_the_worst_minutes() -> None:
    with TestClient(VARIABLES) as server:
        work_of_every_kind(Api(server), 2)
        assert idle_jobs(Api(server), 5) == []
        assert max(one.used for one in server.invocations) > 35


def test_without_a_queue_each_job_gets_its_turn() -> None:
    with TestClient(VARIABLES, queue=False) as server:
        work_of_every_kind(Api(server), 3)
        assert idle_jobs(Api(server), 13) == []  # as many as there are steps


def test_all_work_is_done_at_once_if_the_plan_allows_it() -> None:
    with TestClient({**VARIABLES, "SUBREQUESTS": 10_000}) as server:
        api = Api(server)
        work_of_every_kind(api, 2)
        (before,) = server.sql("SELECT count(*) AS n FROM messages WHERE lease_until <= 10000")
        server.run_cron()
        found = counts(api)
        assert found["sweep became_unknown"] == before["n"] == 2 * STEP_ROWS + 5
        assert found["due count"] == 2 * STEP_ROWS + 5
        for count in ("usage", "login_failures", "daily_counts"):
            assert found[f"sweep {count}_removed"] == 2 * STEP_ROWS + 5
        assert found["sendbox_purges cancelled"] == 2 * STEP_ROWS + 5
        for _ in range(2):
            server.run_cron()
        assert server.sql("SELECT * FROM sendbox_purges") == []


def test_without_a_queue_the_plan_limits_the_messages_of_a_minute() -> None:
    sent = {}
    for subrequests in (50, 10_000):
        with TestClient({**VARIABLES, "SUBREQUESTS": subrequests}, queue=False) as server:
            api = Api(server)
            sender = api.new_sender()
            now = server.now()
            insert(api, sender, now, 200, status="'scheduled'", next_attempt_at=now)
            server.run_cron()
            sent[subrequests] = len(server.provider.taken)
    assert sent[50] >= 8
    assert sent[10_000] == 200


def test_if_the_queue_fails_the_cron_sends_the_messages() -> None:
    with TestClient(VARIABLES) as server:
        api = Api(server)
        sender = api.new_sender()
        now = server.now()
        insert(api, sender, now, 5, status="'scheduled'", next_attempt_at=now)
        server.break_queue()
        server.run_cron()
        assert len(server.provider.taken) == 5
