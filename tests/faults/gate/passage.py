"""The worker's calls at the gate, identified by their arguments."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

# Each kind of batch is identified by a text that only its statements contain.
_BATCHES = {
    "webhook finish": "INSERT INTO webhook_attempts (",
    "webhook claim": "UPDATE webhook_deliveries SET",
    "reserve": "INSERT INTO messages (",
    "claim": "claimed_by = ?4",
    "record": "reported_as = coalesce(",
    "events": "INSERT INTO delivery_events (",
    "sweep keys": "WHERE name = 'idempotency_keys'",
    "sweep bodies": "DELETE FROM bodies",
    "sweep messages": "DELETE FROM messages",
    "sweep due": "WITH RECURSIVE earliest",
}


class Passage(NamedTuple):
    """The worker is at ``point``, ``before`` or ``after`` its call.

    ``message_id`` and ``subject`` identify the message that the call is about, or the first of
    several messages. They are None if the call does not contain them.
    """

    point: str
    when: str
    message_id: str | None = None
    subject: str | None = None


def passage(call: str, when: str, content: str) -> Passage:
    """The passage of a call of ``batch``, ``send`` or ``enqueue`` with the argument ``content``."""
    argument = json.loads(content)
    if call == "send":
        return Passage("call", when, subject=argument["subject"])
    if call == "enqueue":
        if "delaySeconds" not in argument[0]:
            return Passage("enqueue events", when)
        # A deferral enqueues one message with a delay. The sweep enqueues messages without a delay.
        if argument[0]["delaySeconds"]:
            return Passage("enqueue", when, argument[0]["body"]["id"])
        return Passage("sweep enqueue", when)
    values = argument["parameters"]
    return batch_passage(
        when, [(sql, [values[at] for at in bound]) for sql, bound in argument["statements"]]
    )


def batch_passage(when: str, statements: Sequence[tuple[str, Sequence[Any]]]) -> Passage:
    """The passage of a database batch of these SQL texts with their parameters."""
    for point, text in _BATCHES.items():
        parameters = next((bound for sql, bound in statements if text in sql), None)
        if parameters is not None:
            if point == "record" and _ends_leases(parameters):
                return Passage("sweep leases", when)
            return Passage(point, when, *_about(point, parameters))
    return Passage("other", when)


def _ends_leases(parameters: Sequence[Any]) -> bool:
    # Only a sweep records a time-out without ``reported_as``.
    first = json.loads(parameters[0])[0]
    return first["event"] == "timed_out" and first["reported_as"] is None


def _about(point: str, parameters: Sequence[Any]) -> tuple[str | None, str | None]:
    if point == "claim":
        return json.loads(parameters[0])[0], None
    if point not in ("reserve", "record"):
        return None, None
    request = json.loads(parameters[0])
    first = request["messages"][0] if point == "reserve" else request[0]
    return first["id"], first.get("subject")
