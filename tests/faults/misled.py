"""What the tests of lost responses have in common."""

from typing import Any

import requests

from tests.e2e.api import Api, Sender


class Misled:
    """A deployment that loses responses, and the state of a sender's only message."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def row(self, sender: Sender) -> dict[str, Any]:
        """The row of the only message."""
        (row,) = self.api.messages_of(sender)
        return row

    def history(self, sender: Sender) -> list[str]:
        """The events of the only message."""
        sql = "SELECT kind FROM events WHERE message_id = ? ORDER BY sequence"
        return [event["kind"] for event in self.api.server.sql(sql, [self.row(sender)["id"]])]

    def attempt_queued(self) -> None:
        """Make the queued messages due, and run the cron, which enqueues them."""
        self.api.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE status = 'queued'")
        self.api.server.run_cron()


def check_sent(response: requests.Response, row: dict[str, Any]) -> None:
    """Check that a response and the row agree that the message was sent."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["status"], body["id"]) == ("ok", row["id"])
    assert body["message_id"] == row["provider_message_id"]
    assert row["status"] == "sent"
