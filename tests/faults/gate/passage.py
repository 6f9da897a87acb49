"""Which of the worker's calls stands at the gate, told by what it carries."""

import json
from typing import Any, NamedTuple

# A batch is known by a text that no other batch has in one of its statements.
_BATCHES = {
    "reserve": "INSERT INTO messages (",
    "claim": "claimed_by = ?4",
    "confirm": "answer_status = coalesce(",
    "sweep leases": "WHERE lease_until <= ?1",
    "sweep keys": "INSERT INTO sweeps",
    "sweep bodies": "DELETE FROM bodies",
    "sweep messages": "DELETE FROM messages",
    "sweep due": "WHERE next_attempt_at <= ?1",
}


class Passage(NamedTuple):
    """The worker is at ``point``, ``when`` is ``before`` or ``after`` its call.

    ``message_id`` and ``subject`` are those of the message that it is about, as far as the call
    says so.
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
    return _batch(when, carried)


def _batch(when: str, statements: list[list[Any]]) -> Passage:
    point = next((name for name, text in _BATCHES.items() if _holds(statements, text)), "other")
    if point == "claim":
        return Passage(point, when, message_id=statements[0][1][0])
    if point in ("reserve", "confirm"):
        request = json.loads(statements[0][1][0])
        return Passage(point, when, request["id"], request.get("subject"))
    return Passage(point, when)


def _holds(statements: list[list[Any]], text: str) -> bool:
    return any(text in sql for sql, _ in statements)
