"""Which of the worker's calls stands at the gate, told by what it carries."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

# A batch is known by a text that no other batch has in one of its statements.
_BATCHES = {
    "reserve": "INSERT INTO messages (",
    "claim": "claimed_by = ?4",
    "confirm": "reported_as = coalesce(",
    "sweep keys": "INSERT INTO sweeps",
    "sweep bodies": "DELETE FROM bodies",
    "sweep messages": "DELETE FROM messages",
    "sweep due": "WHERE next_attempt_at <= ?2",
}


class Passage(NamedTuple):
    """The worker is at ``point``, ``when`` is ``before`` or ``after`` its call.

    ``message_id`` and ``subject`` are those of the message that it is about, of several the first,
    as far as the call says so.
    """

    point: str
    when: str
    message_id: str | None = None
    subject: str | None = None


def passage(call: str, when: str, content: str) -> Passage:
    """What stands at the gate: one call of ``batch``, ``send`` or ``enqueue`` with its argument."""
    carried = json.loads(content)
    if call == "send":
        return Passage("call", when, subject=carried["subject"])
    if call == "enqueue":
        # An alarm is for one message and later; the sweep wakes many, at once.
        point = "alarm" if carried[0]["delaySeconds"] else "wake"
        return Passage(point, when, carried[0]["body"]["id"] if point == "alarm" else None)
    values = carried["parameters"]
    return batch_passage(
        when, [(sql, [values[at] for at in bound]) for sql, bound in carried["statements"]]
    )


def batch_passage(when: str, statements: Sequence[tuple[str, Sequence[Any]]]) -> Passage:
    """Which batch of the database stands at the gate: SQL texts with their parameters."""
    for point, text in _BATCHES.items():
        parameters = next((bound for sql, bound in statements if text in sql), None)
        if parameters is not None:
            if point == "confirm" and _ends_leases(parameters):
                return Passage("sweep leases", when)
            return Passage(point, when, *_about(point, parameters))
    return Passage("other", when)


def _ends_leases(parameters: Sequence[Any]) -> bool:
    # The sweep tells no caller anything.
    first = json.loads(parameters[0])[0]
    return first["event"] == "timed_out" and first["reported_as"] is None


def _about(point: str, parameters: Sequence[Any]) -> tuple[str | None, str | None]:
    if point == "claim":
        return parameters[0], None
    if point not in ("reserve", "confirm"):
        return None, None
    request = json.loads(parameters[0])
    first = request["messages"][0] if point == "reserve" else request[0]
    return first["id"], first.get("subject")
