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
    return _batch(
        when, [(sql, [values[at] for at in bound]) for sql, bound in carried["statements"]]
    )


def _batch(when: str, statements: list[tuple[str, list[Any]]]) -> Passage:
    for point, text in _BATCHES.items():
        parameters = next((bound for sql, bound in statements if text in sql), None)
        if parameters is not None:
            return Passage(point, when, *_about(point, parameters))
    return Passage("other", when)


def _about(point: str, parameters: list[Any]) -> tuple[str | None, str | None]:
    if point == "claim":
        return parameters[0], None
    if point not in ("reserve", "confirm"):
        return None, None
    request = json.loads(parameters[0])
    first = request["messages"][0] if point == "reserve" else request[0]
    return first["id"], first.get("subject")
