"""The points at which the server is killed, and how the message at each point ends."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["request", "retry", "sweep"]
Stop = tuple[str, str]


@dataclass(frozen=True)
class Point:
    """A point in the life of a message, or of a sweep.

    The gate holds the worker at ``stop``. If ``provider_waits``, the gate lets the worker pass, and
    the kill happens before the provider responds. The subject contains ``instructions`` to the
    provider. If ``busy``, the first attempt gets a transient error. After the restart the message
    has the status ``end`` (None: no message exists), and the provider has taken it ``mails`` times.
    Only the slow tests use points that are not ``essential``: each kill takes ten seconds.
    """

    name: str
    stop: Stop
    end: str | None
    mails: int
    kind: Kind = "request"
    instructions: str = ""
    busy: bool = False
    provider_waits: bool = False
    essential: bool = False


_WAITING = "[wait 25000]"

POINTS = [
    Point("before the reserve", ("reserve", "before"), None, 0),
    Point("after the reserve", ("reserve", "after"), "unknown", 0),
    Point(
        "in the call",
        ("call", "before"),
        "unknown",
        0,
        instructions=_WAITING,
        provider_waits=True,
        essential=True,
    ),
    Point(
        "in the call, mail taken",
        ("call", "before"),
        "unknown",
        1,
        instructions=f"[take] {_WAITING}",
        provider_waits=True,
    ),
    Point("mail taken, before the record", ("record", "before"), "unknown", 1, essential=True),
    Point("after the record", ("record", "after"), "sent", 1),
    Point(
        "before the refund",
        ("record", "before"),
        "unknown",
        0,
        instructions="[E_DELIVERY_FAILED]",
    ),
    Point("after the refund", ("record", "after"), "failed", 0, instructions="[E_DELIVERY_FAILED]"),
    Point("before the enqueue", ("enqueue", "before"), "sent", 1, busy=True),
    Point("before the claim", ("claim", "before"), "sent", 1, kind="retry", busy=True),
    Point(
        "after the claim",
        ("claim", "after"),
        "unknown",
        0,
        kind="retry",
        busy=True,
    ),
    # Each kill uses the next stop of SWEEP_STOPS: before, between and after the sweep's batches.
    Point("in a sweep", ("sweep", ""), "unknown", 0, kind="sweep"),
]

SWEEP_STOPS: list[Stop] = [
    (point, when)
    for point in ("sweep leases", "sweep keys", "sweep bodies", "sweep messages", "sweep due")
    for when in ("before", "after")
] + [("sweep enqueue", "before"), ("sweep enqueue", "after")]
