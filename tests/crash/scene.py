"""Bringing the server to the point at which it is killed."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.crash.clients import Clients, Order, order
from tests.crash.points import SWEEP_STOPS, Point, Stop
from tests.crash.site import Site
from tests.e2e.api import Sender
from tools.local_server import ServerError

_BUSY = "E_RATE_LIMIT_EXCEEDED"
_HELD = 4


@dataclass(frozen=True)
class Held:
    """An order that stands at a point, and what is to come of it."""

    order: Order
    end: str | None
    mails: int


def bring_to(site: Site, point: Point, clients: Clients, sender: Sender, number: int) -> list[Held]:
    """Have some orders of ``sender`` stand at ``point``; ``number`` is that of the kill."""
    if point.kind == "swept":
        return _in_a_sweep(site, clients, sender, SWEEP_STOPS[number % len(SWEEP_STOPS)])
    orders = _orders(sender, point.orders)
    if point.busy:
        _refuse_once(site, orders)
    if point.kind == "woken":
        _place_and_wait(clients, orders)
        _hold(site, orders, point.stop)
        _make_due(site, orders)
        site.server.run_cron()
    else:
        if not point.provider_waits:
            _hold(site, orders, point.stop)
        clients.place(orders)
    site.gate.wait_for(*point.stop, _subjects(orders))
    if point.provider_waits:
        _wait_until_called(site, sender, orders, taken=bool(point.mails))
    return [Held(placed, point.end, point.mails) for placed in orders]


def _in_a_sweep(site: Site, clients: Clients, sender: Sender, stop: Stop) -> list[Held]:
    """A sweep that has to do with messages left behind, called or not, and with others due."""
    uncalled, called, due = (_orders(sender, "")[:2] for _ in range(3))
    _refuse_once(site, due)
    _place_and_wait(clients, due)
    _hold(site, uncalled, ("call", "before"))
    _hold(site, called, ("confirm", "before"))
    clients.place(uncalled + called)
    site.gate.wait_for("call", "before", _subjects(uncalled))
    site.gate.wait_for("confirm", "before", _subjects(called))
    site.change("lease_until = 1", _subjects(uncalled + called))
    _make_due(site, due)
    site.gate.hold(*stop)
    clients.work(lambda: _sweep(site))
    site.gate.wait_for(*stop)
    return [
        *(Held(placed, "unknown", 0) for placed in uncalled),
        *(Held(placed, "unknown", 1) for placed in called),
        *(Held(placed, "sent", 1) for placed in due),
    ]


def _orders(sender: Sender, orders: str) -> list[Order]:
    return [order(sender, orders, keyed=number % 2 == 0) for number in range(_HELD)]


def _subjects(orders: Iterable[Order]) -> list[str]:
    return [placed.subject for placed in orders]


def _refuse_once(site: Site, orders: list[Order]) -> None:
    for subject in _subjects(orders):
        site.gate.break_off("call", "before", subject, times=1, code=_BUSY)


def _hold(site: Site, orders: list[Order], stop: Stop) -> None:
    for subject in _subjects(orders):
        site.gate.hold(*stop, subject)


def _make_due(site: Site, orders: list[Order]) -> None:
    site.change("next_attempt_at = 1", _subjects(orders))


def _place_and_wait(clients: Clients, orders: list[Order]) -> None:
    clients.place(orders)
    _wait(lambda: all(placed.answer is not None for placed in orders))


def _wait_until_called(site: Site, sender: Sender, orders: list[Order], *, taken: bool) -> None:
    if taken:
        _wait(lambda: all(site.mails(sender)[subject] for subject in _subjects(orders)))
    else:
        time.sleep(0.2)  # from the gate to the provider it is a millisecond


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _sweep(site: Site) -> None:
    with contextlib.suppress(ServerError):
        site.server.run_cron()
