"""``/emails`` without an SDK: authentication, and the form of every error."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender

JSON = {"Content-Type": "application/json"}
ID = "00000000-0000-7000-8000-000000000000"


def in_days(days: int) -> str:
    """The time ``days`` days from now, in ISO 8601."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Api]:
    """A site with a password, and with a rate limit."""
    variables = {**DEPLOYMENT, "PASSWORDS": "site-password", "SEND_RATE_LIMIT": "3/minute"}
    with TestClient(variables) as running:
        yield Api(running)


def email(sender: Sender, **fields: Any) -> dict[str, Any]:
    """The body of ``POST /emails``, with ``fields`` changed; None omits a field."""
    body = {
        "from": f"A Sender <{sender.address}>",
        "to": "recipient@example.net",
        "subject": "A subject",
        "text": "A text",
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def check_error(
    response: requests.Response, status: int, name: str, code: str, message: str | None = None
) -> dict[str, Any]:
    """Check that ``response`` is this error in Resend's format; return its members."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    error: dict[str, Any] = response.json()
    assert (error["statusCode"], error["name"], error["code"]) == (status, name, code)
    assert message in (None, error["message"])
    assert error["request_id"] == response.headers["X-Request-Id"]
    assert status not in (429, 503) or int(response.headers["Retry-After"]) > 0
    return error


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/emails"),
        ("GET", "/emails"),
        ("POST", "/emails/batch"),
        ("GET", f"/emails/{ID}"),
        ("PATCH", f"/emails/{ID}"),
        ("POST", f"/emails/{ID}/cancel"),
        ("GET", "/emails/a/b/c"),
        ("DELETE", "/emails"),
    ],
)
def test_the_api_key_is_checked_first(api: Api, method: str, path: str) -> None:
    check_error(api.call(method, path), 401, "missing_api_key", "credential_missing")
    for key in ("Bearer", "Bearer re_123", "Basic eDp5", "Bearer " + "x" * 5000):
        response = api.call(method, path, headers={"Authorization": key})
        check_error(response, 401, "invalid_api_key", "invalid_credential")


def test_an_invalid_credential_is_no_api_key(api: Api) -> None:
    sender = api.new_sender()
    api.server.sql("DELETE FROM addresses WHERE id = ?", [sender.address_id])
    for method, path, body in (
        ("POST", "/emails", email(sender)),
        ("POST", "/emails/batch", [email(sender)]),
        ("GET", "/emails", None),
        ("GET", f"/emails/{ID}", None),
        ("PATCH", f"/emails/{ID}", {"scheduled_at": "2999-01-01T00:00:00Z"}),
        ("POST", f"/emails/{ID}/cancel", None),
    ):
        if method == "PATCH":
            continue
        response = api.call(method, path, json=body, headers=sender.headers)
        check_error(response, 401, "invalid_api_key", "invalid_credential")


@pytest.mark.contract("guards: Public paths need no site password")
def test_the_site_password_is_not_required(guarded: Api) -> None:
    made = guarded.post("/api/new_address", {}, headers={"x-custom-auth": "site-password"}).json()
    sender = Sender(made["address"], made["address_id"], made["jwt"])
    response = guarded.post("/emails", email(sender), headers=sender.headers)
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"id"}
    assert response.headers["ratelimit-limit"] == "3"
    assert response.headers["ratelimit-remaining"] == "2"
    assert 0 < int(response.headers["ratelimit-reset"]) <= 60
    more = [email(sender)] * 3
    response = guarded.post("/emails/batch", more, headers=sender.headers)
    check_error(response, 429, "rate_limit_exceeded", "rate_limit_exceeded")
    assert response.headers["ratelimit-remaining"] == "2"
    assert len(guarded.sent_by(sender)) == 1


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/emails", "GET, HEAD, POST"),
        ("GET", "/emails/batch", "POST"),
        ("PUT", f"/emails/{ID}", "GET, HEAD, PATCH"),
        ("GET", f"/emails/{ID}/cancel", "POST"),
    ],
)
def test_a_wrong_method_is_rejected(
    api: Api, sender: Sender, method: str, path: str, allow: str
) -> None:
    response = api.call(method, path, headers=sender.headers)
    check_error(response, 405, "method_not_allowed", "method_not_allowed")
    assert response.headers["Allow"] == allow


@pytest.mark.parametrize("path", ["/emails/a/share", "/emails//", "/emails/a/b/c"])
def test_an_unknown_path_is_not_found(api: Api, sender: Sender, path: str) -> None:
    response = api.get(path, headers=sender.headers)
    assert response.status_code == 404
    assert response.json()["name"] == "not_found"


@pytest.mark.parametrize("path", ["/emails", "/emails/batch"])
@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", JSON, 400, "malformed_json"),
        (b"{", JSON, 400, "malformed_json"),
        (b"[" * 1_000_000, JSON, 400, "malformed_json"),
        (b'"text"', JSON, 422, "invalid_input"),
        (b"null", JSON, 422, "invalid_input"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b" " * (10 * 1024 * 1024 + 1), JSON, 413, "body_too_large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_invalid_body_is_rejected(
    api: Api,
    sender: Sender,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    response = api.post(path, data=body, headers={**sender.headers, **headers})
    check_error(response, status, "validation_error", code)


@pytest.mark.parametrize(
    ("fields", "status", "name", "message"),
    [
        ({"from": None}, 422, "missing_required_field", "`from`: Required field is missing"),
        ({"to": []}, 422, "missing_required_field", "`to`: Required field is missing"),
        ({"text": None}, 422, "missing_required_field", "`html`: Content is empty"),
        (
            {"from": "Acme"},
            422,
            "invalid_from_address",
            "`from`: This is not one mail address of the form name@example.com",
        ),
        (
            {"to": ["a@example.net", "b"]},
            400,
            "validation_error",
            "`to[1]`: This is not one mail address of the form name@example.com",
        ),
        (
            {"template": {"id": "t"}},
            422,
            "validation_error",
            "`template`: Templates are not supported: give text or html instead",
        ),
        ({"replyTo": "a@b.c"}, 422, "validation_error", "`replyTo`: There is no such field"),
        ({"subject": 5}, 422, "validation_error", "`subject`: Expected str | null, got int"),
        (
            {"attachments": [{"filename": "a", "path": "https://example.net/a"}]},
            422,
            "invalid_attachment",
            "`attachments[0].path`: Remote files are not supported: "
            "send the content of the file instead",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_invalid_mail_is_rejected(
    api: Api, sender: Sender, fields: dict[str, Any], status: int, name: str, message: str
) -> None:
    response = api.post("/emails", email(sender, **fields), headers=sender.headers)
    assert response.status_code == status, response.text
    error = response.json()
    assert (error["statusCode"], error["name"], error["message"]) == (status, name, message)


def test_a_mail_of_a_batch_is_named_by_its_index(api: Api) -> None:
    sender = api.new_sender()
    batch = [email(sender), 5, email(sender, to=["a@example.net", "b"])]
    response = api.post("/emails/batch", batch, headers=sender.headers)
    message = "`[1]`: Expected object, got int"
    check_error(response, 422, "validation_error", "invalid_input", message)
    headers = {**sender.headers, "x-batch-validation": "permissive", "x-lang": "zh"}
    response = api.post("/emails/batch", batch, headers=headers)
    assert response.status_code == 200, response.text
    assert len(response.json()["data"]) == 1
    assert response.json()["errors"] == [
        {"index": 1, "message": "`[1]`: Expected object, got int"},
        {"index": 2, "message": "`[2].to[1]`: 这不是一个形如 name@example.com 的邮箱地址"},
    ]
    assert len(api.sent_by(sender)) == 1


def test_a_permissive_batch_of_invalid_mails_succeeds(api: Api, sender: Sender) -> None:
    headers = {**sender.headers, "x-batch-validation": "permissive"}
    response = api.post("/emails/batch", [{}], headers=headers)
    assert response.status_code == 200, response.text
    assert response.json()["data"] == []
    assert [error["index"] for error in response.json()["errors"]] == [0]


def test_a_permissive_batch_of_invalid_mails_cannot_reuse_a_key(api: Api) -> None:
    sender = api.new_sender(balance=1)
    assert permissive(api, sender, [{}], "a used key").status_code == 200  # it stores no key
    first = permissive(api, sender, [email(sender)], "a used key")
    assert first.status_code == 200, first.text
    reused = permissive(api, sender, [{}], "a used key")
    assert (reused.status_code, reused.json()["name"]) == (409, "invalid_idempotent_request")
    invalid = permissive(api, sender, [{}], "k" * 257)
    assert (invalid.status_code, invalid.json()["name"]) == (400, "invalid_idempotency_key")
    again = permissive(api, sender, [email(sender)], "a used key")
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_permissive_batch_is_replayed_with_its_errors(api: Api) -> None:
    sender = api.new_sender(balance=1)
    headers = {**sender.headers, "x-batch-validation": "permissive", "Idempotency-Key": "k"}
    batch = [email(sender), email(sender, to=None), email(sender)]
    first = api.post("/emails/batch", batch, headers=headers)
    again = api.post("/emails/batch", batch, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [error["index"] for error in first.json()["errors"]] == [1, 2]
    assert first.json()["errors"][1]["message"] == "No balance"
    assert len(api.sent_by(sender)) == 1


def permissive(api: Api, sender: Sender, batch: list[Any], key: str | None = None) -> Any:
    """The response to a permissive batch."""
    headers = {**sender.headers, "x-batch-validation": "permissive"}
    if key:
        headers["Idempotency-Key"] = key
    return api.post("/emails/batch", batch, headers=headers)


def test_a_mail_over_a_limit_does_not_stop_smaller_ones(api: Api) -> None:
    sender = api.new_sender(balance=10)
    fifty = email(sender, to=[f"to{number}@example.net" for number in range(50)])
    response = permissive(api, sender, [fifty, email(sender), fifty, email(sender)])
    assert [error["index"] for error in response.json()["errors"]] == [0, 2]
    assert {error["message"] for error in response.json()["errors"]} == {"No balance"}
    assert len(response.json()["data"]) == 2
    assert api.balance(sender) == 8


REJECTED = {"to": "carol", "subject": "Hello", "text": "Hello"}


@pytest.mark.parametrize(
    "other",
    [
        {**REJECTED, "to": "dora"},
        {**REJECTED, "subject": "Another"},
        {**REJECTED, "text": "Another"},
        {**REJECTED, "unknown": 1},
        {},
        5,
        None,
        [REJECTED],
    ],
    ids=repr,
)
def test_a_key_covers_the_rejected_mails_of_a_batch(api: Api, other: Any) -> None:
    sender = api.new_sender()
    first = permissive(api, sender, [{**REJECTED, "from": sender.address}, email(sender)], "k")
    assert len(first.json()["data"]) == 1
    if isinstance(other, dict) and other:
        other = {**other, "from": sender.address}
    again = permissive(api, sender, [other, email(sender)], "k")
    check_error(again, 409, "invalid_idempotent_request", "idempotency_key_reused")
    assert len(api.sent_by(sender)) == 1


def test_a_rejected_mail_is_the_same_in_another_order_of_its_members(api: Api) -> None:
    sender = api.new_sender()
    rejected = {**REJECTED, "from": sender.address}
    first = permissive(api, sender, [rejected, email(sender)], "k")
    again = permissive(api, sender, [dict(reversed(rejected.items())), email(sender)], "k")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_rejected_mail_that_is_not_utf_8_is_repeated(api: Api) -> None:
    sender = api.new_sender()
    headers = {
        **sender.headers,
        "Content-Type": "application/json",
        "x-batch-validation": "permissive",
        "Idempotency-Key": "k",
    }
    body = b'[{"subject": "\xff"}, %s]' % json.dumps(email(sender)).encode()
    first, again = (api.call("POST", "/emails/batch", data=body, headers=headers) for _ in range(2))
    assert [error["index"] for error in first.json()["errors"]] == [0]
    assert again.json() == first.json()
    assert len(api.sent_by(sender)) == 1


def test_outcomes_of_sandbox_recipients_have_resends_names(api: Api) -> None:
    sender = api.new_sender()
    for word, event in (
        ("delivered", "delivered"),
        ("bounced", "bounced"),
        ("complained", "complained"),
    ):
        sent = api.post("/emails", email(sender, to=f"{word}@test.invalid"), headers=sender.headers)
        api.server.settle()  # delivery events are recorded in the background
        shown = api.get(f"/emails/{sent.json()['id']}", headers=sender.headers).json()
        assert (shown["last_event"], shown["status"]) == (event, "sent")
    sent = api.post("/emails", email(sender, to="suppressed@test.invalid"), headers=sender.headers)
    error = check_error(sent, 502, "application_error", "E_RECIPIENT_SUPPRESSED")
    shown = api.get(f"/emails/{error['id']}", headers=sender.headers).json()
    assert (shown["last_event"], shown["status"]) == ("suppressed", "failed")


def test_only_the_owner_of_the_key_is_the_sender(api: Api, sender: Sender) -> None:
    other = api.new_sender()
    response = api.post("/emails", email(other), headers=sender.headers)
    message = f"`from`: The sender must be the address of the API key: {sender.address}"
    check_error(response, 403, "validation_error", "from_not_own", message)
    assert api.sent_by(other) == []


def test_an_error_is_json_in_the_requested_language(api: Api, sender: Sender) -> None:
    headers = {**sender.headers, "x-lang": "zh-CN", "Accept": "text/plain"}
    response = api.post("/emails", email(sender, subject=""), headers=headers)
    check_error(response, 422, "missing_required_field", "subject_empty", "`subject`: 主题为空")


def test_an_empty_balance_is_an_error(api: Api) -> None:
    sender = api.new_sender(balance=0)
    response = api.post("/emails", email(sender), headers=sender.headers)
    check_error(response, 403, "validation_error", "no_balance", "No balance")


def test_an_idempotency_key_is_replayed_and_checked(api: Api) -> None:
    sender = api.new_sender()
    headers = {**sender.headers, "Idempotency-Key": "welcome-user/1"}
    first = api.post("/emails", email(sender), headers=headers)
    again = api.post("/emails", email(sender), headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    response = api.post("/emails", email(sender, subject="Another"), headers=headers)
    check_error(response, 409, "invalid_idempotent_request", "idempotency_key_reused")
    assert len(api.sent_by(sender)) == 1
    headers["Idempotency-Key"] = "x" * 257
    response = api.post("/emails", email(sender), headers=headers)
    check_error(response, 400, "invalid_idempotency_key", "invalid_idempotency_key")


@pytest.mark.parametrize("mode", ["", "Strict", "lenient"])
def test_an_unknown_batch_mode_is_rejected(api: Api, sender: Sender, mode: str) -> None:
    headers = {**sender.headers, "x-batch-validation": mode}
    response = api.post("/emails/batch", [email(sender)], headers=headers)
    check_error(response, 422, "invalid_parameter", "invalid_batch_validation")


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_one_to_a_hundred_mails(api: Api, sender: Sender, count: int) -> None:
    response = api.post("/emails/batch", [email(sender)] * count, headers=sender.headers)
    message = "A batch has 1 to 100 mails"
    check_error(response, 422, "validation_error", "batch_size", message)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"attachments": [{"filename": "a", "content": "aGk="}]}, "batch_with_attachments"),
        ({"scheduled_at": "2999-01-01T00:00:00Z"}, "batch_with_schedule"),
    ],
)
def test_a_batch_takes_no_attachments_and_no_schedules(
    api: Api, fields: dict[str, Any], code: str
) -> None:
    sender = api.new_sender()
    body = [email(sender), email(sender, **fields)]
    response = api.post("/emails/batch", body, headers=sender.headers)
    check_error(response, 422, "validation_error", code)
    assert api.sent_by(sender) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=ten", "invalid_limit"),
        (f"after={ID}", "invalid_cursor"),
        ("before=%00", "invalid_cursor"),
        ("after=", "invalid_cursor"),
        (f"after={ID}&before={ID}", "two_cursors"),
    ],
)
def test_invalid_parameters_of_a_page_are_rejected(
    api: Api, sender: Sender, query: str, code: str
) -> None:
    response = api.get(f"/emails?{query}", headers=sender.headers)
    check_error(response, 422, "invalid_parameter", code)


@pytest.mark.parametrize("id", [ID, "x", "%00", "%ff", "..%2f", "x" * 2000])
def test_an_unknown_mail_is_not_found(api: Api, sender: Sender, id: str) -> None:
    for method, path, body in (
        ("GET", f"/emails/{id}", None),
        ("POST", f"/emails/{id}/cancel", None),
        ("PATCH", f"/emails/{id}", {"scheduled_at": in_days(1)}),
    ):
        response = api.call(method, path, json=body, headers=sender.headers)
        check_error(response, 404, "not_found", "message_not_found")


@pytest.mark.contract("GET /emails/{id}: Shows only the caller's messages")
def test_mails_of_other_addresses_are_not_found(api: Api, sender: Sender) -> None:
    other = api.new_sender()
    id = api.post("/emails", email(other), headers=other.headers).json()["id"]
    for method, path in (("GET", f"/emails/{id}"), ("POST", f"/emails/{id}/cancel")):
        response = api.call(method, path, headers=sender.headers)
        check_error(response, 404, "not_found", "message_not_found")
    response = api.get(f"/emails?after={id}", headers=sender.headers)
    check_error(response, 422, "invalid_parameter", "invalid_cursor")


def test_browsers_may_call(api: Api) -> None:
    response = api.call("OPTIONS", "/emails/x")
    assert response.status_code == 204
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
