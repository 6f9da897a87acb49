"""The outcome of an exception of the ``send_email`` binding, by its code."""

import asyncio
from typing import Any

import pytest

from tests.unit import given
from transport.outcome import Outcome, Rejected, Sent, Unknown
from transport.send_email import ProviderError, SendEmailTransport


class Binding:
    """Raises ``error``, or returns a Message-ID if there is none."""

    def __init__(self, error: ProviderError | None = None) -> None:
        self._error = error
        self.milliseconds = 0

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        self.milliseconds = milliseconds
        if self._error:
            raise self._error
        return "<id@example.com>"


def outcome_of(code: str | None, kind: str = "Error") -> Outcome:
    transport = SendEmailTransport(Binding(ProviderError(code, kind)))
    return asyncio.run(transport.send(given.message("a@example.org")))


def test_an_accepted_mail_is_sent_and_has_30_seconds() -> None:
    binding = Binding()
    sent = asyncio.run(SendEmailTransport(binding).send(given.message("a@example.org")))
    assert (sent, binding.milliseconds) == (Sent("<id@example.com>"), 30_000)


def test_after_an_internal_error_the_outcome_is_unknown_and_has_the_code() -> None:
    code = "E_INTERNAL_SERVER_ERROR"
    assert outcome_of(code, "TypeError") == Unknown(code, "TypeError")


@pytest.mark.parametrize(
    "code",
    [None, "", "E_", "e_delivery_failed", "E_Delivery", "E_DELIVERY_FAILED ", "xE_DELIVERY_FAILED"],
)
def test_without_a_code_of_the_provider_the_outcome_is_unknown(code: str | None) -> None:
    assert outcome_of(code) == Unknown(None, "Error")


@pytest.mark.parametrize(
    ("code", "reason", "is_transient"),
    [
        ("E_RECIPIENT_SUPPRESSED", "recipient_suppressed", False),
        ("E_DELIVERY_FAILED", "recipient_rejected", False),
        ("E_RECIPIENT_NOT_ALLOWED", "provider_error", False),
        ("E_SENDER_NOT_VERIFIED", "sender_not_allowed", False),
        ("E_SENDER_DOMAIN_NOT_AVAILABLE", "sender_not_allowed", False),
        ("E_RATE_LIMIT_EXCEEDED", "throttled", True),
        ("E_DAILY_LIMIT_EXCEEDED", "quota_reached", True),
        ("E_VALIDATION_ERROR", "content_rejected", False),
        ("E_FIELD_MISSING", "content_rejected", False),
        ("E_TOO_MANY_RECIPIENTS", "content_rejected", False),
        ("E_CONTENT_TOO_LARGE", "content_rejected", False),
        ("E_HEADER_NOT_ALLOWED", "content_rejected", False),
        ("E_SOMETHING_NEW", "provider_error", False),
    ],
)
def test_with_any_other_code_the_mail_is_rejected(
    code: str, reason: Any, is_transient: bool
) -> None:
    assert outcome_of(code) == Rejected(reason, code, transient=is_transient)
