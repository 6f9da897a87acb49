"""The clients: what each ordered, and what it heard."""

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
class Order:
    """One mail that a client orders; its subject is like no other."""

    sender: Sender
    subject: str
    key: str | None
    answer: requests.Response | None = None

    def place(self, api: Api) -> requests.Response | None:
        """Send it, and return what came back; None when the connection broke."""
        fields: dict[str, Any] = {"subject": self.subject, "content": f"text of {self.subject}"}
        try:
            if self.key is None:
                return api.send(self.sender, **fields)
            return api.send_with_key(self.sender, self.key, **fields)
        except requests.RequestException:
            return None


def order(sender: Sender, orders: str, *, keyed: bool) -> Order:
    """A new order, with an idempotency key or without."""
    return Order(sender, f"{orders} {uuid.uuid4()}", str(uuid.uuid4()) if keyed else None)


@dataclass
class Clients:
    """Clients at work, each in a thread of its own, until the server is gone."""

    api: Api
    orders: list[Order] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def place(self, orders: list[Order]) -> None:
        """One client for each of these, all at the same time."""
        self.orders += orders
        for placed in orders:
            self._start(partial(self._place, placed))

    def load(self, sender: Sender, clients: int) -> None:
        """So many clients that order one mail after the other."""
        for _ in range(clients):
            self._start(lambda: self._order_on_and_on(sender))

    def work(self, work: Callable[[], object]) -> None:
        """Whatever else is under way while the server is killed."""
        self._start(work)

    def go_home(self) -> None:
        """Wait until nobody waits for an answer any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answers(self) -> int:
        """How many orders have been answered."""
        return sum(placed.answer is not None for placed in self.orders)

    def _order_on_and_on(self, sender: Sender) -> None:
        answered = True
        while answered and not self._over.is_set():
            placed = order(sender, random.choice(LOAD), keyed=random.random() < 0.5)
            self.orders.append(placed)
            answered = self._place(placed)

    def _place(self, placed: Order) -> bool:
        placed.answer = placed.place(self.api)
        return placed.answer is not None

    def _start(self, work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()
