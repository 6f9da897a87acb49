"""Messages that were sent long ago, and what has been recorded of their delivery events."""

import time
from collections.abc import Sequence
from typing import Any

from mail.delivery import DeliveryKind
from tests.api.delivery import event
from tests.e2e.api import Sender
from tools.bench.delivery import store_messages
from tools.local_server import LocalServer

Row = dict[str, Any]

_SECONDS = 120


def stored_messages(
    server: LocalServer, sender: Sender, count: int, *, status: str = "sent"
) -> list[Row]:
    """Write messages to one recipient each into the database; return their rows."""
    return store_messages(server, sender.address, sender.address_id, count, status=status)


def events_of(rows: Sequence[Row], *kinds: DeliveryKind) -> list[Row]:
    """One event of each kind for each message."""
    return [event(kind, row) for kind in kinds for row in rows]


def recorded(server: LocalServer) -> int:
    """The number of recorded events."""
    (row,) = server.sql("SELECT count(*) AS n FROM delivery_events")
    number: int = row["n"]
    return number


def wait_for_events(server: LocalServer, count: int, seconds: float = _SECONDS) -> None:
    """Wait until this number of events is recorded."""
    deadline = time.monotonic() + seconds
    while (found := recorded(server)) != count:
        assert time.monotonic() < deadline, f"{found} of {count} events are recorded"
        time.sleep(0.1)


def counted(server: LocalServer) -> dict[str, int]:
    """The numbers of recipients by the kind of event, over all days and domains."""
    kinds = ("delayed", "delivered", "rejected", "failed", "bounced", "complained")
    sums = ", ".join(f"coalesce(sum({kind}), 0) AS {kind}" for kind in kinds)
    (row,) = server.sql(f"SELECT {sums} FROM delivery_days")
    return {kind: number for kind, number in row.items() if number}
