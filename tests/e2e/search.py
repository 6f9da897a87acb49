"""Helpers to search a sendbox and to create messages that can be found."""

import time
from typing import Any

from store.search_index import SETTLED_MILLISECONDS
from tests.e2e.api import Api, Sender
from tests.unit.given import message_id


def page(api: Api, sender: Sender, **query: Any) -> dict[str, Any]:
    response = api.get("/api/sendbox", params=query, headers=sender.headers)
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


def ids(shown: dict[str, Any]) -> list[str]:
    return [row["id"] for row in shown["results"]]


def send_some(api: Api, sender: Sender, count: int, **fields: Any) -> list[str]:
    """Send ``count`` messages; return their ids, newest first."""
    return [api.send(sender, **fields).json()["id"] for _ in range(count)][::-1]


def put_settled(api: Api, sender: Sender, **body: str) -> str:
    """Store a message that is just old enough for the search index; return its id."""
    accepted = time.time_ns() // 1_000_000 - SETTLED_MILLISECONDS - 1
    id = message_id(accepted, int(str(sender.address_id) + "0"))
    api.server.sql(
        "INSERT INTO messages (id, address_id, sender, subject, size, recipients, charge, status,"
        " attempt, accepted_at, finished_at) VALUES (?, ?, ?, 'Figures', 9, 1, 1, 'sent', 1, ?, ?)",
        [id, sender.address_id, sender.address, accepted, accepted],
    )
    api.server.sql(
        "INSERT INTO deliveries (message_id, position, kind, address) VALUES (?, 0, 'to', ?)",
        [id, "anna@example.net"],
    )
    for kind, content in body.items():
        api.server.sql("INSERT INTO bodies VALUES (?, ?, 0, ?)", [id, kind, content])
    return id
