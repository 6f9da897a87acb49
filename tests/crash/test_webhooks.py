"""The server is killed while webhooks are delivered.

Every change reaches the receiver at least once, always with the same id and bytes. Nothing arrives
that did not happen.
"""

import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from mail.webhook_events import EVENTS
from tests.crash.site import BALANCE, Site, running_site
from tests.e2e.api import Sender
from tests.e2e.webhook_receiver import Receiver, receiver

KILLS = 20
_MAILS = 5
_SECONDS = 60

# Where the worker is held: before the first claim, before and after the batch that writes the
# outcomes. None: the receiver has the request, and does not respond.
STOPS = {
    "between the change and the attempt": ("webhook claim", "before"),
    "after the claim": ("webhook claim", "after"),
    "during the attempt": None,
    "before the outcome is written": ("webhook finish", "before"),
    "after the outcome is written": ("webhook finish", "after"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site({"ENABLE_LOCAL_WEBHOOKS": "true"}) as running:
        yield running


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_no_event_is_lost_or_changed(
    site: Site, hooks: Receiver, stop: tuple[str, str] | None
) -> None:
    sender = site.api.new_sender(balance=BALANCE)
    body = {"endpoint": hooks.url("/held"), "events": list(EVENTS)}
    assert site.api.post("/webhooks", body, headers=sender.headers).status_code == 200
    for _ in range(KILLS):
        kill(site, hooks, sender, stop)
        check(site, hooks, sender)


def kill(site: Site, hooks: Receiver, sender: Sender, stop: tuple[str, str] | None) -> None:
    """Kill the server at ``stop``, restart it, and let it deliver what waits."""
    site.gate.reset()
    if stop:
        site.gate.hold(*stop)
    else:
        hooks.hold()
    arrived = len(hooks.received)
    for _ in range(_MAILS):
        assert site.api.send(sender).status_code == 200
    if stop:
        site.gate.wait_for(*stop)
    else:
        hooks.wait_for(lambda: len(hooks.received) > arrived)
    site.server.kill()
    site.gate.reset()
    hooks.release()
    site.server.start()
    # The leases of the killed server have ended, and nothing waits for a retry.
    site.server.sql(
        "UPDATE webhook_deliveries SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL"
    )
    deadline = time.monotonic() + _SECONDS
    while open_deliveries(site):
        assert time.monotonic() < deadline, open_deliveries(site)
        site.server.run_cron()
        time.sleep(0.3)


def open_deliveries(site: Site) -> list[dict[str, object]]:
    return site.server.sql(
        "SELECT id, status, attempt FROM webhook_deliveries WHERE status <> 'success'"
    )


def check(site: Site, hooks: Receiver, sender: Sender) -> None:
    bodies: dict[str, set[str]] = defaultdict(set)
    for one in hooks.received:
        bodies[one.headers["webhook-id"]].add(one.body)
    rows = site.server.sql(
        """
        SELECT d.id, d.body, d.body ->> '$.data.email_id' AS message_id, d.type
        FROM webhook_deliveries AS d JOIN webhooks AS hook ON hook.id = d.webhook_id
        WHERE hook.address_id = ?
        """,
        [sender.address_id],
    )
    assert bodies == {row["id"]: {row["body"]} for row in rows}
    changes = site.server.sql(
        """
        SELECT 'email.' || kind AS type, message_id
        FROM events JOIN messages ON id = message_id WHERE address_id = ?
        """,
        [sender.address_id],
    )
    found = sorted((row["type"], row["message_id"]) for row in rows)
    assert found == sorted((row["type"], row["message_id"]) for row in changes)
