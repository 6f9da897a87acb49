"""A storm: clients that do everything an owner can do, while the queue and the cron run.

Each client is a thread that makes random requests until it is stopped or the server is killed.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.crash.site import Site
from tests.e2e.api import Api, Sender, mail
from tools.local_server import ServerError

# Instructions to the provider, in the subject. With the last two of UNTIL_THE_KILL, calls of the
# provider are open at the kill.
_QUICK = (
    *[""] * 6,
    "[wait 300]",
    "[take] [wait 500]",
    "[E_DELIVERY_FAILED]",
    "[E_DELIVERY_FAILED 1]",
    "[E_RATE_LIMIT_EXCEEDED 1]",
    "[E_RATE_LIMIT_EXCEEDED 2]",
    "[E_RECIPIENT_SUPPRESSED]",
    "[no code]",
    "[take] [no code]",
)
UNTIL_THE_KILL = (*_QUICK, "[wait 4000]", "[take] [wait 4000]")
AFTER_THE_KILL = _QUICK


@dataclass
class Submitted:
    """A request to send mails, and the responses to it and its repetitions."""

    path: str
    headers: dict[str, str]
    body: Any
    subjects: list[str]
    responses: list[requests.Response] = field(default_factory=list)


@dataclass
class Changed:
    """A request to change a message, and its response."""

    kind: str
    message_id: str
    response: requests.Response


@dataclass
class Storm:
    """The clients of one storm, and everything that they have requested."""

    site: Site
    senders: list[Sender]
    submitted: list[Submitted] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)

    def rage(
        self, seed: str, instructions: tuple[str, ...], clients: int = 6
    ) -> Callable[[], None]:
        """Start clients, crons and retries; return a function that stops them."""
        stopped = threading.Event()
        each = (
            Client(self, random.Random(f"{seed} {number}"), instructions)
            for number in range(clients)
        )
        works = [*(client.act for client in each), *[self._run_cron] * 2, self._make_due]
        threads = [
            threading.Thread(target=_repeat, args=(work, stopped), daemon=True) for work in works
        ]
        for thread in threads:
            thread.start()

        def stop() -> None:
            stopped.set()
            for thread in threads:
                thread.join()

        return stop

    def _run_cron(self) -> None:
        time.sleep(0.3)
        self.site.server.run_cron()

    def _make_due(self) -> None:
        """Make the queued messages due, because their delays are longer than the storm."""
        time.sleep(0.5)
        sql = "UPDATE messages SET next_attempt_at = 1 WHERE status = 'queued'"
        self.site.server.sql(sql)


@dataclass
class Client:
    """A client that makes random requests for the addresses of its storm."""

    storm: Storm
    chance: random.Random
    instructions: tuple[str, ...]

    def act(self) -> None:
        """Make one request, or a few."""
        acts = (self._send, self._send_batch, self._repeat, self._change, self._clear)
        (act,) = self.chance.choices(acts, (12, 2, 3, 10, 0.3))
        act(self.chance.choice(self.storm.senders))

    @property
    def _api(self) -> Api:
        return self.storm.site.api

    def _send(self, sender: Sender) -> None:
        subject = self._subject()
        fields: dict[str, Any] = {"subject": subject, "to": self._recipients(), "to_mail": None}
        if self.chance.random() < 0.4:
            fields["scheduled_at"] = self._time()
        body = mail(**fields, to_name=None)
        self._submit(Submitted("/api/send_mail", self._headers(sender), body, [subject]))

    def _send_batch(self, sender: Sender) -> None:
        subjects = [self._subject() for _ in range(self.chance.randint(2, 6))]
        body = [
            {"from": sender.address, "to": self._recipients(), "subject": subject, "text": "A text"}
            for subject in subjects
        ]
        headers = self._headers(sender) | {"x-batch-validation": "permissive"}
        self._submit(Submitted("/emails/batch", headers, body, subjects))

    def _repeat(self, sender: Sender) -> None:
        keyed = [one for one in self.storm.submitted if "Idempotency-Key" in one.headers]
        if keyed:
            self._make(self.chance.choice(keyed[-10:]))

    def _change(self, sender: Sender) -> None:
        page = self._api.get("/emails?limit=20", headers=sender.headers).json()
        ids = [email["id"] for email in page.get("data", ())]
        if not ids:
            return
        message_id = self.chance.choice(ids)
        kind, method, path, options = self.chance.choice(
            [
                ("cancel", "POST", "/emails/{}/cancel", {}),
                ("reschedule", "PATCH", "/emails/{}", {"json": {"scheduled_at": self._time()}}),
                ("retry", "POST", "/api/sendbox/{}/retry", {}),
                ("delete", "DELETE", "/api/sendbox/{}", {}),
            ]
        )
        response = self._api.call(
            method, path.format(message_id), headers=sender.headers, **options
        )
        self.storm.changed.append(Changed(kind, message_id, response))

    def _clear(self, sender: Sender) -> None:
        self._api.call("DELETE", "/api/clear_sent_items", headers=sender.headers)

    def _submit(self, submitted: Submitted) -> None:
        self.storm.submitted.append(submitted)
        self._make(submitted)

    def _make(self, submitted: Submitted) -> None:
        response = self._api.post(submitted.path, submitted.body, headers=submitted.headers)
        submitted.responses.append(response)

    def _subject(self) -> str:
        return f"{self.chance.choice(self.instructions)} {uuid.uuid4()}"

    def _headers(self, sender: Sender) -> dict[str, str]:
        key = {"Idempotency-Key": str(uuid.uuid4())} if self.chance.random() < 0.5 else {}
        return sender.headers | key

    def _recipients(self) -> list[str]:
        if self.chance.random() < 0.05:
            return ["delivered@test.invalid"]
        numbers = self.chance.sample(range(100_000), self.chance.choice((1, 1, 2)))
        return [f"recipient{number}@example.net" for number in numbers]

    def _time(self) -> str:
        at = datetime.now(UTC) + timedelta(seconds=self.chance.uniform(0.5, 5))
        return at.isoformat()


def _repeat(work: Callable[[], None], stopped: threading.Event) -> None:
    """Repeat ``work`` until it is stopped, or until the server is killed."""
    while not stopped.is_set():
        try:
            work()
        except (requests.RequestException, ServerError):
            return
