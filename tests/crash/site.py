"""The system under test: a server behind the gate, and the ledger outside of its processes."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.api import Api, Sender
from tests.faults.deployment import failing_deployment
from tests.faults.gate.gate import Gate
from tests.faults.ledger import Ledger
from tools.local_server import LocalServer

BALANCE = 1_000_000
_SECONDS = 30


@dataclass(frozen=True)
class Site:
    api: Api
    gate: Gate
    ledger: Ledger

    @property
    def server(self) -> LocalServer:
        server: LocalServer = self.api.server
        return server

    def mails(self, sender: Sender) -> Counter[str]:
        """The number of mails that the provider has taken, by subject."""
        return Counter(mail["subject"] for mail in self.ledger.mails_of(sender.address))

    def change(self, assignment: str, subjects: list[str]) -> None:
        """Change the rows of the messages with these subjects; ``assignment`` is SQL after SET."""
        chosen = "subject IN (SELECT value FROM json_each(?))"
        self.server.sql(f"UPDATE messages SET {assignment} WHERE {chosen}", [json.dumps(subjects)])

    def open_rows(self) -> list[dict[str, Any]]:
        """The messages that have not finished."""
        return self.server.sql(
            "SELECT id, subject, status, attempt FROM messages "
            "WHERE status IN ('scheduled', 'queued', 'sending')"
        )

    def end_waiting(self) -> None:
        """Let every lease expire, and make every queued message due."""
        self.server.sql("UPDATE messages SET lease_until = 1 WHERE lease_until IS NOT NULL")
        self.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL")

    def sweep_until_nothing_is_open(self) -> None:
        """Run the cron handler until it and the queue have finished every message."""
        deadline = time.monotonic() + _SECONDS
        while True:
            self.server.run_cron()
            next_run = time.monotonic() + 3
            while time.monotonic() < next_run:
                if not self.open_rows():
                    return
                time.sleep(0.05)
            assert time.monotonic() < deadline, self.open_rows()


@contextmanager
def running_site(variables: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Start a server with these variables, and stop it in the end."""
    # Without pauses, because at some points the provider rejects many mails of the address.
    variables = {"PAUSE_FAILED_PERCENT": "0", **(variables or {})}
    with (
        Ledger() as ledger,
        Gate() as gate,
        failing_deployment(ledger, variables, gate=gate) as server,
    ):
        yield Site(Api(server), gate, ledger)
