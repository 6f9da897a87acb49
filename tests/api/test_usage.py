"""Usage: accepted, sent and failed messages per day, and the remaining balance and limits."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    """A deployment for this file alone: administrators see the usage of all addresses."""
    with TestClient(DEPLOYMENT) as running:
        yield Api(running)


NO_EVENTS = {"delivered": 0, "bounced": 0, "complained": 0}


def usage(api: Api, sender: Sender) -> Any:
    response = api.get("/api/usage", headers=sender.headers)
    assert response.status_code == 200, response.text
    return response.json()


def usage_of_all(api: Api) -> Any:
    response = api.admin("GET", "/admin/usage")
    assert response.status_code == 200, response.text
    return response.json()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def set_limits(api: Api, **limits: Any) -> None:
    body = {"sendMailLimitConfig": limits}
    assert api.admin("POST", "/admin/account_settings", json=body).status_code == 200


def test_an_address_without_messages_has_no_days(own: Api) -> None:
    sender = own.new_sender()
    assert usage(own, sender) == {
        "days": [],
        "daily_left": None,
        "monthly_left": None,
        "send_balance": 1000,  # its first send will grant this balance
    }
    balance = own.admin("GET", f"/admin/address_sender?address={sender.address}").json()
    assert balance["count"] == 0


@pytest.mark.contract("GET /api/usage: Returns daily counts of this address only")
@pytest.mark.contract("GET /admin/usage: Returns daily counts over all addresses")
def test_messages_are_counted_by_their_outcome(own: Api) -> None:
    sender, other = own.new_sender(), own.new_sender()
    before = {day["day"]: day for day in usage_of_all(own)["days"]}.get(today(), {})
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    own.send(sender)
    assert own.send(sender, to_mail="delivered@test.invalid").status_code == 200
    scheduled = own.send(sender, scheduled_at=later).json()["id"]
    own.send(other)
    mine = {"day": today(), "accepted": 2, "sent": 1, "failed": 0, **NO_EVENTS}
    assert usage(own, sender)["days"] == [mine]
    own.post(f"/emails/{scheduled}/cancel", headers=sender.headers)
    assert usage(own, sender)["days"] == [mine]
    assert usage(own, other)["days"] == [{**mine, "accepted": 1}]
    mail = {"from_mail": "news@example.com", "to_mail": "a@example.net", "subject": "S"}
    sent = own.admin("POST", "/admin/send_mail", json={**mail, "content": "C"})
    assert sent.status_code == 200, sent.text
    (all_of_today,) = usage_of_all(own)["days"]
    assert all_of_today["accepted"] == before.get("accepted", 0) + 4
    assert all_of_today["sent"] == before.get("sent", 0) + 3


@pytest.mark.contract("GET /api/usage: Returns daily counts of this address only")
def test_the_last_ninety_days_are_returned_in_order(own: Api) -> None:
    sender = own.new_sender()
    days = [(datetime.now(UTC) - timedelta(days=ago)).date().isoformat() for ago in (1, 89, 90)]
    own.server.sql(
        "INSERT INTO usage_days"
        " SELECT value, ?, 'example.com', 3, 2, 1, 0, 3, 7, 8, 9 FROM json_each(?)",
        [sender.address_id, json.dumps(days)],
    )
    counts = {"accepted": 6, "sent": 3, "failed": 2, "delivered": 7, "bounced": 8, "complained": 9}
    assert usage(own, sender)["days"] == [{"day": days[1], **counts}, {"day": days[0], **counts}]
    own.server.sql("DELETE FROM usage_days WHERE address_id = ?", [sender.address_id])


@pytest.mark.contract("GET /api/usage: Returns the remaining balance and limits")
@pytest.mark.contract("GET /admin/usage: Returns what is left of the limits")
def test_remaining_balance_and_limits_are_returned(own: Api) -> None:
    sender = own.new_sender(balance=5)
    used = own.server.sql("SELECT coalesce(sum(recipients), 0) AS n FROM daily_recipients")[0]["n"]
    limits = {"dailyEnabled": True, "dailyLimit": used + 2, "monthlyLimit": used + 9}
    set_limits(own, **limits, monthlyEnabled=True)
    own.send(sender)
    shown = usage(own, sender)
    assert (shown["daily_left"], shown["monthly_left"], shown["send_balance"]) == (1, 8, 4)
    body = {"address": sender.address, "address_id": 0, "balance": 5, "enabled": False}
    assert own.admin("POST", "/admin/address_sender", json=body).status_code == 200
    shown = usage(own, sender)
    assert (shown["send_balance"], shown["sending_disabled"]) == (0, True)
    of_all = usage_of_all(own)
    assert (of_all["daily_left"], of_all["monthly_left"]) == (1, 8)
    assert "send_balance" not in of_all
    set_limits(own, dailyEnabled=False, dailyLimit=None, monthlyEnabled=True, monthlyLimit=-1)
    shown = usage(own, sender)
    assert (shown["daily_left"], shown["monthly_left"]) == (None, None)


@pytest.mark.contract("GET /api/usage: Requires a valid credential")
def test_the_credential_must_be_valid(own: Api) -> None:
    sender = own.new_sender()
    own.server.sql("DELETE FROM addresses WHERE id = ?", [sender.address_id])
    response = own.get("/api/usage", headers=sender.headers)
    check_problem(response, 401, "invalid_credential", "Invalid address credential")
