"""Messages that were sent long ago, and what has been recorded of their delivery events."""

import json
import time
from collections.abc import Sequence
from typing import Any

from ids import new_ids
from mail.delivery import DeliveryKind
from tests.api.delivery import event
from tests.e2e.api import Sender
from tools.local_server import LocalServer

Row = dict[str, Any]

_MESSAGES = """
INSERT INTO messages (
  id, address_id, sender, subject, size, recipients, charge, status, attempt,
  provider_message_id, accepted_at, finished_at
)
SELECT
  value ->> 'id', value ->> 'address_id', value ->> 'sender', 'Hello', 2000, 1, 1,
  value ->> 'status', 1, value ->> 'provider_message_id', value ->> 'accepted_at',
  value ->> 'accepted_at'
FROM json_each(?)
"""
_DELIVERIES = """
INSERT INTO deliveries (message_id, position, kind, address)
SELECT value ->> 'id', 0, 'to', value ->> 'to_mail' FROM json_each(?)
"""
_AT_ONCE = 1000
_SECONDS = 120


def stored_messages(
    server: LocalServer, sender: Sender, count: int, *, status: str = "sent"
) -> list[Row]:
    """Write messages to one recipient each into the database; return their rows."""
    now = time.time_ns() // 1_000_000
    rows: list[Row] = [
        {
            "id": id,
            "address_id": sender.address_id,
            "sender": sender.address,
            "status": status,
            "provider_message_id": f"<{id}@provider.test>" if status == "sent" else None,
            "accepted_at": now,
            "to_mail": f"{id}@example.net",
        }
        for id in new_ids(now, count)
    ]
    for start in range(0, count, _AT_ONCE):
        some = json.dumps(rows[start : start + _AT_ONCE])
        server.sql(_MESSAGES, [some])
        server.sql(_DELIVERIES, [some])
    return rows


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
