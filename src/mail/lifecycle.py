"""The lifecycle of a message: all transitions between its statuses, in one table.

    scheduled ──claimed──▶ sending ──accepted──▶ sent ◀──accepted──┐
        │                  ▲  │ │ └──rejected──▶ failed ◀──────────┤ rejected, deferred
        │          claimed │  │ └───timed_out──▶ unknown ──────────┘
        │                  │  └─deferred─┐
        │                queued ◀────────┘
        └──cancelled──▶ cancelled ◀──cancelled── queued

An ``unknown`` message is never sent again automatically. A late result of the same attempt, or
delivery events, can still change it. If later events report that none of its recipients got the
mail, they disprove that it was sent: it goes from ``sent`` to ``failed``. ``store/record`` builds
its statements from this table.
"""

from typing import Literal, NamedTuple

Status = Literal["scheduled", "queued", "sending", "sent", "failed", "unknown", "cancelled"]
Event = Literal[
    "claimed", "accepted", "rejected", "deferred", "timed_out", "cancelled", "disproved"
]

# The status that was reported to the caller of a submission.
ReportedAs = Literal["sent", "queued", "failed", "unknown"]


class Transition(NamedTuple):
    """The effect of an event on a message: the next status, and whether the charge is refunded."""

    target: Status
    refunds: bool = False


TRANSITIONS: dict[tuple[Status, Event], Transition] = {
    ("scheduled", "claimed"): Transition("sending"),
    ("queued", "claimed"): Transition("sending"),
    ("scheduled", "cancelled"): Transition("cancelled", refunds=True),
    ("queued", "cancelled"): Transition("cancelled", refunds=True),
    ("sending", "accepted"): Transition("sent"),
    ("sending", "rejected"): Transition("failed", refunds=True),
    ("sending", "deferred"): Transition("queued"),
    ("sending", "timed_out"): Transition("unknown"),
    ("unknown", "accepted"): Transition("sent"),
    ("unknown", "rejected"): Transition("failed", refunds=True),
    # A late transient rejection. "unknown" was already reported to the caller, so there is no
    # second attempt.
    ("unknown", "deferred"): Transition("failed", refunds=True),
    ("sent", "disproved"): Transition("failed", refunds=True),
}

FINAL: frozenset[Status] = frozenset({"sent", "failed", "unknown", "cancelled"})


def transitions_on(event: Event) -> dict[Status, Transition]:
    """The transitions on ``event``, keyed by their source status."""
    return {
        source: transition for (source, kind), transition in TRANSITIONS.items() if kind == event
    }
