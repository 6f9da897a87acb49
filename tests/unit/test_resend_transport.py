"""The transport ``resend``: what it sends, and what each response means."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from mail.addresses import parse_address
from mail.message import Header, Mailbox, Message, Tag
from services import HttpResponse
from tests.unit import given
from transport.outcome import ABOUT_TRANSPORT, Outcome, Rejected, Sent, Unknown
from transport.resend import ResendTransport, request_form
from transport.routing import ResendConfig

CONFIG = ResendConfig(name="resend", api_key="re_1")


def sent_by(respond: Any, message: Message | None = None) -> tuple[Outcome, list[Any]]:
    calls: list[Any] = []

    async def post(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        calls.append((url, headers, body))
        if isinstance(respond, Exception):
            raise respond
        status, text = respond
        return HttpResponse(status, text if isinstance(text, str) else json.dumps(text))

    transport = ResendTransport(CONFIG, "the-id", post)
    return asyncio.run(transport.send(message or given.message())), calls


def test_a_mail_is_posted_once_with_its_key() -> None:
    outcome, ((url, headers, body),) = sent_by((200, {"id": "49a3999c"}))
    assert outcome == Sent("49a3999c")
    assert url == "https://api.resend.com/emails"
    assert headers["authorization"] == "Bearer re_1"
    assert headers["idempotency-key"] == "the-id"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == request_form(given.message())


def test_the_content_is_the_same_each_time() -> None:
    message = given.message("a@example.org", "b@example.org", attachments=(given.file(),))
    bodies = {sent_by((200, {"id": "1"}), message)[1][0][2] for _ in range(3)}
    assert len(bodies) == 1


def test_all_fields_of_a_mail() -> None:
    message = given.message("you@example.org", attachments=(given.file(),))
    message = replace(
        message,
        sender_name="Doe, J",
        reply_to=Mailbox(parse_address("help@example.com"), "Help"),
        headers=(Header("X-Order", "1"),),
        tags=(Tag("kind", "order"),),
        html="<p>Hi</p>",
    )
    form = request_form(message)
    assert form["from"] == '"Doe, J" <me@example.com>'
    assert form["to"] == ["you@example.org"]
    assert form["reply_to"] == "Help <help@example.com>"
    assert form["headers"] == {"X-Order": "1"}
    assert form["tags"] == [{"name": "kind", "value": "order"}]
    assert form["html"] == "<p>Hi</p>"
    (file,) = form["attachments"]
    assert set(file) == {"filename", "content", "content_type"}


# The errors of Resend's page, with their statuses.
ERRORS: list[tuple[int, str, str, bool]] = [
    (400, "validation_error", "content_rejected", False),
    (401, "missing_api_key", "credentials_rejected", True),
    (401, "restricted_api_key", "credentials_rejected", True),
    (403, "invalid_api_key", "credentials_rejected", True),
    (403, "validation_error", "sender_not_allowed", False),
    (404, "not_found", "provider_error", False),
    (405, "method_not_allowed", "provider_error", False),
    (422, "invalid_attachment", "content_rejected", False),
    (422, "invalid_from_address", "sender_not_allowed", False),
    (422, "invalid_access", "credentials_rejected", True),
    (422, "invalid_parameter", "content_rejected", False),
    (422, "missing_required_field", "content_rejected", False),
    (429, "daily_quota_exceeded", "quota_reached", True),
    (429, "monthly_quota_exceeded", "quota_reached", True),
    (429, "rate_limit_exceeded", "throttled", True),
    (451, "security_error", "content_rejected", False),
]


@pytest.mark.parametrize(("status", "name", "reason", "transient"), ERRORS)
def test_a_definite_error(status: int, name: str, reason: str, transient: bool) -> None:
    problem = {"statusCode": status, "name": name, "message": "A sentence"}
    outcome, calls = sent_by((status, problem))
    assert outcome == Rejected(
        reason,  # type: ignore[arg-type]
        f"RESEND_{name.upper()}",
        transient=transient,
        detail=f"{status} {name} A sentence",
    )
    assert len(calls) == 1
    # What is neither transient nor about the sender says that the mail can't be sent.
    assert transient <= (reason in ABOUT_TRANSPORT)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ((500, {"name": "application_error"}), Unknown("RESEND_APPLICATION_ERROR")),
        ((500, {"name": "internal_server_error"}), Unknown("RESEND_INTERNAL_SERVER_ERROR")),
        ((502, "<html>"), Unknown("RESEND_502")),
        (
            (409, {"name": "concurrent_idempotent_requests"}),
            Unknown("RESEND_CONCURRENT_IDEMPOTENT_REQUESTS"),
        ),
        (
            (409, {"name": "invalid_idempotent_request"}),
            Unknown("RESEND_INVALID_IDEMPOTENT_REQUEST"),
        ),
        ((302, ""), Unknown("RESEND_302")),
        ((408, "x"), Unknown("RESEND_408")),
        ((200, "<html>"), Unknown(cause="unreadable response")),
        ((200, {"id": 1}), Unknown(cause="unreadable response")),
        (TimeoutError(), Unknown(cause="timeout")),
        (OSError("a text with a secret"), Unknown(cause="OSError")),
    ],
)
def test_an_outcome_that_is_not_known(response: Any, expected: Outcome) -> None:
    assert sent_by(response)[0] == expected


def test_an_error_without_a_name_is_read_by_its_status() -> None:
    assert sent_by((429, "busy"))[0] == Rejected(
        "throttled", "RESEND_429", transient=True, detail="429"
    )
    assert sent_by((401, {"name": 'x"\n'}))[0] == Rejected(
        "credentials_rejected", "RESEND_401", transient=True, detail='401 x"'
    )
