"""Brings the server to the point at which it is killed."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.crash.clients import Clients, Submission, new_submission
from tests.crash.points import SWEEP_STOPS, Point, Stop
from tests.crash.site import Site
from tests.e2e.api import Sender
from tools.local_server import ServerError

_BUSY = "E_RATE_LIMIT_EXCEEDED"
_HELD = 4


@dataclass(frozen=True)
class Held:
    """A submission held at a point, and the status and number of mails with which it must end."""

    submission: Submission
    end: str | None
    mails: int


def bring_to(site: Site, point: Point, clients: Clients, sender: Sender, number: int) -> list[Held]:
    """Hold some submissions of ``sender`` at ``point``; ``number`` chooses the stop of a sweep."""
    if point.kind == "sweep":
        return _in_a_sweep(site, clients, sender, SWEEP_STOPS[number % len(SWEEP_STOPS)])
    submissions = _new_submissions(sender, point.instructions)
    if point.busy:
        _reject_once(site, submissions)
    if point.kind == "retry":
        # The queue consumer claims the messages of a batch together, and the gate sees only the
        # first of them. So only one can be stopped there.
        submissions = submissions[:1]
        _send_and_wait(clients, submissions)
        _hold(site, submissions, point.stop)
        _make_due(site, submissions)
        site.server.run_cron()
    else:
        if not point.provider_waits:
            _hold(site, submissions, point.stop)
        clients.send(submissions)
    site.gate.wait_for(*point.stop, _subjects(submissions))
    if point.provider_waits:
        _wait_until_called(site, sender, submissions, taken=bool(point.mails))
    return [Held(submission, point.end, point.mails) for submission in submissions]


def _in_a_sweep(site: Site, clients: Clients, sender: Sender, stop: Stop) -> list[Held]:
    """Hold a sweep at ``stop``.

    It finds due messages, and messages with expired leases: some of their workers have called the
    provider, some have not.
    """
    uncalled, called, due = (_new_submissions(sender, "")[:2] for _ in range(3))
    _reject_once(site, due)
    _send_and_wait(clients, due)
    _hold(site, uncalled, ("call", "before"))
    _hold(site, called, ("record", "before"))
    clients.send(uncalled + called)
    site.gate.wait_for("call", "before", _subjects(uncalled))
    site.gate.wait_for("record", "before", _subjects(called))
    site.change("lease_until = 1", _subjects(uncalled + called))
    _make_due(site, due)
    site.gate.hold(*stop)
    clients.run(lambda: _sweep(site))
    site.gate.wait_for(*stop)
    return [
        *(Held(submission, "unknown", 0) for submission in uncalled),
        *(Held(submission, "unknown", 1) for submission in called),
        *(Held(submission, "sent", 1) for submission in due),
    ]


def _new_submissions(sender: Sender, instructions: str) -> list[Submission]:
    return [new_submission(sender, instructions, keyed=number % 2 == 0) for number in range(_HELD)]


def _subjects(submissions: Iterable[Submission]) -> list[str]:
    return [submission.subject for submission in submissions]


def _reject_once(site: Site, submissions: list[Submission]) -> None:
    for subject in _subjects(submissions):
        site.gate.break_off("call", "before", subject, times=1, code=_BUSY)


def _hold(site: Site, submissions: list[Submission], stop: Stop) -> None:
    for subject in _subjects(submissions):
        site.gate.hold(*stop, subject)


def _make_due(site: Site, submissions: list[Submission]) -> None:
    site.change("next_attempt_at = 1", _subjects(submissions))


def _send_and_wait(clients: Clients, submissions: list[Submission]) -> None:
    clients.send(submissions)
    _wait(lambda: all(submission.response is not None for submission in submissions))


def _wait_until_called(
    site: Site, sender: Sender, submissions: list[Submission], *, taken: bool
) -> None:
    if taken:
        _wait(lambda: all(site.mails(sender)[subject] for subject in _subjects(submissions)))
    else:
        time.sleep(0.2)  # The call takes about a millisecond from the gate to the provider.


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _sweep(site: Site) -> None:
    with contextlib.suppress(ServerError):
        site.server.run_cron()
