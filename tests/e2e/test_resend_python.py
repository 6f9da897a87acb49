"""The official Python SDK of Resend, unmodified, against this worker."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import resend
from resend.exceptions import (
    InvalidApiKeyError,
    MissingRequiredFieldsError,
    ResendError,
    ValidationError,
)

from tests.e2e.api import Api, Sender

PNG = bytes(range(256))


@pytest.fixture
def sender(api: Api, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """An address whose credential is the SDK's API key."""
    sender = api.new_sender()
    monkeypatch.setattr(resend, "api_url", api.server.url)
    monkeypatch.setattr(resend, "api_key", sender.jwt)
    return sender


def params(sender: Sender, **fields: Any) -> Any:
    """The parameters of a mail for the SDK, with ``fields`` changed."""
    return {
        "from": f"Acme <{sender.address}>",
        "to": ["recipient@example.net"],
        "subject": "Hello World",
        "html": "<p>It works!</p>",
        **fields,
    }


def in_hours(hours: int) -> str:
    """The time in ``hours`` hours, in the format of Resend's documentation."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def error_of(call: Callable[[], Any]) -> ResendError:
    with pytest.raises(ResendError) as caught:
        call()
    return caught.value


@pytest.mark.contract("POST /emails: Resend clients can send")
@pytest.mark.contract("GET /emails/{id}: Resend clients can retrieve a message")
def test_send(api: Api, sender: Sender) -> None:
    email = resend.Emails.send(
        params(
            sender,
            to=["recipient@example.net", "Another <another@example.net>"],
            cc="copy@example.net",
            bcc=["blind@example.net"],
            reply_to="answers@example.net",
            text="It works!",
            headers={"X-Entity-Ref-ID": "123456"},
            tags=[{"name": "category", "value": "confirm_email"}],
            attachments=[
                {"filename": "notes.txt", "content": base64.b64encode(b"Hello").decode()},
                {
                    "filename": "logo.png",
                    "content": list(PNG),
                    "content_type": "image/png",
                    "inline_content_id": "logo",
                },
            ],
        )
    )
    (sent,) = api.sent_by(sender)
    assert sent["from"] == f'"Acme" <{sender.address}>'
    assert sent["to"] == ["recipient@example.net", '"Another" <another@example.net>']
    assert (sent["cc"], sent["bcc"]) == (["copy@example.net"], ["blind@example.net"])
    assert sent["replyTo"] == "answers@example.net"
    assert sent["headers"]["X-Entity-Ref-ID"] == "123456"
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == ("It works!", "<p>It works!</p>")
    assert bodies.attachments == (b"Hello", PNG)

    shown = resend.Emails.get(email["id"])
    assert shown["id"] == email["id"]
    assert shown["message_id"] == sent["messageId"]
    assert shown["from"] == f"Acme <{sender.address}>"
    assert shown["to"] == ["recipient@example.net", "Another <another@example.net>"]
    assert (shown["cc"], shown["bcc"]) == (["copy@example.net"], ["blind@example.net"])
    assert shown["reply_to"] == ["answers@example.net"]
    assert (shown["text"], shown["html"]) == ("It works!", "<p>It works!</p>")
    assert shown["last_event"] == "sent"
    assert abs(instant(shown["created_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_send_once_with_a_key(api: Api, sender: Sender) -> None:
    options: Any = {"idempotency_key": "welcome-user/123456789"}
    first = resend.Emails.send(params(sender), options)
    again = resend.Emails.send(params(sender), options)
    assert first["id"] == again["id"]
    assert len(api.sent_by(sender)) == 1
    error = error_of(lambda: resend.Emails.send(params(sender, subject="Another"), options))
    assert (error.code, error.error_type) == (409, "invalid_idempotent_request")


@pytest.mark.contract("POST /emails/batch: Resend clients can send batches")
def test_batch(api: Api, sender: Sender) -> None:
    sent = resend.Batch.send([params(sender, subject=f"Mail {number}") for number in range(5)])
    assert sorted(mail["subject"] for mail in api.sent_by(sender)) == [
        f"Mail {number}" for number in range(5)
    ]
    subjects = [resend.Emails.get(email["id"])["subject"] for email in sent["data"]]
    assert subjects == [f"Mail {number}" for number in range(5)]
    assert "errors" not in sent


def test_a_strict_batch_with_an_error_sends_nothing(api: Api, sender: Sender) -> None:
    batch = [params(sender), params(sender, to="nobody")]
    error = error_of(lambda: resend.Batch.send(batch))
    assert isinstance(error, ValidationError)
    assert error.message.startswith("`[1].to`: ")
    assert api.sent_by(sender) == []


def test_a_permissive_batch_sends_the_valid_mails(api: Api, sender: Sender) -> None:
    batch = [params(sender, to="nobody"), params(sender), params(sender, subject=None)]
    sent = resend.Batch.send(batch, {"batch_validation": "permissive"})
    assert len(sent["data"]) == 1
    assert [error["index"] for error in sent["errors"]] == [0, 2]
    assert sent["errors"][1]["message"] == "`[2].subject`: Required field is missing"
    assert len(api.sent_by(sender)) == 1


@pytest.mark.contract("GET /emails: Resend clients can list messages")
def test_list_with_cursors(sender: Sender) -> None:
    ids = [resend.Emails.send(params(sender))["id"] for _ in range(5)][::-1]
    newest = resend.Emails.list({"limit": 2})
    assert [email["id"] for email in newest["data"]] == ids[:2]
    assert newest["has_more"] is True
    rest = resend.Emails.list({"limit": 3, "after": ids[1]})
    assert [email["id"] for email in rest["data"]] == ids[2:]
    assert rest["has_more"] is False
    back = resend.Emails.list({"limit": 2, "before": ids[4]})
    assert [email["id"] for email in back["data"]] == ids[2:4]
    assert back["has_more"] is True
    assert len(resend.Emails.list()["data"]) == 5
    assert newest["object"] == "list"


@pytest.mark.contract("PATCH /emails/{id}: Resend clients can reschedule a message")
def test_schedule_reschedule_and_cancel(api: Api, sender: Sender) -> None:
    balance = api.balance(sender)
    first, second = in_hours(1), in_hours(48)
    id = resend.Emails.send(params(sender, scheduled_at=first))["id"]
    shown: Any = resend.Emails.get(id)
    assert shown["last_event"] == "scheduled"
    assert instant(shown["scheduled_at"]) == instant(first)
    assert api.balance(sender) == balance - 1

    assert resend.Emails.update({"id": id, "scheduled_at": second})["id"] == id
    shown = resend.Emails.get(id)
    assert instant(shown["scheduled_at"]) == instant(second)

    cancelled = resend.Emails.cancel(id)
    assert (cancelled["object"], cancelled["id"]) == ("email", id)
    assert resend.Emails.get(id)["last_event"] == "canceled"
    assert api.balance(sender) == balance
    assert api.sent_by(sender) == []
    error = error_of(lambda: resend.Emails.update({"id": id, "scheduled_at": second}))
    assert (error.code, error.error_type) == (409, "validation_error")


def test_a_sent_message_cannot_be_cancelled(sender: Sender) -> None:
    id = resend.Emails.send(params(sender))["id"]
    error = error_of(lambda: resend.Emails.cancel(id))
    assert (error.code, error.error_type) == (409, "validation_error")


def test_errors(api: Api, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    error = error_of(lambda: resend.Emails.send(params(sender, to=None)))
    assert isinstance(error, MissingRequiredFieldsError)
    assert error.message == "`to`: Required field is missing"

    error = error_of(lambda: resend.Emails.send(params(sender, to="nobody")))
    assert isinstance(error, ValidationError)

    error = error_of(lambda: resend.Emails.send(params(sender, **{"from": "me@example.org"})))
    assert (error.code, error.error_type) == (403, "validation_error")
    assert error.headers["X-Request-Id"]

    error = error_of(lambda: resend.Emails.get("4ef9a417-02e9-4d39-ad75-9611e0fcc33c"))
    assert (error.code, error.error_type) == (404, "not_found")

    monkeypatch.setattr(resend, "api_key", "re_123456789")
    error = error_of(lambda: resend.Emails.send(params(sender)))
    assert (error.code, error.error_type) == (401, "invalid_api_key")
    assert not isinstance(error, InvalidApiKeyError)  # The SDK has this class for status 403 only.
    assert api.sent_by(sender) == []
