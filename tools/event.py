"""Let a delivery event of a message arrive at the running `make dev`.

python -m tools.event ID KIND [TO]    reads STATE (.wrangler/state) from the environment

ID is the id of a message, and TO one of its recipients, by default the first one. KIND is delayed,
delivered, rejected, failed, bounced or complained. The event has the provider's form and goes
through the queue, as in production.
"""

import argparse
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import requests

from mail.addresses import comparable
from mail.delivery import KINDS, DeliveryKind
from tools.event_producer import EventProducer
from tools.local_database import DatabaseError, Row, query_server
from tools.local_server import ServerError
from tools.prepare import ROOT
from transport.delivery_events import event_form
from transport.sandbox_events import MEMBERS as SANDBOX_MEMBERS

# `make dev` writes this file below its state folder: where it can be reached.
SERVER_FILE = ".dev.server"

_SECONDS = 30

# What the events of each kind say beside their kind.
MEMBERS: dict[DeliveryKind, dict[str, Any]] = {
    **SANDBOX_MEMBERS,
    "delayed": {
        "delivery": {"smtpStatusCode": "451", "smtpResponse": "451 4.3.2 Try again later"},
        "bounce": {"type": "soft", "classification": "temporary_failure", "reason": "busy"},
    },
    "failed": {"failure": {"reason": "delivery_failed"}},
    "rejected": {
        "rejection": {"reason": "suppressed", "party": "recipient", "detail": "on the list"}
    },
}

_MESSAGE = "SELECT id, sender, status, provider_message_id FROM messages WHERE id = ?"
_RECIPIENTS = "SELECT address FROM deliveries WHERE message_id = ? ORDER BY position"
_ARRIVED = "SELECT kind FROM delivery_events WHERE message_id = ? AND event_id = ?"


class EventError(Exception):
    """The event can't be made. The message says why, and what to do."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.event", description=__doc__)
    parser.add_argument("id", metavar="ID", type=_given)
    parser.add_argument("kind", metavar="KIND", type=_given, choices=KINDS)
    parser.add_argument("to", metavar="TO", nargs="?")
    options = parser.parse_args(arguments)
    state = (ROOT / (os.environ.get("STATE") or ".wrangler/state")).resolve()
    try:
        print(put_event(state, options.id, options.kind, options.to))
    except (EventError, DatabaseError, ServerError) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _given(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("required: make event ID=... KIND=bounced")
    return text


def put_event(state: Path, message_id: str, kind: DeliveryKind, to: str | None) -> str:
    """Put the event into the queue, wait for it, and return what has become of the message."""
    url, registry = _server(state)
    message, recipients = _message(url, message_id)
    recipient = next(
        (one for one in recipients if not to or comparable(one) == comparable(to)), None
    )
    if recipient is None:
        raise EventError(f"{to} is no recipient of the message: {', '.join(recipients)}.")
    event_id = str(uuid.uuid4())
    event = event_form(
        kind,
        event_id=event_id,
        # The provider knows the message even if its response was lost.
        message_id=message["provider_message_id"] or f"<{message_id}@provider.invalid>",
        sender=message["sender"],
        recipient=recipient,
        occurred_at=time.time_ns() // 1_000_000,
        **MEMBERS[kind],
    )
    with EventProducer(registry) as producer:
        producer.put([event])
        deadline = time.monotonic() + _SECONDS
        while not query_server(url, _ARRIVED, [message_id, event_id]):
            if time.monotonic() > deadline:
                raise EventError(
                    f"The event is in the queue, but was not recorded within {_SECONDS} s. The "
                    f"status of the message is {message['status']}; the log says more."
                )
            time.sleep(0.2)
    return f"{kind}: {recipient} of {message_id}"


def _server(state: Path) -> tuple[str, Path]:
    try:
        about = json.loads((state / SERVER_FILE).read_text())
        requests.get(f"{about['url']}/health_check", timeout=30)
    except (OSError, ValueError, requests.RequestException):
        raise EventError(
            f"No `make dev` runs with the state in {state}. Start it, or name its folder with "
            "STATE=..."
        ) from None
    return about["url"], Path(about["registry"])


def _message(url: str, message_id: str) -> tuple[Row, list[str]]:
    rows = query_server(url, _MESSAGE, [message_id])
    if not rows:
        raise EventError(f"There is no message {message_id}.")
    recipients = query_server(url, _RECIPIENTS, [message_id])
    return rows[0], [row["address"] for row in recipients]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
