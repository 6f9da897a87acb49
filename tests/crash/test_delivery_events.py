"""The server is killed while it records a batch of delivery events.

The queue of production keeps the events of such a batch. The local queue loses them at a restart,
so the test puts all events into the queue again.
"""

import random
import time
from collections.abc import Iterator

import pytest

from mail.delivery import DeliveryKind
from tests.crash.site import BALANCE, Site, running_site
from tests.e2e.api import Sender
from tests.faults.delivered import counted, events_of, recorded, stored_messages, wait_for_events
from tools.event_producer import EventProducer

KILLS = 20
MESSAGES = 40
UNKNOWN = 5

# The batches of the database at which the worker is held: the one that records events, and the one
# that settles unknown outcomes. Without a stop, the kill comes at any time.
STOPS = [
    *[("events", "before"), ("events", "after"), ("record", "before"), ("record", "after")],
    None,
]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_event_is_lost_or_counted_twice(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    sender = site.api.new_sender(balance=BALANCE)
    found = 0
    for number in range(KILLS):
        found += kill(site, sender, STOPS[number % len(STOPS)])
        check(site, sender, number + 1)
    with capsys.disabled():
        print(f"\n{KILLS} kills; {found} of the events were recorded before", flush=True)


def kill(site: Site, sender: Sender, stop: tuple[str, str] | None) -> int:
    """Kill the server at ``stop``; return how many events had been recorded."""
    site.gate.reset()
    sent = stored_messages(site.server, sender, MESSAGES)
    unknown = stored_messages(site.server, sender, UNKNOWN, status="unknown")
    kinds: list[DeliveryKind] = ["delayed", "delivered", "bounced"]
    events = [*events_of(sent, *kinds), *events_of(unknown, "delivered")]
    random.shuffle(events)
    before = recorded(site.server)
    if stop:
        site.gate.hold(*stop)
    with EventProducer(site.server.registry) as queue:
        queue.put(events)
        if stop:
            site.gate.wait_for(*stop)
        else:
            time.sleep(random.uniform(0, 2.5))
        site.server.kill()
    site.gate.reset()
    written = recorded(site.server) - before
    site.server.start()
    random.shuffle(events)
    # The first producer knows only the address of the killed server.
    with EventProducer(site.server.registry) as queue:
        queue.put(events)
        wait_for_events(site.server, before + len(events))
    return written


def check(site: Site, sender: Sender, times: int) -> None:
    expected = {
        "delayed": times * MESSAGES,
        "delivered": times * (MESSAGES + UNKNOWN),
        "bounced": times * MESSAGES,
    }
    assert counted(site.server) == expected
    sql = "SELECT sum(delivered) AS delivered, sum(bounced) AS bounced FROM usage_days"
    assert site.server.sql(sql) == [{kind: expected[kind] for kind in ("delivered", "bounced")}]
    sql = (
        "SELECT delivery_status AS status, status AS of, count(*) AS n FROM messages GROUP BY 1, 2"
    )
    assert {(row["status"], row["of"], row["n"]) for row in site.server.sql(sql)} == {
        ("bounced", "sent", times * MESSAGES),
        ("delivered", "sent", times * UNKNOWN),
    }
    (row,) = site.server.sql("SELECT count(*) AS n FROM suppressions")
    assert row["n"] == times * MESSAGES
    settled = "SELECT count(*) AS n FROM events WHERE settled_by IS NOT NULL"
    assert site.server.sql(settled) == [{"n": times * UNKNOWN}]
