"""Deletion of messages and addresses: waiting messages are cancelled, finished ones deleted."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.api.calls import send_call
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem, done, unique_name
from tests.unit.sqlite_database import HAS_SECURE_DELETE

LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
DISABLED = "User delete address/email is disabled, please contact the administrator"
IN_FLIGHT = "This message is being sent. Try again when sending has finished"


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "ENABLE_USER_DELETE_EMAIL": "true"}) as running:
        yield Api(running)


def delete(api: Api, sender: Sender, path: str) -> requests.Response:
    return api.call("DELETE", path, headers=sender.headers)


def listed(api: Api, sender: Sender) -> list[str]:
    """The ids in the sendbox. Checks that all endpoints that list messages return these ids."""
    page = api.get("/api/sendbox?limit=100", headers=sender.headers).json()
    ids = [row["id"] for row in page["results"]]
    assert page["count"] == len(ids)
    by_cursor = api.get("/api/sendbox?limit=100&cursor=", headers=sender.headers).json()
    assert [row["id"] for row in by_cursor["results"]] == ids
    emails = api.get("/emails?limit=100", headers=sender.headers).json()
    assert [email["id"] for email in emails["data"]] == ids
    found = api.get("/api/sendbox?limit=100&q=subject", headers=sender.headers).json()
    assert [row["id"] for row in found["results"]] == ids
    path = f"/admin/sendbox?limit=100&address={sender.address}"
    assert [row["id"] for row in api.admin("GET", path).json()["results"]] == ids
    return ids


def recipients_today(api: Api) -> int:
    return sum(row["n"] for row in api.server.sql("SELECT recipients AS n FROM daily_recipients"))


def put_in_flight(api: Api, message_id: str) -> None:
    """Give a message the state that it has during an attempt."""
    lease = api.server.now() + 600_000
    api.server.sql(
        "UPDATE messages SET status = 'sending', finished_at = NULL, next_attempt_at = NULL,"
        " lease_until = ? WHERE id = ?",
        [lease, message_id],
    )


def bring_to_an_end(api: Api, message_id: str) -> None:
    api.server.sql(
        "UPDATE messages SET status = 'sent', finished_at = 1, lease_until = NULL WHERE id = ?",
        [message_id],
    )


@pytest.mark.contract("deletion: Owners can delete only with ENABLE_USER_DELETE_EMAIL")
@pytest.mark.parametrize("path", ["/api/sendbox/x", "/api/clear_sent_items", "/api/delete_address"])
def test_owners_delete_only_if_enabled(api: Api, path: str) -> None:
    sender = api.new_sender()
    check_problem(delete(api, sender, path), 403, "user_delete_disabled", DISABLED)


@pytest.mark.contract("deletion: Deleting a finished message removes its text and its list entry")
@pytest.mark.contract("DELETE /api/sendbox/{id}: Removes the message")
def test_a_sent_message_is_deleted(own: Api) -> None:
    sender = own.new_sender(balance=5)
    first = own.send_with_key(sender, "k", content="secret words")
    message_id = first.json()["id"]
    other = own.send(sender).json()["id"]
    done(delete(own, sender, f"/api/sendbox/{message_id}"))
    assert listed(own, sender) == [other]
    for method, path in (
        ("GET", f"/api/sendbox/{message_id}"),
        ("DELETE", f"/api/sendbox/{message_id}"),
        ("POST", f"/api/sendbox/{message_id}/retry"),
        ("GET", f"/emails/{message_id}"),
        ("POST", f"/emails/{message_id}/cancel"),
    ):
        assert own.call(method, path, headers=sender.headers).status_code == 404
    sql = "SELECT count(*) AS n FROM bodies WHERE message_id = ?"
    assert own.server.sql(sql, [message_id]) == [{"n": 0}]
    # The key of the deleted message is still in use: a repeated request sends nothing.
    again = own.send_with_key(sender, "k", content="secret words")
    assert again.json() == first.json()
    assert (own.balance(sender), len(own.sent_by(sender))) == (3, 2)


@pytest.mark.contract("DELETE /api/sendbox/{id}: Deletes only the caller's messages")
def test_a_message_of_another_address_is_not_found(own: Api) -> None:
    sender, other = own.new_sender(), own.new_sender()
    message_id = own.send(sender).json()["id"]
    for wrong in (message_id, "x", "' OR 1=1 --"):
        response = delete(own, other, f"/api/sendbox/{wrong}")
        check_problem(response, 404, "message_not_found", "There is no such message")
    assert listed(own, sender) == [message_id]


@pytest.mark.contract("deletion: A waiting message is cancelled and refunded once")
def test_a_scheduled_message_is_cancelled_and_refunded_once(own: Api) -> None:
    sender = own.new_sender(balance=5)
    before = recipients_today(own)
    message_id = own.send(sender, to=["b@example.net"], scheduled_at=LATER).json()["id"]
    assert (own.balance(sender), recipients_today(own)) == (3, before + 2)
    request = ("DELETE", f"/api/sendbox/{message_id}", {"headers": sender.headers})
    responses = own.server.request_all([request] * 8)
    assert {response.status_code for response in responses} <= {200, 404}
    assert 200 in {response.status_code for response in responses}
    assert (own.balance(sender), recipients_today(own)) == (5, before)
    assert listed(own, sender) == []
    (row,) = own.messages_of(sender)
    assert (row["status"], row["sendbox"]) == ("cancelled", None)


@pytest.mark.contract("deletion: A message that is being sent stays; deleting it returns 409")
@pytest.mark.contract("DELETE /admin/sendbox/{id}: Removes any message that is not being sent")
def test_a_message_in_flight_is_not_deleted(own: Api) -> None:
    sender = own.new_sender()
    message_id = own.send(sender).json()["id"]
    put_in_flight(own, message_id)
    response = delete(own, sender, f"/api/sendbox/{message_id}")
    problem = check_problem(response, 409, "message_in_flight", IN_FLIGHT)
    assert problem["message_status"] == "sending"
    assert own.admin("DELETE", f"/admin/sendbox/{message_id}").status_code == 409
    assert listed(own, sender) == [message_id]
    bring_to_an_end(own, message_id)
    done(own.admin("DELETE", f"/admin/sendbox/{message_id}"))
    assert listed(own, sender) == []
    page = own.admin("GET", "/admin/audit?limit=1").json()
    (row,) = page["results"]
    assert (row["actor"], row["action"]) == ("admin#1", "message.deleted")
    assert row["object"] == message_id


@pytest.mark.contract("DELETE /api/clear_sent_items: Removes all messages")
@pytest.mark.contract("DELETE /admin/clear_sent_items/{id}: Removes all messages of an address")
@pytest.mark.parametrize("by_administrator", [False, True])
def test_all_messages_of_an_address_are_deleted(own: Api, by_administrator: bool) -> None:
    sender = own.new_sender(balance=10)
    sent = [own.send(sender).json()["id"] for _ in range(3)]
    waiting = [own.send(sender, scheduled_at=LATER).json()["id"] for _ in range(2)]
    in_flight = own.send(sender).json()["id"]
    put_in_flight(own, in_flight)
    assert own.balance(sender) == 4
    if by_administrator:
        done(own.admin("DELETE", f"/admin/clear_sent_items/{sender.address_id}"))
    else:
        done(delete(own, sender, "/api/clear_sent_items"))
    assert listed(own, sender) == [in_flight]
    assert own.balance(sender) == 6
    newer = own.send(sender).json()["id"]
    assert listed(own, sender) == [newer, in_flight]
    own.server.run_cron()
    bodies = own.server.sql(
        "SELECT message_id FROM bodies WHERE message_id IN (SELECT value FROM json_each(?))",
        [json.dumps([*sent, *waiting, in_flight])],
    )
    assert [row["message_id"] for row in bodies] == [in_flight]
    own.server.run_cron()
    assert own.server.sql("SELECT * FROM sendbox_purges") == []
    assert listed(own, sender) == [newer, in_flight]


@pytest.mark.contract(
    "DELETE /api/delete_address: Deletes the address and invalidates its credential"
)
@pytest.mark.contract("DELETE /admin/delete_address/{id}: Deletes the address and its messages")
@pytest.mark.parametrize("by_administrator", [False, True])
def test_an_address_is_deleted(own: Api, by_administrator: bool) -> None:
    name = unique_name()
    made = own.post("/api/new_address", {"name": name}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    before = recipients_today(own)
    own.send(sender)
    own.send(sender, scheduled_at=LATER)
    in_flight = own.send(sender).json()["id"]
    put_in_flight(own, in_flight)
    if by_administrator:
        done(own.admin("DELETE", f"/admin/delete_address/{sender.address_id}"))
    else:
        done(delete(own, sender, "/api/delete_address"))
    for path in ("/api/settings", "/api/sendbox", "/emails"):
        assert own.get(path, headers=sender.headers).status_code == 401
    assert own.send(sender).status_code == 401
    assert delete(own, sender, "/api/delete_address").status_code == 401
    assert recipients_today(own) == before + 2
    page = own.admin("GET", "/admin/audit?limit=1").json()
    (row,) = page["results"]
    actor = "admin#1" if by_administrator else sender.address
    assert (row["actor"], row["action"]) == (actor, "address.deleted")
    assert row["object"] == sender.address
    again = own.post("/api/new_address", {"name": name}).json()
    assert again["address_id"] > sender.address_id
    assert listed(own, Sender(again["address"], again["address_id"], again["jwt"])) == []
    own.server.run_cron()
    bring_to_an_end(own, in_flight)
    own.server.run_cron()
    left = {row["sendbox"] for row in own.messages_of(sender)}
    assert left == {None}  # the rows stay for a week, because of delivery events


@pytest.mark.parametrize("way", ["sendbox/{}", "clear_sent_items", "delete_address"])
def test_nothing_of_a_deleted_message_is_left_in_a_table(way: str) -> None:
    """What is in no table can't be read by a statement and is in no export."""
    with TestClient({**DEPLOYMENT, "ENABLE_USER_DELETE_EMAIL": "true"}) as running:
        api = Api(running)
        sender = api.new_sender()
        fields = {"to_mail": "quuxto@example.net", "to_name": "Quuxname", "subject": "Quuxsubject"}
        id = api.send(sender, content="Quuxtext", **fields).json()["id"]
        api.server.advance(600)  # messages are indexed some minutes after their acceptance
        api.server.run_cron()
        assert tables_with(api, "quux") >= {"bodies", "messages", "deliveries", "search_content"}
        done(delete(api, sender, f"/api/{way.format(id)}"))
        api.server.run_cron()
        for content in ("quuxtext", "quuxsubject"):
            assert tables_with(api, content) == set()
        api.server.advance(7 * 86_400 + 60)
        api.server.run_cron()
        assert tables_with(api, "quux") == set()


def tables_with(api: Api, word: str) -> set[str]:
    """The tables that contain this word."""
    return {
        name
        for name, rows in api.server.database.dump().items()
        if word in str(rows).lower() and (name != "search_data" or HAS_SECURE_DELETE)
    }


@pytest.mark.contract("deletion: A waiting message is cancelled and refunded once")
def test_a_waiting_message_of_a_deleted_address_is_never_sent(own: Api) -> None:
    sender = own.new_sender()
    message_id = own.send(sender, scheduled_at=LATER).json()["id"]
    # As if the worker had died before it cancelled the waiting messages.
    own.server.sql("DELETE FROM addresses WHERE id = ?", [sender.address_id])
    own.server.sql("INSERT INTO sendbox_purges VALUES (?, 0)", [sender.address_id])
    own.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE id = ?", [message_id])
    own.server.run_cron()
    own.server.settle()
    assert own.messages_of(sender)[0]["status"] == "cancelled"
    assert own.sent_by(sender) == []


@pytest.mark.contract("DELETE /api/clear_sent_items: Works while messages are being sent")
def test_concurrent_deletions_and_sends_are_consistent(own: Api) -> None:
    sender = own.new_sender(balance=100)
    send, schedule = send_call(sender), send_call(sender, scheduled_at=LATER)
    clear = ("DELETE", "/api/clear_sent_items", {"headers": sender.headers})
    calls = [send, clear, send, schedule, send, schedule, send] * 5
    statuses = Counter(response.status_code for response in own.server.request_all(calls))
    assert statuses == {200: 25, 202: 10}
    done(delete(own, sender, "/api/clear_sent_items"))
    assert listed(own, sender) == []
    assert (own.balance(sender), len(own.sent_by(sender))) == (80, 20)


ASK = "/api/request_send_mail_access"


@pytest.mark.contract(
    "POST /api/request_send_mail_access: Returns ok, also while the address has a balance"
)
def test_access_is_granted_or_not_needed(own: Api) -> None:
    sender = own.new_sender()
    for _ in range(2):
        response = own.post(ASK, headers=sender.headers)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert own.balance(sender) == 1000
    path = f"/admin/address_sender?address={sender.address}"
    (row,) = own.admin("GET", path).json()["results"]
    assert row["requested_at"] is None


@pytest.mark.contract("balance: A default of 0 creates a row only when access is requested")
def test_without_a_default_balance_access_waits_for_an_administrator() -> None:
    variables: dict[str, Any] = {**DEPLOYMENT, "DEFAULT_SEND_BALANCE": "0"}
    with TestClient(variables) as server:
        api = Api(server)
        sender = api.new_sender()
        path = f"/admin/address_sender?address={sender.address}"
        assert api.balance(sender) == 0
        assert api.admin("GET", path).json()["results"] == []
        assert api.post("/api/request_send_mail_access", headers=sender.headers).status_code == 200
        (row,) = api.admin("GET", path).json()["results"]
        assert (row["balance"], row["enabled"]) == (0, 0)
        assert row["requested_at"] == row["created_at"]
        assert api.send(sender).json()["code"] == "no_balance"
        response = api.post("/api/request_send_mail_access", headers=sender.headers)
        check_problem(response, 400, "already_requested", "Already requested")


def decided(api: Api, sender: Sender, balance: int, *, enabled: bool) -> None:
    """Set a balance as the administrator."""
    body = {"address": sender.address, "address_id": 0, "balance": balance, "enabled": enabled}
    done(api.admin("POST", "/admin/address_sender", json=body))


def requests_of(api: Api, sender: Sender) -> list[dict[str, Any]]:
    path = f"/admin/address_sender?requested=true&address={sender.address}"
    rows: list[dict[str, Any]] = api.admin("GET", path).json()["results"]
    return rows


@pytest.mark.contract(
    "POST /api/request_send_mail_access: Returns 400 only while a request waits for an response"
)
def test_a_request_waits_until_it_is_decided(own: Api) -> None:
    sender = own.new_sender(balance=1)
    assert own.send(sender).status_code == 200
    for balance in (1, 2):  # the balance is used up each time
        assert own.post(ASK, headers=sender.headers).status_code == 200
        response = own.post(ASK, headers=sender.headers)
        check_problem(response, 400, "already_requested", "Already requested")
        (row,) = requests_of(own, sender)
        assert (row["balance"], row["enabled"]) == (0, 1)
        assert row["requested_at"] >= row["created_at"]
        decided(own, sender, balance, enabled=True)
        assert requests_of(own, sender) == []
        assert own.post(ASK, headers=sender.headers).status_code == 200
        for _ in range(balance):
            assert own.send(sender).status_code == 200


def test_a_disabled_balance_is_no_request(own: Api) -> None:
    for balance in (0, 5):
        sender = own.new_sender(balance=balance)
        decided(own, sender, balance, enabled=False)
        assert requests_of(own, sender) == []
        response = own.post(ASK, headers=sender.headers)
        detail = "Sending is switched off for this address, please contact the administrator"
        check_problem(response, 403, "balance_disabled", detail)
        assert requests_of(own, sender) == []
