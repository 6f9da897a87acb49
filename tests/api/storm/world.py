"""The deployments of a storm, and everything that its clients have requested."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from store.database import Row, Statement
from tests.api.calls import Call
from tests.client import TestClient
from tests.client.client import StartedRequest
from tests.e2e.api import DEPLOYMENT, Api, Sender
from tests.faults.consistency import keep_subjects, kept_subjects

VARIABLES = {
    **DEPLOYMENT,
    "ENABLE_USER_DELETE_EMAIL": "true",
    "RETRY_HOURS": "1",
    "PAUSE_FAILED_PERCENT": "60",
    "PAUSE_LAST_MESSAGES": "12",
}
BALANCE = 80
DAILY_LIMIT = 200  # of recipients, for all addresses together
ADDRESSES = 4
_MINUTES_TO_SETTLE = 60 * 48


@dataclass
class Submission:
    """A request to send one mail, or a batch of mails, and the times that it was made."""

    sender: Sender
    subjects: list[str]
    call: Call
    is_keyed: bool
    attachment: bytes | None = None
    made: list[StartedRequest] = field(default_factory=list)

    @property
    def responses(self) -> list[requests.Response]:
        """The responses that have arrived."""
        return _responses(self.made)


@dataclass
class Change:
    """A request to cancel, delete or reschedule a message, or to send it again."""

    kind: str
    message_id: str
    made: StartedRequest

    @property
    def response(self) -> requests.Response | None:
        """The response, if it has arrived."""
        return next(iter(_responses([self.made])), None)


@dataclass
class World:
    """Workers on one database and their clients. ``lost`` is the share of lost D1 responses."""

    workers: list[TestClient]
    chance: random.Random
    lost: float
    senders: list[Sender] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    others: list[StartedRequest] = field(default_factory=list)
    subjects: dict[str, str] = field(default_factory=dict)

    @property
    def worker(self) -> TestClient:
        """Any of the workers."""
        return self.chance.choice(self.workers)

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        return self.workers[0].sql(sql, parameters)

    def query(self, sql: str, parameters: list[Any]) -> list[Row]:
        return self.rows(sql, *parameters)

    def messages(self) -> list[Row]:
        """All messages, with their subjects even if they are deleted."""
        self.remember_subjects()
        rows = self.rows("SELECT * FROM messages")
        return [{**row, "subject": self.subjects[row["id"]]} for row in rows]

    def remember_subjects(self) -> None:
        """Read the subjects that the database has kept, before another one takes its place."""
        self.subjects |= kept_subjects(self.query)

    def add_sender(self) -> None:
        """Create an address with a balance, at the first worker."""
        lost, self.lost = self.lost, 0
        self.senders.append(Api(self.workers[0]).new_sender(balance=BALANCE))
        self.lost = lost

    def submit(self, submission: Submission) -> None:
        """Make the request of ``submission``, for the first time or again."""
        submission.made.append(self.worker.start(*submission.call))

    def change(self, kind: str, message_id: str, call: Call) -> None:
        """Request a change of a message."""
        self.changes.append(Change(kind, message_id, self.worker.start(*call)))

    def request(self, call: Call) -> None:
        """Make a request of which only the status code is checked."""
        self.others.append(self.worker.start(*call))

    def open_rows(self) -> list[Row]:
        """The messages that have not finished."""
        return self.rows("SELECT * FROM messages WHERE finished_at IS NULL")

    @property
    def other_responses(self) -> list[requests.Response]:
        """The responses to ``request`` that have arrived."""
        return _responses(self.others)

    def settle(self) -> None:
        """Lose no more responses, and run the cron every minute until every message has finished.

        Afterwards all clients have their responses, and the cron has no more work.
        """
        self.lost = 0
        for minute in range(_MINUTES_TO_SETTLE):
            self.rows("UPDATE send_pauses SET paused = 0")
            for worker in self.workers:
                worker.run_cron()
            if not self.open_rows() and minute > 2:
                break
            self.workers[0].advance(60 if minute < 90 else 1800)
        for worker in self.workers:
            worker.settle()

    def loses(self, when: str, statements: list[Statement]) -> bool:
        """Whether the response of a batch of the database is lost."""
        return self.chance.random() < self.lost


def new_world(
    seed: int, several: Sequence[Mapping[str, Any]] = ({},), *, lost: float = 0.0
) -> World:
    """A world with one worker for each of ``several``.

    :param several: arguments of ``TestClient``; ``variables`` are added to ``VARIABLES``.
    """
    workers: list[TestClient] = []
    for given in several:
        options = dict(given)
        variables = {**VARIABLES, **options.pop("variables", {})}
        beside = workers[0] if workers else None
        workers.append(TestClient(variables, beside=beside, **options))
    world = World(workers, random.Random(seed), lost)
    for worker in workers:
        worker.lose_responses = world.loses
    keep_subjects(world.query)
    limits = f'{{"dailyEnabled": true, "dailyLimit": {DAILY_LIMIT}}}'
    world.rows("INSERT INTO settings (key, value) VALUES ('send_limits', ?)", limits)
    world.rows("INSERT INTO list_entries (list, value) VALUES ('verified', 'free@example.net')")
    world.rows("INSERT INTO list_entries (list, value) VALUES ('send_block', 'no@example.net')")
    for _ in range(ADDRESSES):
        world.add_sender()
    return world


def _responses(made: list[StartedRequest]) -> list[requests.Response]:
    """The responses of these requests, without those that have none yet, or never will."""
    return [one.response() for one in made if one.is_done and not one.is_killed]
