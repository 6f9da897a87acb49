"""The server's process group is killed under load, at points of a send and of a sweep.

The gate holds the worker before or after a call to the database, the provider or the queue. Before
the provider's stand-in responds, it writes the accepted mail to a ledger in the test's process.
After each restart on the same state the ledger, the rows and the balances are compared.
"""

import random
import time
from collections.abc import Iterator

import pytest

from tests.crash.audit import Figures, audit, check_unknown, rows_by_subject
from tests.crash.clients import Clients, Submission
from tests.crash.points import POINTS, Point
from tests.crash.repetition import check_in_flight, check_repeated
from tests.crash.scene import Held, bring_to
from tests.crash.site import BALANCE, Site, running_site
from tests.e2e.api import Sender

ESSENTIAL = [point for point in POINTS if point.essential]
KILLS = 20
LOADING_CLIENTS = 4
RESPONSES_BEFORE_THE_KILL = 10


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("point", ESSENTIAL, ids=lambda point: point.name)
def test_one_kill(site: Site, point: Point) -> None:
    kill_repeatedly(site, point, range(1, 2))  # number 1: a sweep is held between two batches


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_many_kills(site: Site, point: Point, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    figures = kill_repeatedly(site, point, range(KILLS))
    with capsys.disabled():
        seconds = time.monotonic() - started
        print(f"\n{point.name}: {KILLS} kills in {seconds:.0f} s, {figures}", flush=True)


def kill_repeatedly(site: Site, point: Point, numbers: range) -> Figures:
    sender = site.api.new_sender(balance=BALANCE)
    submissions: list[Submission] = []
    for number in numbers:
        submissions += kill(site, point, sender, number)
        figures = audit(site, sender, submissions)
    return figures


def kill(site: Site, point: Point, sender: Sender, number: int) -> list[Submission]:
    """Kill the server at ``point``, restart it, and return what was submitted before the kill."""
    site.gate.reset()
    clients = Clients(site.api)
    clients.load(sender, LOADING_CLIENTS)
    held = bring_to(site, point, clients, sender, number)
    while clients.response_count() < RESPONSES_BEFORE_THE_KILL:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.03))
    site.server.kill()
    clients.stop()
    passages = site.gate.passages
    site.gate.reset()

    site.end_waiting()
    site.server.start()
    check_in_flight(site, held)
    site.sweep_until_nothing_is_open()
    check_held(site, sender, held)
    rows = rows_by_subject(site, sender)
    check_unknown(clients.submissions, rows, passages)
    held_submissions = [one.submission for one in held]
    for submission in clients.submissions:
        if submission.key and (submission.response is None or submission in held_submissions):
            check_repeated(site, submission, kept=submission.subject in rows)
    return clients.submissions


def check_held(site: Site, sender: Sender, held: list[Held]) -> None:
    rows, mails = rows_by_subject(site, sender), site.mails(sender)
    for one in held:
        subject = one.submission.subject
        row = rows.get(subject)
        assert (row["status"] if row else None, mails[subject]) == (one.end, one.mails)
