"""The whole process group is killed under load, at every point at which a send can be cut in two.

The worker is held at the point by the gate, which stands in its way to the database, the provider
and the queue; the provider notes in the test's own process what it takes, before it answers.
After each restart on the same state the ledger, the rows and the balances are compared.
"""

import random
import time
from collections.abc import Iterator

import pytest

from tests.crash.audit import Figures, audit, check_unknown, rows_by_subject
from tests.crash.clients import Clients, Order
from tests.crash.points import POINTS, Point
from tests.crash.repetition import check_in_flight, check_repeated
from tests.crash.scene import Held, bring_to
from tests.crash.site import BALANCE, Site, running_site
from tests.e2e.api import Sender

ESSENTIAL = [point for point in POINTS if point.essential]
KILLS = 20
LOADING_CLIENTS = 4
ANSWERS_BEFORE_THE_KILL = 10


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


@pytest.mark.parametrize("point", ESSENTIAL, ids=lambda point: point.name)
def test_one_kill(site: Site, point: Point) -> None:
    kill_again_and_again(site, point, range(1, 2))  # with 1 a sweep stands between two batches


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_many_kills(site: Site, point: Point, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    figures = kill_again_and_again(site, point, range(KILLS))
    with capsys.disabled():
        seconds = time.monotonic() - started
        print(f"\n{point.name}: {KILLS} kills in {seconds:.0f} s, {figures}", flush=True)


def kill_again_and_again(site: Site, point: Point, numbers: range) -> Figures:
    sender = site.api.new_sender(balance=BALANCE)
    orders: list[Order] = []
    for number in numbers:
        orders += kill(site, point, sender, number)
        figures = audit(site, sender, orders)
    return figures


def kill(site: Site, point: Point, sender: Sender, number: int) -> list[Order]:
    """Kill the server at ``point``, start it again, and return what was ordered until then."""
    site.gate.reset()
    clients = Clients(site.api)
    clients.load(sender, LOADING_CLIENTS)
    held = bring_to(site, point, clients, sender, number)
    while clients.answers() < ANSWERS_BEFORE_THE_KILL:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.03))
    site.server.kill()
    clients.go_home()
    passages = site.gate.passages
    site.gate.reset()

    site.end_waiting()
    site.server.start()
    check_in_flight(site, held)
    site.sweep_until_nothing_is_open()
    check_held(site, sender, held)
    rows = rows_by_subject(site, sender)
    check_unknown(clients.orders, rows, passages)
    ordered_by_held = [one.order for one in held]
    for placed in clients.orders:
        if placed.key and (placed.answer is None or placed in ordered_by_held):
            check_repeated(site, placed, kept=placed.subject in rows)
    return clients.orders


def check_held(site: Site, sender: Sender, held: list[Held]) -> None:
    rows, mails = rows_by_subject(site, sender), site.mails(sender)
    for one in held:
        subject = one.order.subject
        row = rows.get(subject)
        assert (row["status"] if row else None, mails[subject]) == (one.end, one.mails)
