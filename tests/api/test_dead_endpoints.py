"""A thousand deliveries wait for an endpoint that does not respond: nothing else waits for them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.test_cron_limits import counts, work_of_every_kind
from tests.api.test_webhook_deliveries import URL, listen
from tests.client import TestClient
from tests.client.receiver import Received, respond_with
from tests.e2e.api import DEPLOYMENT, Api

VARIABLES = {**DEPLOYMENT, "ENABLE_USER_DELETE_EMAIL": "true"}
PLANS = pytest.mark.parametrize("subrequests", [50, 10_000], ids=["free", "paid"])
QUEUES = pytest.mark.parametrize("queue", [True, False], ids=["queue", "no queue"])
FACTS = {
    **{"occurred_at": 0, "email_id": "m1", "accepted_at": 0, "subject": "Hello"},
    **{"sender": "me@example.com", "recipients": ["you@example.net"]},
}


@pytest.fixture
def api(subrequests: int, queue: bool) -> Iterator[Api]:
    variables = {**VARIABLES, "SUBREQUESTS": subrequests}
    with TestClient(variables, queue=queue, webhook_queue=queue) as server:
        server.receiver.respond = hang
        yield Api(server)


async def hang(one: Received) -> tuple[int, str | None]:
    """Respond to ``URL`` too late, and at once to all others."""
    return await respond_with(200, seconds=100 if one.url == URL else 0.01)(one)


def let_wait(api: Api, count: int) -> None:
    """Let ``count`` deliveries wait for the dead endpoint."""
    listen(api, 0, "address.paused", id="dead")
    insert = (
        "INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT 'dead', 'waits' || i, 'email.sent', 1, ?, 0 FROM n"
    )
    api.server.sql(insert, [count, json.dumps(FACTS)])


@PLANS
def test_the_cron_needs_as_many_subrequests_as_for_one_delivery(subrequests: int) -> None:
    found = set()
    for count in (1, 1000):
        with TestClient({**VARIABLES, "SUBREQUESTS": subrequests}) as server:
            server.receiver.respond = hang
            let_wait(Api(server), count)
            server.run_cron()
            found.add(server.invocations[0].used)
    assert len(found) == 1


@PLANS
@QUEUES
def test_mail_and_other_endpoints_do_not_wait(api: Api) -> None:
    let_wait(api, 1000)
    sender = api.new_sender(balance=5)
    listen(api, sender.address_id, "email.sent", id="w2", url=f"{URL}/quick")
    for _ in range(2):
        response = api.send(sender)
        assert response.status_code == 200, response.text
        api.server.run_cron()
        api.server.advance(60)
    urls = [one.url for one in api.server.receiver.received]
    assert urls.count(f"{URL}/quick") == 2
    assert api.server.receiver.most_at_once[URL] == 4


@pytest.mark.parametrize("subrequests", [50], ids=["free"])
@QUEUES
def test_the_sweep_does_not_wait(api: Api) -> None:
    let_wait(api, 1000)
    work_of_every_kind(api, 2)
    done: dict[str, int] = {}
    for _ in range(15):
        api.server.run_cron()
        for name, count in counts(api).items():
            done[name] = done.get(name, 0) + count
        api.server.advance(60)
    assert [name for name, count in done.items() if not count] == []


def test_without_a_secret_no_delivery_is_attempted() -> None:
    with TestClient({**VARIABLES, "JWT_SECRET": ""}) as server:
        let_wait(Api(server), 2)
        server.run_cron()
        server.advance(60)
        assert server.receiver.received == []
        rows = server.sql("SELECT DISTINCT status, attempt FROM webhook_deliveries")
    assert rows == [{"status": "pending", "attempt": 0}]


@pytest.mark.parametrize(
    ("status", "retry_after", "least"),
    [
        *((503, "120", 120), (429, "120", 120), (500, "120", 5), (503, "1", 5)),
        *((429, "soon", 5), (503, "", 5), (503, "-1", 5), (429, "9" * 12, 5)),
        (503, "999999999", 86_400),
    ],
)
def test_retry_after_is_honoured(status: int, retry_after: str, least: int) -> None:
    with TestClient({**VARIABLES, "SUBREQUESTS": 10_000}) as server:
        api: Any = Api(server)
        listen(api, 0, "email.sent")
        server.receiver.respond = respond_with(status, retry_after)
        assert api.send(api.new_sender(balance=5)).status_code == 200
        while len(server.receiver.received) < 2:
            server.advance(60 if least < 1000 else 3600)
            server.run_cron()
            server.advance(1)
        first, second, *_ = server.receiver.received
        assert (
            least <= (second.at - first.at) / 1000 <= least * 1.2 + (61 if least < 1000 else 3700)
        )
        assert (first.id, first.body) == (second.id, second.body)
