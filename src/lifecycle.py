"""The life of a message: every change of its status there is, in one table.

    scheduled ──claimed──▶ sending ──sent─────▶ sent ◀──sent──┐
        │                  ▲  │ │ └──refused──▶ failed ◀──────┤ refused, deferred
        │          claimed │  │ └────lost─────▶ unknown ──────┘
        │                  │  └─deferred─┐
        │                queued ◀────────┘
        └──cancelled──▶ cancelled ◀──cancelled── queued

``unknown`` is never sent again by itself; only news of the attempt that it stands for, come
late, may still change it. The statements of ``store/`` are made from this table.
"""

from typing import Literal, NamedTuple

Status = Literal["scheduled", "queued", "sending", "sent", "failed", "unknown", "cancelled"]
News = Literal["claimed", "sent", "refused", "deferred", "lost", "cancelled"]


class Step(NamedTuple):
    """What a piece of news does to a message: its next status, and whether its charge goes back."""

    target: Status
    gives_back: bool = False


TRANSITIONS: dict[tuple[Status, News], Step] = {
    ("scheduled", "claimed"): Step("sending"),
    ("queued", "claimed"): Step("sending"),
    ("scheduled", "cancelled"): Step("cancelled", gives_back=True),
    ("queued", "cancelled"): Step("cancelled", gives_back=True),
    ("sending", "sent"): Step("sent"),
    ("sending", "refused"): Step("failed", gives_back=True),
    ("sending", "deferred"): Step("queued"),
    ("sending", "lost"): Step("unknown"),
    ("unknown", "sent"): Step("sent"),
    ("unknown", "refused"): Step("failed", gives_back=True),
    # The provider did not take it, but its client was told that nobody knows: no second attempt.
    ("unknown", "deferred"): Step("failed", gives_back=True),
}

FINAL: frozenset[Status] = frozenset({"sent", "failed", "unknown", "cancelled"})


def steps_on(news: News) -> dict[Status, Step]:
    """The steps that ``news`` may make, by the status that they start from."""
    return {source: step for (source, kind), step in TRANSITIONS.items() if kind == news}
