"""Delivery events of sent mails, for ``TestClient.deliver_events``."""

import uuid
from typing import Any

from clock import iso_time
from mail.delivery import DeliveryKind
from tests.e2e.api import Api, Sender, unique_name
from tools.event import MEMBERS
from transport.delivery_events import event_form


def sent_message(api: Api, sender: Sender, **fields: Any) -> dict[str, Any]:
    """Send a mail, by default to a new recipient.

    The result is the row of its message, with the recipient as ``to_mail``.
    """
    body = {"to_mail": f"{unique_name()}@example.net", **fields}
    response = api.send(sender, **body)
    assert response.status_code in (200, 502), response.text
    message_id = response.json()["id"]
    (row,) = (row for row in api.messages_of(sender) if row["id"] == message_id)
    return {**row, "to_mail": body["to_mail"]}


def event(
    kind: DeliveryKind,
    message: dict[str, Any],
    recipient: str | None = None,
    *,
    later: int = 1000,
    **changed: Any,
) -> dict[str, Any]:
    """A delivery event of ``message``, a row, that occurred ``later`` milliseconds after it.

    ``changed`` replaces arguments of ``event_form``.
    """
    return event_form(
        kind,
        **{
            "event_id": str(uuid.uuid4()),
            "message_id": message["provider_message_id"] or f"<{message['id']}@provider.test>",
            "sender": message["sender"],
            "recipient": recipient or message["to_mail"],
            "occurred_at": message["accepted_at"] + later,
            **MEMBERS[kind],
            **changed,
        },
    )


def time_of(message: dict[str, Any], later: int = 1000) -> str:
    """The time of an event in ISO 8601."""
    return iso_time(message["accepted_at"] + later)
