"""Messages to suppressed recipients are rejected, and addresses with many failures are paused."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT, Api, check_problem

PREFIX = "Failed to send mail "
SUPPRESSED = "[E_RECIPIENT_SUPPRESSED]"
REJECTED = "[E_DELIVERY_FAILED]"


@pytest.fixture(scope="module")
def server() -> Iterator[TestClient]:
    variables = {**DEPLOYMENT, "PAUSE_FAILED_PERCENT": "75", "PAUSE_LAST_MESSAGES": "4"}
    with TestClient(variables) as running:
        yield running


def pauses(api: Api) -> dict[int, dict[str, Any]]:
    response = api.admin("GET", "/admin/pauses")
    assert response.status_code == 200, response.text
    return {row["id"]: row for row in response.json()["results"]}


def suppressions(api: Api) -> dict[str, str]:
    rows = api.admin("GET", "/admin/suppressions?limit=100").json()["results"]
    return {row["address"]: row["reason"] for row in rows}


@pytest.mark.contract("send checks: Suppressed recipients are rejected by name")
@pytest.mark.contract("GET /admin/suppressions: Includes recipients that the provider reported")
def test_a_suppressed_recipient_is_rejected_until_it_is_removed(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=5)
    failed = api.send(sender, to_mail="Gone@example.net", subject=SUPPRESSED)
    assert failed.status_code == 502
    assert suppressions(api)["gone@example.net"] == "provider"
    response = api.send(sender, to_mail="gone@example.net")
    path = "/admin/suppressions?address=gone@example.net"
    (row,) = api.admin("GET", path).json()["results"]
    assert (row["scope"], row["origin"]) == (sender.address.partition("@")[2], failed.json()["id"])
    sentence = (
        f"Recipient is suppressed until {row['expires_at']}: gone@example.net "
        "(the mail provider suppresses it)"
    )
    problem = check_problem(response, 400, "recipient_suppressed", PREFIX + sentence)
    assert problem["errors"] == [{"field": "to_mail", "message": sentence}]
    assert api.balance(sender) == 5
    removed = api.admin("DELETE", "/admin/suppressions?address=gone@example.net")
    assert removed.json() == {"success": True}
    assert api.send(sender, to_mail="gone@example.net").status_code == 200
    assert len(provider.mails_of(sender.address)) == 1


@pytest.mark.contract("GET /admin/suppressions: Includes recipients that the provider reported")
def test_several_recipients_are_not_suppressed(api: Api) -> None:
    sender = api.new_sender(balance=5)
    to = ["one@example.net", "two@example.net"]
    mail = {"from": sender.address, "to": to, "subject": SUPPRESSED, "text": "A text"}
    assert api.post("/emails", mail, headers=sender.headers).status_code == 502
    assert suppressions(api).keys() & set(to) == set()


@pytest.mark.contract("send checks: An address with too many failures is paused")
@pytest.mark.contract("GET /admin/pauses: Lists paused addresses")
@pytest.mark.contract(
    "DELETE /admin/pauses/{id}: Lifts a pause; only later messages count towards the next one"
)
def test_an_address_is_paused_until_an_administrator_lifts_the_pause(
    api: Api, provider: ScriptedBinding
) -> None:
    sender, other = api.new_sender(balance=9), api.new_sender(balance=9)
    assert api.send(sender).status_code == 200
    for _ in range(2):
        assert api.send(sender, subject=REJECTED).status_code == 502
    assert sender.address_id not in pauses(api)
    api.send(sender, subject=REJECTED)
    paused = pauses(api)[sender.address_id]
    assert paused["address"] == sender.address
    detail = api.send(sender).json()["detail"]
    check_problem(api.send(sender), 400, "address_paused", detail)
    assert "administrator" in detail
    assert api.send(other).status_code == 200
    (today,) = api.get("/api/usage", headers=sender.headers).json()["days"]
    assert (today["accepted"], today["sent"], today["failed"]) == (4, 1, 3)
    assert api.balance(sender) == 8

    lifted = api.admin("DELETE", f"/admin/pauses/{sender.address_id}")
    assert lifted.json() == {"success": True}
    assert sender.address_id not in pauses(api)
    assert api.send(sender).status_code == 200
    assert len(provider.mails_of(sender.address)) == 2
    rows = api.admin("GET", "/admin/audit?limit=1").json()["results"]
    assert [(row["action"], row["object"]) for row in rows] == [("pause.lifted", sender.address)]


@pytest.mark.contract("DELETE /admin/pauses/{id}: Returns 404 for an unknown pause")
def test_a_missing_pause_cannot_be_lifted(api: Api) -> None:
    sender = api.new_sender()
    response = api.admin("DELETE", f"/admin/pauses/{sender.address_id}")
    check_problem(response, 404, "not_paused", "Sending from this address is not paused")
    for unknown in ("0", "-1", "x", "9" * 30):
        response = api.admin("DELETE", f"/admin/pauses/{unknown}")
        assert (response.status_code, response.json()["code"]) == (404, "address_not_found")
