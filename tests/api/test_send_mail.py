"""Sending one mail: the stored rows, the charge, and every error."""

from typing import Any

import jwt
import pytest

from tests.e2e.api import SECRET, Api, Sender, check_problem, mail

NO_RECIPIENT = ("invalid_recipient", "Invalid recipient address", "to_mail")
NAME_HAS_CONTROL = (
    *("display_name_has_control", "A name must not contain control characters or line breaks"),
)
PREFIX = "Failed to send mail "


@pytest.mark.contract("GET /api/sendbox/{id}: Returns the message, its recipients and its history")
def test_all_columns_of_a_sent_message(api: Api) -> None:
    sender = api.new_sender(balance=5)
    before = api.server.now()
    response = api.send(sender, content="ü" * 300_000)
    (row,) = api.messages_of(sender)
    assert row["id"] == response.json()["id"]
    assert row["status"] == "sent"
    assert row["provider_message_id"] == response.json()["message_id"]
    assert (row["recipients"], row["charge"], row["attempt"]) == (1, 1, 1)
    assert row["lease_until"] is None
    assert before <= row["accepted_at"] <= row["finished_at"]
    sql = "SELECT kind, address, name FROM deliveries WHERE message_id = ?"
    assert api.server.sql(sql, [row["id"]]) == [
        {"kind": "to", "address": "recipient@example.net", "name": "A Recipient"}
    ]
    sql = "SELECT sequence, kind, attempt FROM events WHERE message_id = ? ORDER BY sequence"
    assert api.server.sql(sql, [row["id"]]) == [{"sequence": 0, "kind": "sent", "attempt": 1}]
    parts = api.server.sql(
        "SELECT kind, content FROM bodies WHERE message_id = ? ORDER BY part", [row["id"]]
    )
    assert {part["kind"] for part in parts} == {"text"}
    assert "".join(part["content"] for part in parts) == "ü" * 300_000
    assert all(len(part["content"].encode()) <= 1_000_000 for part in parts)
    assert api.balance(sender) == 4


@pytest.mark.contract(
    "GET /api/sendbox: Returns the documented members; `raw` does not contain the token"
)
@pytest.mark.contract("POST /external/api/send_mail: Never stores, logs or returns the token")
def test_the_token_is_never_stored(api: Api) -> None:
    sender = api.new_sender()
    body = {**mail(), "token": sender.jwt}
    assert api.post("/external/api/send_mail", body).status_code == 200
    tables = [
        row["name"]
        for row in api.server.sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not row["name"].startswith("_cf")
    ]
    assert "messages" in tables
    signature = sender.jwt.rpartition(".")[2]
    for table in tables:
        assert signature not in repr(api.server.sql(f"SELECT * FROM {table}"))
    assert signature not in api.server.log_text


@pytest.mark.contract("send checks: Request errors are reported in a fixed order")
@pytest.mark.parametrize(
    ("changes", "code", "sentence", "field"),
    [
        ({"to_mail": None}, *NO_RECIPIENT),
        ({"to_mail": ""}, *NO_RECIPIENT),
        ({"to_mail": "nobody"}, *NO_RECIPIENT),
        ({"to_mail": "a@example.net, b@example.net"}, *NO_RECIPIENT),
        ({"to_mail": "a@example.net\r\nBcc: b@example.net"}, *NO_RECIPIENT),
        ({"to_mail": "a\x00@example.net"}, "invalid_recipient", "Invalid recipient address", None),
        (
            {"to_mail": "jürgen@example.net"},
            "invalid_recipient",
            "Invalid recipient address: the part before the @ must be ASCII",
            "to_mail",
        ),
        ({"subject": None}, "subject_empty", "Subject is empty", "subject"),
        ({"subject": "  "}, "subject_empty", "Subject is empty", "subject"),
        (
            {"subject": "a\r\nBcc: b@example.net"},
            "subject_has_control",
            "Subject must not contain control characters or line breaks",
            "subject",
        ),
        (
            {"subject": "x" * 999},
            "subject_too_long",
            "Subject is too long (max 998 characters)",
            "subject",
        ),
        ({"content": None}, "content_empty", "Content is empty", "content"),
        ({"content": ""}, "content_empty", "Content is empty", "content"),
        ({"from_name": "a\nb"}, *NAME_HAS_CONTROL, "from_name"),
        (
            {"from_name": "ceo@bank.example"},
            "display_name_shows_address",
            "A name must not show another mail address",
            "from_name",
        ),
        (
            {"from_name": "a\u202eb"},
            "display_name_has_hidden",
            "A name must not contain invisible or text-direction characters",
            "from_name",
        ),
        ({"to_name": "a\x7fb"}, *NAME_HAS_CONTROL, "to_name"),
    ],
)
def test_invalid_requests_are_rejected(
    api: Api, sender: Sender, changes: dict[str, Any], code: str, sentence: str, field: str | None
) -> None:
    for path in ("/api/send_mail", "/external/api/send_mail"):
        body = {**mail(**changes), "token": sender.jwt}
        response = api.post(path, body, headers=sender.headers)
        problem = check_problem(response, 400, code, PREFIX + sentence)
        assert field is None or [error["field"] for error in problem["errors"]] == [field]
    assert api.messages_of(sender) == []


@pytest.mark.contract("send checks: Request errors are reported in a fixed order")
def test_the_sender_domain_is_checked_first(api: Api) -> None:
    claims = {"address": "a@elsewhere.example", "address_id": 1}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    response = api.post("/external/api/send_mail", {"token": token})
    check_problem(response, 400, "invalid_sender_domain", PREFIX + "Invalid domain")


@pytest.mark.contract(
    "credential: Request errors are reported before the credential is checked in the database"
)
def test_errors_of_the_request_precede_errors_of_the_database(api: Api) -> None:
    sender = api.new_sender(balance=0)
    response = api.send(sender, subject="")
    check_problem(response, 400, "subject_empty", PREFIX + "Subject is empty")
    check_problem(api.send(sender), 400, "no_balance", PREFIX + "No balance")
    assert api.messages_of(sender) == []


@pytest.mark.contract(
    "credential: Deleting, renaming or rotating an address invalidates its credentials at once"
)
def test_a_deleted_or_rotated_address_is_rejected_at_once(api: Api) -> None:
    sender = api.new_sender()
    sql = "UPDATE addresses SET credential_version = 1 WHERE id = ?"
    api.server.sql(sql, [sender.address_id])
    check_problem(api.send(sender), 401, "invalid_credential", "Invalid address credential")
    sender = api.new_sender()
    api.server.sql("DELETE FROM addresses WHERE id = ?", [sender.address_id])
    check_problem(api.send(sender), 401, "invalid_credential", "Invalid address credential")
    check_problem(api.send(sender, subject=""), 400, "subject_empty", PREFIX + "Subject is empty")


@pytest.mark.contract(
    "credential: Tokens of the original service are version 0; their ids may be strings"
)
def test_tokens_of_the_replaced_service_are_accepted(api: Api) -> None:
    sender = api.new_sender()
    for address_id in (sender.address_id, str(sender.address_id)):
        claims = {"address": sender.address, "address_id": address_id}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        response = api.post("/api/send_mail", mail(), headers={"Authorization": f"bearer {token}"})
        assert response.status_code == 200, response.text


@pytest.mark.contract("POST /external/api/send_mail: Returns 401 for an invalid or missing token")
@pytest.mark.parametrize("token", [None, "", 5, ["x"], {"a": 1}, "x", "a.b.c", "x" * 5_000_000])
def test_an_invalid_body_token_is_rejected(api: Api, token: Any) -> None:
    body = {**mail(), "token": token}
    response = api.post("/external/api/send_mail", body)
    check_problem(response, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract("errors: Validation errors name the invalid fields")
@pytest.mark.contract("errors: A field of the wrong type returns 422")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from_name", 1),
        ("to_mail", ["a@example.net"]),
        ("to_name", True),
        ("subject", {"a": 1}),
        ("content", 1.5),
        ("is_html", "yes"),
    ],
)
def test_a_wrong_field_type_is_named(api: Api, sender: Sender, field: str, value: Any) -> None:
    response = api.send(sender, **{field: value})
    assert response.status_code == 422
    assert response.json()["code"] == "invalid_input"
    assert response.json()["errors"][0]["field"] == field
    assert field in response.json()["detail"]


@pytest.mark.contract("errors: Unknown fields are ignored")
def test_unknown_fields_and_nulls_are_ignored(api: Api) -> None:
    sender = api.new_sender()
    body = {**mail(), "from_name": None, "to_name": None, "is_html": None, "more": {"x": [1]}}
    assert api.post("/api/send_mail", body, headers=sender.headers).status_code == 200
    (sent,) = api.sent_by(sender)
    assert (sent["from"], sent["to"]) == (sender.address, ["recipient@example.net"])


def test_the_log_has_request_and_attempt_without_private_data(api: Api) -> None:
    sender = api.new_sender()
    request_id = f"log-{sender.address_id}"
    headers = {**sender.headers, "x-request-id": request_id}
    private = mail(
        to_mail="private-person@example.net", content="secret words", subject="unheard-of"
    )
    response = api.post("/api/send_mail", private, headers=headers)
    assert response.headers["X-Request-Id"] == request_id
    (line,) = api.log_lines(request_id)
    assert (line["method"], line["route"]) == ("POST", "/api/send_mail")
    assert (line["status"], line["code"]) == (200, None)
    assert line["message_id"] == response.json()["id"]
    assert line["milliseconds"] >= 0
    (attempt,) = line["attempts"]
    assert attempt["message_id"] == response.json()["id"]
    assert (attempt["attempt"], attempt["outcome"], attempt["code"]) == (1, "sent", None)
    for word in ("private-person", "secret words", "unheard", sender.jwt.rpartition(".")[2]):
        assert word not in api.server.log_text
    assert api.messages_of(sender)[0]["request_id"] == request_id
