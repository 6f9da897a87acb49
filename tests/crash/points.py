"""The points at which the server is killed, and what comes of the messages that stand there."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["request", "woken", "swept"]
Stop = tuple[str, str]


@dataclass(frozen=True)
class Point:
    """A point in the life of a message, or of a sweep.

    ``orders`` are the provider's, and ``busy`` says that it refuses the first attempt for now.
    The worker is held at ``stop``, a point of the gate; with ``provider_waits`` it is not held
    there, and it is the provider that has not answered. After the restart the message ends as
    ``end`` (None: there is none), and ``mails`` have left for it. Tests that are not to take long
    leave those out that are not ``essential``.
    """

    name: str
    stop: Stop
    end: str | None
    mails: int
    kind: Kind = "request"
    orders: str = ""
    busy: bool = False
    provider_waits: bool = False
    essential: bool = True


_WAITING = "[wait 25000]"

POINTS = [
    Point("before the reserve", ("reserve", "before"), None, 0, essential=False),
    Point("after the reserve", ("reserve", "after"), "unknown", 0),
    Point("in the call", ("call", "before"), "unknown", 0, orders=_WAITING, provider_waits=True),
    Point(
        "in the call, mail taken",
        ("call", "before"),
        "unknown",
        1,
        orders=f"[take] {_WAITING}",
        provider_waits=True,
        essential=False,
    ),
    Point("mail taken, before the confirm", ("confirm", "before"), "unknown", 1),
    Point("after the confirm", ("confirm", "after"), "sent", 1, essential=False),
    Point(
        "before the refund",
        ("confirm", "before"),
        "unknown",
        0,
        orders="[E_DELIVERY_FAILED]",
        essential=False,
    ),
    Point("after the refund", ("confirm", "after"), "failed", 0, orders="[E_DELIVERY_FAILED]"),
    Point("before the queue is told", ("alarm", "before"), "sent", 1, busy=True, essential=False),
    Point(
        "before the claim", ("claim", "before"), "sent", 1, kind="woken", busy=True, essential=False
    ),
    Point(
        "after the claim",
        ("claim", "after"),
        "unknown",
        0,
        kind="woken",
        busy=True,
        essential=False,
    ),
    # Before, between and after the batches of a sweep: each kill takes the next of SWEEP_STOPS.
    Point("in a sweep", ("sweep", ""), "unknown", 0, kind="swept"),
]

SWEEP_STOPS: list[Stop] = [
    (point, when)
    for point in ("sweep leases", "sweep keys", "sweep bodies", "sweep messages", "sweep due")
    for when in ("before", "after")
] + [("wake", "before"), ("wake", "after")]
