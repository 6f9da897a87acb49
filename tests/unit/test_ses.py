"""Amazon SES: the request, its signature, and what each response means."""

import asyncio
import base64
import json
from typing import Any

import pytest

from mail.addresses import Address
from mail.message import Message, Recipient
from services import HttpResponse
from tests.unit import given
from tests.unit.test_mime import given_fields
from transport.outcome import Outcome, Rejected, Sent, Unknown
from transport.routing import SesConfig
from transport.ses import SesTransport
from transport.sigv4 import signed_headers

CONFIG = SesConfig(
    name="ses", region="eu-west-1", access_key_id="AKIDEXAMPLE", secret_access_key="a-secret"
)
KEY = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"


class Scripted:
    """Responds to requests, or raises ``error``. ``sent`` has the last request."""

    def __init__(self, status: int, body: str = "{}", error_type: str | None = None) -> None:
        self.response = HttpResponse(status, body, error_type=error_type)
        self.error: Exception | None = None
        self.sent: tuple[str, dict[str, str], bytes] | None = None

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        self.sent = (url, headers, body)
        if self.error:
            raise self.error
        return self.response


def send(server: Scripted, message: Message | None = None, config: SesConfig = CONFIG) -> Outcome:
    transport = SesTransport(config, KEY, server, lambda: given.NOW)
    return asyncio.run(transport.send(message or given.message("you@example.org")))


def test_the_request() -> None:
    message = given.message("you@example.org")
    recipients = (
        *message.recipients,
        Recipient("cc", Address("copy", "example.net")),
        Recipient("bcc", Address("hidden", "example.net")),
    )
    server = Scripted(200, '{"MessageId": "0100-a"}')
    message = Message(**{**given_fields(message), "recipients": recipients})
    assert send(server, message) == Sent("<0100-a@eu-west-1.amazonses.com>")
    assert server.sent
    url, headers, body = server.sent
    assert url == "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"
    request = json.loads(body)
    mail = base64.b64decode(request["Content"].pop("Raw")["Data"])
    assert request == {
        "FromEmailAddress": "me@example.com",
        "Destination": {
            "ToAddresses": ["you@example.org"],
            "CcAddresses": ["copy@example.net"],
            "BccAddresses": ["hidden@example.net"],
        },
        "Content": {},
    }
    assert b"hidden" not in mail
    assert f"Message-ID: <{KEY}@example.com>".encode() in mail
    assert "a-secret" not in str(headers)


def test_a_region_and_a_configuration_set() -> None:
    config = SesConfig(
        name="ses",
        region="us-east-1",
        access_key_id="a",
        secret_access_key="b",
        configuration_set="events",
        url="http://localhost:5000",
    )
    server = Scripted(200, '{"MessageId": "0100-a"}')
    assert send(server, config=config) == Sent("<0100-a@email.amazonses.com>")
    assert server.sent
    assert server.sent[0] == "http://localhost:5000/v2/email/outbound-emails"
    assert json.loads(server.sent[2])["ConfigurationSetName"] == "events"


@pytest.mark.parametrize(
    ("status", "error_type", "sentence", "reason", "code", "transient"),
    [
        (429, "TooManyRequestsException", "", "throttled", "TooManyRequestsException", True),
        (400, "ThrottlingException:http://internal", "", "throttled", "ThrottlingException", True),
        (400, "LimitExceededException", "", "quota_reached", "LimitExceededException", True),
        (400, "BadRequestException", "Daily message quota exceeded.", "quota_reached", None, True),
        (400, "BadRequestException", "Maximum sending rate exceeded", "throttled", None, True),
        (400, "AccountSuspendedException", "", "credentials_rejected", None, True),
        (400, "SendingPausedException", "", "credentials_rejected", None, True),
        (403, "InvalidSignatureException", "", "credentials_rejected", None, True),
        (400, "AccessDeniedException", "", "credentials_rejected", None, True),
        (400, "RequestExpired", "", "credentials_rejected", None, True),
        (403, None, "", "credentials_rejected", "403", True),
        (400, "MailFromDomainNotVerifiedException", "", "sender_not_allowed", None, False),
        (
            *(400, "MessageRejected", "Email address is not verified. The following identities"),
            *("sender_not_allowed", None, False),
        ),
        (404, "NotFoundException", "", "sender_not_allowed", None, False),
        (400, "MessageRejected", "Illegal content", "content_rejected", None, False),
        (400, "<b>", "", "content_rejected", "400", False),
        (413, None, "", "content_rejected", "413", False),
    ],
)
def test_an_error_is_definite(
    status: int,
    error_type: str | None,
    sentence: str,
    reason: str,
    code: str | None,
    transient: bool,
) -> None:
    outcome = send(Scripted(status, json.dumps({"message": sentence}), error_type))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.transient) == (reason, transient)
    assert outcome.provider_code == f"SES_{code or error_type}"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 301, 100])
def test_an_indefinite_error_leaves_the_outcome_unknown(status: int) -> None:
    assert send(Scripted(status)) == Unknown(f"SES_{status}")


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"MessageId": 5}', "<html>"])
def test_an_unreadable_response_leaves_the_outcome_unknown(body: str) -> None:
    assert send(Scripted(200, body)) == Unknown(cause="unreadable response")
    rejected: Any = send(Scripted(400, body, "MessageRejected"))
    assert rejected.reason == "content_rejected"


@pytest.mark.parametrize(("error", "cause"), [(TimeoutError(), "timeout"), (OSError(), "OSError")])
def test_no_response_leaves_the_outcome_unknown(error: Exception, cause: str) -> None:
    server = Scripted(200)
    server.error = error
    assert send(server) == Unknown(cause=cause)


def test_international_local_parts_are_not_possible() -> None:
    message = given.message("you@example.org")
    recipients = (Recipient("to", Address("jörg", "example.org")),)
    server = Scripted(200)
    message = Message(**{**given_fields(message), "recipients": recipients})
    assert send(server, message) == Rejected("recipient_rejected", "SES_NEEDS_SMTPUTF8")
    assert server.sent is None


def test_a_signature() -> None:
    """The signature is the one of botocore 1.44.8."""
    headers = signed_headers(
        "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
        b'{"a": 1}',
        region="eu-west-1",
        service="ses",
        access_key_id="AKIDEXAMPLE",
        secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        now=given.NOW,
    )
    assert headers["authorization"].rpartition("=")[2] == (
        "ab3e7c2eb0b35e470480ae9f6e97d89e46a6ee668d0e7f5fe86a4d8127e89b96"
    )
