"""Administration: addresses, balances, lists, mail, suppressions, and the audit log."""

import hashlib
import json
import random
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.credentials import claims_of
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, check_problem, done, mail
from tests.e2e.api import unique_name as name
from tests.unit.source import ROOT

HOSTILE = [
    "' OR 1=1 --",
    "x'); DROP TABLE addresses; --",
    "%",
    "_",
    "\\",
    '"',
    "a\u0000b",
    "\ud800".encode("utf-8", "replace").decode(),
    "x" * 5000,
    "../../etc/passwd",
    "${7*7}",
]
NO_ADDRESS = "There is no such address"


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    """A deployment for this file alone: its lists and limits apply to all addresses."""
    variables = {**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true", "SEND_MAIL_DOMAINS": ""}
    with TestClient(variables) as running:
        yield Api(running)


def check_audit_row(api: Api, **expected: Any) -> dict[str, Any]:
    """Check that the newest row of the audit log has these members; return the row."""
    row: dict[str, Any] = api.admin("GET", "/admin/audit?limit=1").json()["results"][0]
    assert expected.items() <= row.items()
    return row


def admin_mail(**fields: Any) -> dict[str, Any]:
    return mail(from_mail="news@example.com", **fields)


# Addresses


@pytest.mark.contract("GET /admin/address: Returns rows and their count")
def test_addresses_are_listed(own: Api) -> None:
    first, second = own.new_sender(), own.new_sender()
    own.send(second)
    own.send(second)
    page = own.admin("GET", "/admin/address?limit=2&offset=0").json()
    assert page["count"] >= 2
    assert [row["id"] for row in page["results"]] == [second.address_id, first.address_id]
    row = page["results"][0]
    assert row.keys() == {
        *("id", "name", "created_at", "updated_at", "source_meta", "mail_count", "send_count")
    }
    assert (row["name"], row["mail_count"], row["send_count"]) == (second.address, 0, 2)


@pytest.mark.contract("GET /admin/address: Filters and sorts")
def test_addresses_are_found_and_sorted(own: Api) -> None:
    part = name()
    for letter in "bca":
        own.admin(
            "POST", "/admin/new_address", json={"name": part + letter, "domain": "example.com"}
        )
    path = f"/admin/address?query={part.upper()}&sort_by="
    for key in ("name", "NAME", "send_count", "mail_count", "created_at", "updated_at", "id"):
        up = own.admin("GET", f"{path}{key}&sort_order=asc").json()
        down = own.admin("GET", f"{path}{key}&sort_order=desc").json()
        assert up["count"] == down["count"] == 3
        assert up["results"] == down["results"][::-1]
        if key.lower() == "name":
            names = [row["name"] for row in up["results"]]
            assert names == [f"{part}{letter}@example.com" for letter in "abc"]


@pytest.mark.contract("GET /admin/address: Validates its parameters")
@pytest.mark.parametrize("parameter", ["limit", "offset", "sort_by", "sort_order"])
@pytest.mark.parametrize("hostile", ["-1", "id; DROP TABLE addresses", "password_hash", "1e3", "²"])
def test_parameters_of_lists_are_checked(own: Api, parameter: str, hostile: str) -> None:
    response = own.admin("GET", "/admin/address", params={parameter: hostile})
    check_problem(response, 400, f"invalid_{parameter}", f"Invalid {parameter}")


@pytest.mark.contract("GET /admin/show_password/{id}: Returns jwt")
def test_showing_a_credential_is_audited(own: Api) -> None:
    sender = own.new_sender()
    response = own.admin("GET", f"/admin/show_password/{sender.address_id}")
    shown = response.json()
    assert shown.keys() == {"jwt"}
    assert claims_of(shown["jwt"])["address"] == sender.address
    headers = {"Authorization": f"Bearer {shown['jwt']}"}
    assert own.get("/api/settings", headers=headers).status_code == 200
    row = check_audit_row(own, actor="admin#1", action="credential.shown", object=sender.address)
    assert shown["jwt"] not in json.dumps(row)


@pytest.mark.contract("POST /admin/address/{id}/reset_password: Sets a new password")
def test_a_password_is_reset(own: Api) -> None:
    sender = own.new_sender()
    path = f"/admin/address/{sender.address_id}/reset_password"
    sql = "SELECT password_hash FROM addresses WHERE id = ?"
    (before,) = own.server.sql(sql, [sender.address_id])
    digest = hashlib.sha256(b"a new password").hexdigest()
    done(own.admin("POST", path, json={"password": digest}))
    (after,) = own.server.sql(sql, [sender.address_id])
    assert after["password_hash"] != before["password_hash"]
    assert str(after["password_hash"]).startswith("$pbkdf2-sha256$i=100000,")
    row = check_audit_row(own, action="password.reset", object=sender.address)
    assert digest not in json.dumps(row)
    response = own.admin("POST", path, json={})
    check_problem(response, 400, "required_field_missing", "Required field is missing")
    for wrong in ("plain", "z" * 64, digest + "0"):
        response = own.admin("POST", path, json={"password": wrong})
        assert (response.status_code, response.json()["code"]) == (400, "password_not_digested")


@pytest.mark.contract("passwords: Passwords are off by default")
def test_without_passwords_none_is_reset(api: Api) -> None:
    response = api.admin("POST", "/admin/address/1/reset_password", json={"password": "0" * 64})
    check_problem(response, 403, "password_change_disabled", "Password change is disabled")


@pytest.mark.contract("DELETE /admin/delete_address/{id}: Returns 404 for an unknown id")
@pytest.mark.contract("GET /admin/show_password/{id}: Returns 404 for an unknown id")
@pytest.mark.contract("POST /admin/address/{id}/reset_password: Returns 404 for an unknown id")
@pytest.mark.contract("DELETE /admin/clear_sent_items/{id}: Returns 404 for an unknown id")
@pytest.mark.contract("DELETE /admin/address_sender/{id}: Returns 404 for an unknown id")
@pytest.mark.parametrize("id_", ["0", "999999", "x", "-1", "1.0", "²", "9" * 400, "1%20OR%201"])
def test_an_unknown_address_is_not_found(own: Api, id_: str) -> None:
    digest = {"password": "0" * 64}
    for method, path, body in (
        ("GET", f"/admin/show_password/{id_}", None),
        ("DELETE", f"/admin/delete_address/{id_}", None),
        ("DELETE", f"/admin/clear_sent_items/{id_}", None),
        ("DELETE", f"/admin/address_sender/{id_}", None),
        ("POST", f"/admin/address/{id_}/reset_password", digest),
    ):
        check_problem(own.admin(method, path, json=body), 404, "address_not_found", NO_ADDRESS)


# Balances


@pytest.mark.contract("GET /admin/address_sender: Lists balances, filtered by address")
@pytest.mark.contract("POST /admin/address_sender: Creates or changes a balance")
@pytest.mark.contract("DELETE /admin/address_sender: Removes a balance")
@pytest.mark.contract("DELETE /admin/address_sender/{id}: Returns 404 for a removed balance")
def test_a_balance_is_requested_set_used_and_removed(own: Api) -> None:
    made = own.admin("POST", "/admin/new_address", json={"name": name()}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    path = f"/admin/address_sender?address={sender.address.upper()}"
    assert own.admin("GET", path).json() == {"results": [], "count": 0}
    body = {"address": sender.address, "address_id": 0, "balance": 1, "enabled": True}
    done(own.admin("POST", "/admin/address_sender", json=body))
    details = {"balance": 1, "enabled": True}
    check_audit_row(own, action="balance.set", object=sender.address, details=details)
    (row,) = own.admin("GET", path).json()["results"]
    assert row.keys() == {"id", "address", "balance", "enabled", "requested_at", "created_at"}
    assert (row["address"], row["balance"], row["enabled"]) == (sender.address, 1, 1)
    assert own.send(sender).status_code == 200
    detail = "Failed to send mail No balance"
    check_problem(own.send(sender), 400, "no_balance", detail)
    for enabled, left in ((1, 5), (0, 0), (True, 5), (False, 0)):
        body = {"address_id": row["id"], "balance": 5, "enabled": enabled}
        done(own.admin("POST", "/admin/address_sender", json=body))
        assert own.balance(sender) == left
    done(own.admin("DELETE", f"/admin/address_sender?id={row['id']}"))
    check_audit_row(own, action="balance.removed", object=sender.address)
    response = own.admin("DELETE", f"/admin/address_sender/{row['id']}")
    assert (response.status_code, response.json()["code"]) == (404, "balance_not_found")
    assert own.balance(sender) == 1000  # the default, granted again


def test_requests_can_be_listed_alone_oldest_first() -> None:
    with TestClient({**DEPLOYMENT, "DEFAULT_SEND_BALANCE": "0"}) as server:
        api = Api(server)
        ask = "/api/request_send_mail_access"
        asked = [api.new_sender() for _ in range(2)]
        for sender in reversed(asked):
            assert api.post(ask, headers=sender.headers).status_code == 200
        api.new_sender(balance=7)
        path = "/admin/address_sender?requested=true&limit=1"
        pages = [api.admin("GET", f"{path}&offset={offset}").json() for offset in (0, 1)]
        assert [page["count"] for page in pages] == [2, 2]
        (last,), (first,) = (page["results"] for page in pages)
        assert [first["address"], last["address"]] == [sender.address for sender in asked]
        response = api.admin("GET", "/admin/address_sender?requested=yes")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_requested")


@pytest.mark.contract("POST /admin/address_sender: Validates its fields")
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "invalid_address_id", "address_id"),
        ({"address_id": None}, 400, "invalid_address_id", "address_id"),
        ({"address_id": -1}, 400, "invalid_address_id", "address_id"),
        ({"address_id": "1"}, 422, "invalid_input", "address_id"),
        ({"address_id": 1}, 422, "required_field_missing", "balance"),
        ({"address_id": 1, "balance": -1}, 422, "invalid_input", "balance"),
        ({"address_id": 1, "balance": 1.5}, 422, "invalid_input", "balance"),
        ({"address_id": 1, "balance": "5"}, 422, "invalid_input", "balance"),
        ({"address_id": 1, "balance": 2**60}, 422, "invalid_input", "balance"),
        ({"address_id": 1, "balance": 5}, 422, "required_field_missing", "enabled"),
        ({"address_id": 1, "balance": 5, "enabled": 2}, 422, "invalid_input", "enabled"),
        ({"address_id": 1, "balance": 5, "enabled": "true"}, 422, "invalid_input", "enabled"),
        ({"address_id": 0, "balance": 5, "enabled": 1}, 404, "address_not_found", None),
        ({"address_id": 2**50, "balance": 5, "enabled": 1}, 404, "address_not_found", None),
        (
            {"address_id": 0, "address": "x" * 60_000, "balance": 5, "enabled": 1},
            *(404, "address_not_found", None),
        ),
    ],
)
def test_invalid_balances_are_rejected(
    own: Api, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    response = own.admin("POST", "/admin/address_sender", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    if code == "invalid_address_id":
        check_problem(response, 400, code, "Invalid address_id")
    if field:
        assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.contract("POST /admin/address_sender: Requires that id and address match")
def test_id_and_address_must_match(own: Api) -> None:
    one, other = own.new_sender(), own.new_sender()
    body = {"address": other.address, "address_id": one.address_id, "balance": 5, "enabled": 1}
    response = own.admin("POST", "/admin/address_sender", json=body)
    check_problem(response, 404, "address_not_found", NO_ADDRESS)


# Lists and limits

NOTHING = {
    "blockList": [],
    "sendBlockList": [],
    "verifiedAddressList": [],
    "noLimitSendAddressList": [],
    "sendMailLimitConfig": {
        **{"dailyEnabled": False, "dailyLimit": None},
        **{"monthlyEnabled": False, "monthlyLimit": None},
    },
}


@pytest.fixture
def settings(own: Api) -> Iterator[Api]:
    yield own
    done(own.admin("POST", "/admin/account_settings", json=NOTHING))


@pytest.mark.contract(
    "GET /admin/account_settings: Returns the settings as posted; the response can be posted back"
)
def test_posted_settings_are_returned(settings: Api) -> None:
    api = settings
    assert api.admin("GET", "/admin/account_settings").json() == NOTHING
    posted: dict[str, Any] = {
        "blockList": ["Spam", "boss", "a'b"],
        "sendBlockList": ["@Example.NET", "b@example.net", "example.edu", "a@bücher.example"],
        "verifiedAddressList": ["Friend@Example.net"],
        "noLimitSendAddressList": ["z@example.com", "a@example.com"],
        "sendMailLimitConfig": {
            **{"dailyEnabled": True, "dailyLimit": -1},
            **{"monthlyEnabled": True, "monthlyLimit": 100_000},
        },
    }
    done(api.admin("POST", "/admin/account_settings", json=posted))
    assert api.admin("GET", "/admin/account_settings").json() == posted
    done(api.admin("POST", "/admin/account_settings", json=posted))
    less = {"blockList": ["boss", "Spam", "SPAM"]}
    done(api.admin("POST", "/admin/account_settings", json=less))
    details = {"entries": 2, "added": 0, "first_added": [], "removed": 1, "first_removed": ["a'b"]}
    check_audit_row(api, action="list.set", object="name_block", details=details)
    shown = api.admin("GET", "/admin/account_settings").json()
    assert shown == {**posted, "blockList": ["boss", "Spam"]}


@pytest.mark.contract("POST /admin/account_settings: Applies lists and limits")
def test_lists_and_limits_are_enforced(settings: Api) -> None:
    api = settings
    poor = api.new_sender(balance=0)
    blocked = name()
    posted = {
        "blockList": [blocked.upper()],
        "sendBlockList": ["@bücher.example", "Bob@example.net"],
        "verifiedAddressList": ["Friend@example.net"],
    }
    done(api.admin("POST", "/admin/account_settings", json=posted))
    detail = f"Failed to create address: Name[{blocked}]is blocked"
    response = api.post("/api/new_address", {"name": blocked})
    check_problem(response, 400, "address_name_blocked", detail)
    detail = "Failed to send mail Address is blocked"
    for recipient in ("x@BÜCHER.example", "bob@example.net"):
        response = api.send(api.new_sender(), to_mail=recipient)
        check_problem(response, 400, "address_blocked", detail)
    response = api.send(poor, cc=["x@example.net", "Bob@Example.net"], bcc="bob@example.net")
    problem = check_problem(response, 400, "no_balance", "Failed to send mail No balance")
    assert "errors" not in problem
    response = api.send(api.new_sender(), cc=["x@example.net", "Bob@Example.net"])
    named = {"field": "cc[1]", "message": "This address is blocked: bob@example.net"}
    assert check_problem(response, 400, "address_blocked", detail)["errors"] == [named]
    assert api.send(poor, to_mail="FRIEND@example.net").status_code == 200
    assert api.send(poor).json()["code"] == "no_balance"
    limits = {**NOTHING["sendMailLimitConfig"], "dailyEnabled": True, "dailyLimit": 0}  # type: ignore[dict-item]
    more = {"noLimitSendAddressList": [poor.address], "sendMailLimitConfig": limits}
    done(api.admin("POST", "/admin/account_settings", json=more))
    detail = "Failed to send mail Server daily send quota has been reached"
    check_problem(api.send(poor), 400, "daily_quota_reached", detail)


@pytest.mark.contract("POST /admin/account_settings: Rejects invalid limits")
@pytest.mark.parametrize(
    "config",
    [
        {"dailyEnabled": True, "dailyLimit": -2},
        {"dailyEnabled": True, "dailyLimit": None},
        {"dailyEnabled": True},
        {"dailyEnabled": True, "dailyLimit": 1.5},
        {"dailyEnabled": True, "dailyLimit": "5"},
        {"dailyEnabled": True, "dailyLimit": True},
        {"dailyEnabled": True, "dailyLimit": 2**70},
        {"dailyEnabled": "true", "dailyLimit": 5},
        {"dailyEnabled": 1, "dailyLimit": 5},
        {"dailyEnabled": False, "dailyLimit": "'; DROP TABLE settings; --"},
        {"monthlyEnabled": None, "monthlyLimit": 5},
        [],
        "x",
        5,
        False,
    ],
)
def test_invalid_limits_are_rejected(own: Api, config: Any) -> None:
    response = own.admin("POST", "/admin/account_settings", json={"sendMailLimitConfig": config})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_send_limits")
    assert response.json()["errors"][0]["field"].startswith("sendMailLimitConfig")


@pytest.mark.contract(
    "POST /admin/account_settings: Rejects invalid entries and names their positions"
)
@pytest.mark.parametrize(
    ("list_", "entry"),
    [
        *(("sendBlockList", entry) for entry in ("", "localhost", "a b@c.example", "@", "@@x.y")),
        *(("verifiedAddressList", entry) for entry in ("example.net", "a b@c.example", "\x00")),
        *(("blockList", entry) for entry in ("", " ", "a\nb", "x" * 65, "a\x00b")),
    ],
)
def test_invalid_entries_are_named_by_their_index(own: Api, list_: str, entry: str) -> None:
    before = own.admin("GET", "/admin/account_settings").json()
    good = "good" if list_ == "blockList" else "good@example.net"
    response = own.admin("POST", "/admin/account_settings", json={list_: [good, entry]})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_list_entry")
    assert [error["field"] for error in response.json()["errors"]] == [f"{list_}[1]"]
    assert own.admin("GET", "/admin/account_settings").json() == before


# Mail


@pytest.mark.contract("POST /admin/send_mail: Sends from any address, without a balance")
@pytest.mark.contract("GET /admin/sendbox: Lists messages by address")
def test_administrators_send_from_any_address_without_a_balance(own: Api) -> None:
    response = own.admin("POST", "/admin/send_mail", json=admin_mail(from_name="News"))
    assert response.status_code == 200, response.text
    body = response.json()
    assert (body["status"], body.keys()) == ("ok", {"status", "id", "message_id"})
    sent = own.server.sent_mails()[-1]
    assert "news@example.com" in sent["from"]
    check_audit_row(
        own, action="message.sent", object=body["id"], details={"from": "news@example.com"}
    )
    page = own.admin("GET", "/admin/sendbox?address=news@example.com").json()
    assert body["id"] in [row["id"] for row in page["results"]]
    assert page["count"] == len(page["results"])
    (row,) = own.server.sql("SELECT charge FROM messages WHERE id = ?", [body["id"]])
    assert row["charge"] == 0


@pytest.mark.contract("POST /admin/send_mail: Counts towards the limits")
def test_messages_of_administrators_count_towards_the_limits(settings: Api) -> None:
    limits = {**NOTHING["sendMailLimitConfig"], "monthlyEnabled": True, "monthlyLimit": 0}  # type: ignore[dict-item]
    posted = {"sendMailLimitConfig": limits}
    done(settings.admin("POST", "/admin/account_settings", json=posted))
    response = settings.admin("POST", "/admin/send_mail", json=admin_mail())
    detail = "Server monthly send quota has been reached"
    check_problem(response, 400, "monthly_quota_reached", detail)


@pytest.mark.contract("POST /admin/send_mail: Returns errors without the prefix")
@pytest.mark.parametrize(
    ("fields", "code", "detail"),
    [
        ({"from_mail": None}, "required_field_missing", "Required field is missing"),
        ({"from_mail": "x@example.net"}, "invalid_sender_domain", "Invalid domain"),
        ({"to_mail": "nobody"}, "invalid_recipient", "Invalid recipient address"),
        ({"subject": ""}, "subject_empty", "Subject is empty"),
        ({"content": ""}, "content_empty", "Content is empty"),
    ],
)
def test_errors_carry_no_prefix(own: Api, fields: dict[str, Any], code: str, detail: str) -> None:
    response = own.admin("POST", "/admin/send_mail", json={**admin_mail(), **fields})
    check_problem(response, 400, code, detail)


@pytest.mark.contract("POST /admin/send_mail: Sends once per Idempotency-Key")
def test_administrators_send_once_with_a_key(own: Api) -> None:
    headers = {"x-admin-auth": ADMIN_PASSWORD, "Idempotency-Key": name()}
    body = admin_mail(subject=name())
    responses = [own.post("/admin/send_mail", body, headers=headers) for _ in range(2)]
    assert responses[0].json() == responses[1].json()
    assert responses[1].headers["Idempotent-Replayed"] == "true"
    sent = [one for one in own.server.sent_mails() if one["subject"] == body["subject"]]
    assert len(sent) == 1


@pytest.mark.contract(
    "POST /admin/send_mail_by_binding: Accepts every field that the provider accepts"
)
def test_administrators_send_by_binding(own: Api) -> None:
    body = {
        "from": {"email": "news@other.example", "name": "News"},
        "to": ["a@example.net", {"email": "b@example.net", "name": "B"}],
        "cc": "C <c@example.net>",
        "replyTo": "answers@example.net",
        "subject": name(),
        "html": "<p>Hello</p>",
        "headers": {"X-Order": "1"},
        "attachments": [{"filename": "a.txt", "content": "aGk=", "type": "text/plain"}],
    }
    response = own.admin("POST", "/admin/send_mail_by_binding", json=body)
    assert (response.status_code, response.json()) == (200, {"status": "ok"}), response.text
    (sent,) = [one for one in own.server.sent_mails() if one["subject"] == body["subject"]]
    assert "news@other.example" in sent["from"]
    assert sent["attachments"][0]["filename"] == "a.txt"
    # The binding has no such fields. Like all unknown fields they are ignored.
    extra = {"tags": True, "scheduled_at": "2030-01-01"}
    response = own.admin("POST", "/admin/send_mail_by_binding", json={**body, **extra})
    assert (response.status_code, response.json()) == (200, {"status": "ok"}), response.text
    for missing in ("from", "to", "subject", "html"):
        less = {key: value for key, value in body.items() if key not in (missing, "cc")}
        assert own.admin("POST", "/admin/send_mail_by_binding", json=less).status_code == 400
    for wrong, field in (
        ({"replyTo": "nobody"}, "replyTo"),
        ({"replyTo": [{"email": "nobody"}]}, "replyTo[0].email"),
        ({"to": None, "cc": None}, "to"),
        ({"html": None}, "text"),
        ({"from": {"email": "news@other.example", "name": "a@b.example"}}, "from"),
    ):
        response = own.admin("POST", "/admin/send_mail_by_binding", json={**body, **wrong})
        assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.contract(
    "POST /admin/send_mail_by_binding: Allows only the domains of SEND_MAIL_DOMAINS"
)
def test_domains_of_the_binding_are_limited() -> None:
    variables = {**DEPLOYMENT, "SEND_MAIL_DOMAINS": "example.org"}
    with TestClient(variables) as server:
        api = Api(server)
        body = {"from": "a@example.org", "to": "b@example.net", "subject": "s", "text": "t"}
        path = "/admin/send_mail_by_binding"
        assert api.admin("POST", path, json=body).json() == {"status": "ok"}
        response = api.admin("POST", path, json={**body, "from": "a@example.com"})
        sentence = "Please enable SEND_MAIL for this domain first"
        check_problem(response, 400, "send_mail_not_enabled", sentence)


# Suppressions


@pytest.mark.contract("GET /admin/suppressions: Lists suppressed recipients")
@pytest.mark.contract("POST /admin/suppressions: Adds a recipient")
@pytest.mark.contract("DELETE /admin/suppressions: Removes a recipient")
def test_suppressions_are_added_listed_and_removed(own: Api) -> None:
    address = f"{name()}@example.net"
    done(own.admin("POST", "/admin/suppressions", json={"address": address.upper()}))
    check_audit_row(own, action="suppression.added", object=address, details={"reason": "manual"})
    (row,) = own.admin("GET", f"/admin/suppressions?address={address}").json()["results"]
    assert (row["address"], row["reason"], row["expires_at"]) == (address, "manual", None)
    assert row["origin"].startswith("admin")
    response = own.admin("POST", "/admin/suppressions", json={"address": address, "reason": "a\0b"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "reason")
    body = {"address": address, "reason": "hard_bounce", "expires_at": "2999-01-01T00:00"}
    done(own.admin("POST", "/admin/suppressions", json=body))
    page = own.admin("GET", "/admin/suppressions", params={"cursor": address[:-1]}).json()
    end = "2999-01-01T00:00:00.000Z"
    changed = {**row, "reason": "hard_bounce", "expires_at": end}
    assert changed in page["results"]
    why = "a mail to it was rejected permanently"
    detail = f"Failed to send mail Recipient is suppressed until {end}: {address} ({why})"
    response = own.send(own.new_sender(), to_mail=address)
    problem = check_problem(response, 400, "recipient_suppressed", detail)
    shown = {"recipient": address, "reason": "hard_bounce", "expires_at": end}
    assert problem["suppression"] == shown
    path = f"/admin/suppressions?address={address}"
    done(own.admin("DELETE", path))
    check_audit_row(own, action="suppression.removed", object=address)
    response = own.admin("DELETE", path)
    assert (response.status_code, response.json()["code"]) == (404, "suppression_not_found")
    assert own.send(own.new_sender(), to_mail=address).status_code == 200
    for wrong in ({}, {"address": ""}, {"address": "x"}, {"address": "a@example.net, b@c.de"}):
        assert own.admin("POST", "/admin/suppressions", json=wrong).status_code == 400
    assert own.admin("DELETE", "/admin/suppressions").status_code == 400
    for wrong, code in (
        ({"scope": "x"}, "invalid_scope"),
        ({"expires_at": "soon"}, "expires_at_invalid"),
        ({"expires_at": "2001-01-01T00:00"}, "expires_at_in_past"),
    ):
        response = own.admin("POST", "/admin/suppressions", json={"address": address, **wrong})
        assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.contract("DELETE /admin/suppressions: Removes the entry of a scope")
def test_a_suppression_holds_for_its_scope_and_is_removed_by_it(own: Api) -> None:
    address = f"{name()}@example.net"
    path = f"/admin/suppressions?address={address}"
    for scope in ("other.example", ""):
        done(own.admin("POST", "/admin/suppressions", json={"address": address, "scope": scope}))
    done(own.admin("DELETE", f"{path}&scope="))
    (row,) = own.admin("GET", path).json()["results"]
    assert row["scope"] == "other.example"
    assert own.send(own.new_sender(balance=1), to_mail=address).status_code == 200
    response = own.admin("DELETE", f"{path}&scope=x")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_scope")
    done(own.admin("DELETE", f"{path}&scope=Other.Example"))


@pytest.mark.contract("POST /admin/suppressions/import: Names invalid rows by their line")
@pytest.mark.contract("GET /admin/suppressions/export: Can be imported again")
def test_suppressions_are_imported_and_exported_in_steps(own: Api) -> None:
    word = name()
    lines = [f"{word}{number}@example.net,hard_bounce" for number in range(1001)]
    lines[7] = "nobody"
    path = "/admin/suppressions/import"
    response = own.admin("POST", path, json={"csv": "\n".join(lines)})
    assert (response.status_code, response.json()["code"]) == (400, "too_many_suppressions")
    for number, first in enumerate(range(0, 1001, 500)):
        piece = {"csv": "\n".join(lines[first : first + 500]), "first_line": first + 1}
        response = own.admin("POST", path, json=piece).json()
        invalid = [8] if number == 0 else []
        assert [error["line"] for error in response["errors"]] == invalid
        assert response["imported"] == min(500, 1001 - first) - len(invalid)
    check_audit_row(own, action="suppressions.imported", object="suppressions", details={"rows": 1})
    text, cursor, pages = "", "", 0
    while cursor is not None:
        page = own.admin("GET", "/admin/suppressions/export", params={"cursor": cursor}).json()
        text, cursor, pages = text + page["csv"], page["next_cursor"], pages + 1
    assert pages >= 1
    exported = text.split("\r\n")
    assert exported[0] == "address,reason,scope,expires_at"
    expected = {f"{line},," for line in lines if line != "nobody"}
    assert {line for line in exported if line.startswith(word)} == expected


# The audit log


@pytest.mark.contract("GET /admin/audit: Lists entries page by page")
def test_the_audit_log_has_pages(own: Api) -> None:
    made = [own.new_sender().address for _ in range(5)]
    rows: list[dict[str, Any]] = []
    cursor = ""
    while len(rows) < 5:
        page = own.admin("GET", f"/admin/audit?limit=2&cursor={cursor}").json()
        rows += page["results"]
        cursor = page["next_cursor"]
    assert [row["object"] for row in rows[:5]] == made[::-1]
    assert rows[0].keys() == {"id", "at", "actor", "action", "object", "source", "details"}
    assert (rows[0]["actor"], rows[0]["action"]) == ("anybody", "address.created")
    assert own.admin("GET", "/admin/audit?cursor=x").json()["code"] == "invalid_cursor"
    assert own.admin("GET", "/admin/audit?limit=0").json()["code"] == "invalid_limit"
    last = own.admin("GET", f"/admin/audit?cursor={'0' * 8}-0000-7000-8000-{'0' * 12}").json()
    assert last == {"results": [], "next_cursor": None}


@pytest.mark.contract(
    "GET /admin/audit: Each completed action is recorded once; a rejected one is not"
)
def test_a_rejected_address_has_no_audit_row(own: Api) -> None:
    sender = own.new_sender()
    before = check_audit_row(own, object=sender.address)
    response = own.post("/api/new_address", {"name": sender.address.partition("@")[0]})
    assert response.json()["code"] == "address_exists"
    assert check_audit_row(own) == before


# Clients without a password, and hostile values


@pytest.mark.contract("guards: Without an admin password, every admin path returns the same 401")
def test_without_the_password_all_admin_paths_respond_alike(own: Api) -> None:
    described = json.loads((ROOT / "public" / "openapi.json").read_text("utf-8"))["paths"]
    known = [path.replace("{id}", "1") for path in described if path.startswith("/admin/")]
    chance = random.Random(5)
    letters = string.ascii_letters + string.digits + "/_-.%20~"
    paths = [
        "/admin/" + "".join(chance.choices(letters, k=chance.randint(0, 30))) for _ in range(1000)
    ]
    paths += [f"{path}{end}" for path in known for end in ("", "/", "/x", "?x=1")]
    bodies = set()
    for path in paths:
        response = own.call(chance.choice(["GET", "POST", "DELETE", "PUT", "PATCH"]), path)
        assert response.status_code in (401, 404), path
        problem = response.json()
        problem.pop("request_id")
        bodies.add(json.dumps(problem, sort_keys=True))
    assert len(bodies) == 1


@pytest.mark.contract("attacks: SQL is treated as data in every field and parameter")
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_cause_no_server_error(own: Api, hostile: str) -> None:
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    before = own.server.sql(tables)
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/admin/address", {"params": {"query": hostile[:500]}}),
        ("GET", "/admin/address_sender", {"params": {"address": hostile[:500]}}),
        ("GET", "/admin/sendbox", {"params": {"address": hostile[:500]}}),
        ("GET", "/admin/suppressions", {"params": {"address": hostile[:500]}}),
        ("GET", "/admin/suppressions", {"params": {"address": "x", "cursor": hostile[:500]}}),
        ("GET", "/admin/audit", {"params": {"cursor": hostile[:500]}}),
        ("DELETE", "/admin/suppressions", {"params": {"address": hostile[:500]}}),
        ("DELETE", "/admin/address_sender", {"params": {"id": hostile[:500]}}),
        ("DELETE", f"/admin/sendbox/{quote(hostile[:500], safe='')}", {}),
        *(
            ("POST", "/admin/address_sender", {"json": {**balance, "address": hostile}})
            for balance in [{"address_id": 0, "balance": 1, "enabled": 1}]
        ),
        *(
            ("POST", "/admin/account_settings", {"json": {field: [hostile]}})
            for field in ("sendBlockList", "verifiedAddressList", "noLimitSendAddressList")
        ),
        ("POST", "/admin/suppressions", {"json": {"address": hostile, "reason": hostile}}),
        ("POST", "/admin/suppressions", {"json": {"address": "a@b.example", "reason": hostile}}),
        *(
            ("POST", "/admin/send_mail", {"json": {**admin_mail(), field: hostile}})
            for field in ("from_mail", "from_name", "to_mail", "subject", "content")
        ),
        ("POST", "/admin/send_mail_by_binding", {"json": {"from": hostile, "to": hostile}}),
    ]
    for method, path, options in calls:
        response = own.admin(method, path, **options)
        assert response.status_code < 500, (method, path, response.text)
        if method == "GET" and path != "/admin/audit":
            assert response.json()["results"] == []
    assert own.server.sql(tables) == before


def audit_rows(api: Api) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.admin("GET", "/admin/audit?limit=100").json()["results"]
    return rows


def test_an_act_that_changes_nothing_leaves_no_row_in_the_audit_log() -> None:
    limits = {"dailyEnabled": True, "dailyLimit": 5, "monthlyEnabled": False, "monthlyLimit": None}
    with TestClient(DEPLOYMENT) as server:
        api = Api(server)
        sender = api.new_sender(balance=3)
        before = len(audit_rows(api))

        def post(path: str, new_rows: int, **body: Any) -> None:
            nonlocal before
            for rows in (new_rows, 0):  # a second time it changes nothing
                written = server.database.rows_written
                done(api.admin("POST", path, json=body))
                assert len(audit_rows(api)) == before + rows
                assert rows or server.database.rows_written == written
                before += rows

        settings = api.admin("GET", "/admin/account_settings").json()
        post("/admin/account_settings", 0, **settings)
        post("/admin/account_settings", 1, sendMailLimitConfig=limits)
        post("/admin/account_settings", 1, sendBlockList=["a@example.net", "B@example.net"])
        post("/admin/account_settings", 1, sendBlockList=["B@example.net", "a@example.net"])
        post("/admin/account_settings", 1, sendBlockList=["b@example.net", "a@example.net"])
        post("/admin/account_settings", 1, sendBlockList=["b@example.net"], blockList=[])
        post("/admin/suppressions", 1, address="carol@example.net")
        post("/admin/suppressions", 1, address="carol@example.net", reason="complaint")
        about = {"address": sender.address, "address_id": 0}
        post("/admin/address_sender", 0, **about, balance=3, enabled=True)
        post("/admin/address_sender", 1, **about, balance=4, enabled=True)
        post("/admin/address_sender", 1, **about, balance=4, enabled=False)
