"""The lifecycle of a message: all transitions between its statuses, in one table.

    scheduled ──claimed──▶ sending ──accepted──▶ sent ◀──accepted──┐
        │                  ▲  │ │ └──rejected──▶ failed ◀──────────┤ rejected, deferred
        │          claimed │  │ └───timed_out──▶ unknown ──────────┘
        │                  │  └─deferred─┐
        │                queued ◀────────┘
        └──cancelled──▶ cancelled ◀──cancelled── queued

``rerouted`` is the next attempt of a ``sending`` message by another transport. A ``queued`` message
whose outcome is not known, because its provider is asked again, can't be cancelled: if it is
removed, it is ``abandoned``. An ``unknown`` message is never sent again automatically. A late
result of the same attempt, or delivery events, can still change it. Later events can correct an
outcome that an event has settled. If they report that none of its recipients got the mail, they
disprove that it was sent: the message goes from ``sent`` to ``failed``. If one of them proves that
it was sent, the message goes from ``failed`` to ``sent``, and the refund is taken back.
``store/record`` builds its statements from this table.
"""

from typing import Literal, NamedTuple

Status = Literal["scheduled", "queued", "sending", "sent", "failed", "unknown", "cancelled"]
Event = Literal[
    "claimed",
    "accepted",
    "rejected",
    "deferred",
    "timed_out",
    "rerouted",
    "abandoned",
    "cancelled",
    "disproved",
    "proved",
]

# The status that was reported to the caller of a submission.
ReportedAs = Literal["sent", "queued", "failed", "unknown"]


class Transition(NamedTuple):
    """The effect of an event on a message: the next status, and how many charges are refunded.

    ``refunds`` is -1 if a refund is taken back.
    """

    target: Status
    refunds: int = 0


TRANSITIONS: dict[tuple[Status, Event], Transition] = {
    ("scheduled", "claimed"): Transition("sending"),
    ("queued", "claimed"): Transition("sending"),
    ("scheduled", "cancelled"): Transition("cancelled", refunds=1),
    ("queued", "cancelled"): Transition("cancelled", refunds=1),
    ("sending", "accepted"): Transition("sent"),
    ("sending", "rejected"): Transition("failed", refunds=1),
    ("sending", "deferred"): Transition("queued"),
    ("sending", "timed_out"): Transition("unknown"),
    ("sending", "rerouted"): Transition("sending"),
    ("queued", "abandoned"): Transition("unknown"),
    ("unknown", "accepted"): Transition("sent"),
    ("unknown", "rejected"): Transition("failed", refunds=1),
    # A late transient rejection. "unknown" was already reported to the caller, so there is no
    # second attempt.
    ("unknown", "deferred"): Transition("failed", refunds=1),
    ("sent", "disproved"): Transition("failed", refunds=1),
    ("failed", "proved"): Transition("sent", refunds=-1),
}

FINAL: frozenset[Status] = frozenset({"sent", "failed", "unknown", "cancelled"})


def transitions_on(event: Event) -> dict[Status, Transition]:
    """The transitions on ``event``, keyed by their source status."""
    return {
        source: transition for (source, kind), transition in TRANSITIONS.items() if kind == event
    }
