"""Delivery events of the provider: what becomes of a mail after it was sent."""

from typing import Any

import pytest

from mail.delivery import KINDS, DeliveryKind
from tests.api.delivery import event, sent_message, time_of
from tests.e2e.api import Api, Sender

DAY_FIELDS = ("delivered", "bounced", "complained")


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=20)


def shown(api: Api, sender: Sender, row: dict[str, Any]) -> dict[str, Any]:
    return api.message(sender, row["id"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_for_its_recipient(api: Api, sender: Sender, kind: DeliveryKind) -> None:
    row = sent_message(api, sender)
    one = event(kind, row)
    api.server.deliver_events([one])
    message = shown(api, sender, row)
    (recipient,) = message["recipients"]
    delivery = one["payload"]["delivery"]
    assert recipient["delivery_status"] == recipient["status"] == kind
    assert recipient["delivery_status_at"] == time_of(row)
    assert recipient["smtp_code"] == delivery.get("smtpStatusCode")
    assert recipient["enhanced_code"] == delivery.get("smtpEnhancedStatusCode")
    detail = "on the list" if kind == "rejected" else None
    assert recipient["smtp_response"] == delivery.get("smtpResponse", detail)
    assert (message["delivery_status"], message["delivery_count"]) == (kind, 1)
    assert message["status"] == "sent"
    assert [(one["event"], one.get("recipient")) for one in message["history"]] == [
        ("accepted", None),
        ("sent", None),
        (kind, row["to_mail"]),
    ]
