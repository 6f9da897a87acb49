"""The throughput of delivery events, and the rows that they write."""

import json
import time
import uuid
from typing import Any

from ids import new_ids
from mail.delivery import DeliveryKind
from tools.bench import mails
from tools.bench.history import OWN_ADDRESS_ID
from tools.bench.load import LoadError
from tools.bench.log import log_lines
from tools.bench.report import Figures, progress
from tools.bench.workers import Workers
from tools.event import MEMBERS
from tools.event_producer import EventProducer
from tools.local_database import Row
from tools.local_server import LocalServer
from transport.delivery_events import event_form

_EVENTS = 3000
_AT_ONCE = 1000
_SECONDS = 120

# The share of each kind, in percent.
_MIX: dict[DeliveryKind, int] = {"delivered": 90, "delayed": 5, "bounced": 4, "complained": 1}

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


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Let events of different messages arrive through the queue, in batches of 100."""
    server = workers.ours.server
    count = _EVENTS * repeat
    progress(f"Recording {count} delivery events (15 s)")
    rows = store_messages(server, mails.SENDER, OWN_ADDRESS_ID, count)
    kinds = [kind for kind, percent in _MIX.items() for _ in range(percent)]
    events = [_event(kinds[number % 100], row) for number, row in enumerate(rows)]
    before = len(log_lines(server.log, "delivery_events"))
    with EventProducer(server.registry) as producer:
        producer.put(events[:1])  # warms up
        _lines(server, before, 1)
        began = time.perf_counter()
        producer.put(events[1:])
        lines = _lines(server, before, count)[1:]
        seconds = time.perf_counter() - began
    figures.add("events_per_second", (count - 1) / seconds, 1)
    written = sum(line["d1_rows_written"] for line in lines)
    figures.add("d1_rows_written_per_event", written / (count - 1))


def store_messages(
    server: LocalServer, sender: str, address_id: int, count: int, *, status: str = "sent"
) -> list[Row]:
    """Write messages to one recipient each into the database; return their rows."""
    now = time.time_ns() // 1_000_000
    rows: list[Row] = [
        {
            "id": id_,
            "address_id": address_id,
            "sender": sender,
            "status": status,
            "provider_message_id": f"<{id_}@provider.test>" if status == "sent" else None,
            "accepted_at": now,
            "to_mail": f"{id_}@example.net",
        }
        for id_ in new_ids(now, count)
    ]
    for start in range(0, count, _AT_ONCE):
        some = json.dumps(rows[start : start + _AT_ONCE])
        server.sql(_MESSAGES, [some])
        server.sql(_DELIVERIES, [some])
    return rows


def _event(kind: DeliveryKind, row: Row) -> dict[str, Any]:
    return event_form(
        kind,
        event_id=str(uuid.uuid4()),
        message_id=row["provider_message_id"],
        sender=row["sender"],
        recipient=row["to_mail"],
        occurred_at=row["accepted_at"],
        **MEMBERS[kind],
    )


def _lines(server: LocalServer, before: int, count: int) -> list[dict[str, Any]]:
    """The log lines of the batches, when they have recorded ``count`` events."""
    deadline = time.monotonic() + _SECONDS
    while True:
        lines = log_lines(server.log, "delivery_events")[before:]
        if (found := sum(line["new"] for line in lines)) >= count:
            return lines
        if time.monotonic() > deadline:
            raise LoadError(f"{found} of {count} delivery events were recorded")
        time.sleep(0.05)
