"""The clients: the mails that they submit, and the responses."""

import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests

from tests.e2e.api import Api, Sender

LOAD = ["", "", "", "[wait 40]", "[take] [wait 40]", "[E_DELIVERY_FAILED]"]


@dataclass
class Submission:
    """One mail that a client submits. Its subject is unique."""

    sender: Sender
    subject: str
    key: str | None
    response: requests.Response | None = None

    def send(self, api: Api) -> requests.Response | None:
        """Send it, and return the response, or None if the connection broke."""
        fields: dict[str, Any] = {"subject": self.subject, "content": f"text of {self.subject}"}
        try:
            if self.key is None:
                return api.send(self.sender, **fields)
            return api.send_with_key(self.sender, self.key, **fields)
        except requests.RequestException:
            return None


def new_submission(sender: Sender, instructions: str, *, keyed: bool) -> Submission:
    """A new submission. Its subject contains ``instructions`` to the provider's stand-in."""
    return Submission(
        sender, f"{instructions} {uuid.uuid4()}", str(uuid.uuid4()) if keyed else None
    )


@dataclass
class Clients:
    """Clients that send until the server is killed, each in a separate thread."""

    api: Api
    submissions: list[Submission] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def send(self, submissions: list[Submission]) -> None:
        """Start one client per submission, all at the same time."""
        self.submissions += submissions
        for submission in submissions:
            self._start(partial(self._send, submission))

    def load(self, sender: Sender, clients: int) -> None:
        """Start ``clients`` clients. Each sends one mail after the other until a request fails."""
        for _ in range(clients):
            self._start(lambda: self._send_repeatedly(sender))

    def run(self, work: Callable[[], object]) -> None:
        """Run ``work`` in a thread, so that the kill of the server interrupts it."""
        self._start(work)

    def stop(self) -> None:
        """Start no more submissions, and wait for all threads to end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def response_count(self) -> int:
        """The number of submissions that have a response."""
        return sum(submission.response is not None for submission in self.submissions)

    def _send_repeatedly(self, sender: Sender) -> None:
        has_response = True
        while has_response and not self._stopped.is_set():
            submission = new_submission(sender, random.choice(LOAD), keyed=random.random() < 0.5)
            self.submissions.append(submission)
            has_response = self._send(submission)

    def _send(self, submission: Submission) -> bool:
        submission.response = submission.send(self.api)
        return submission.response is not None

    def _start(self, work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()
