"""Refusals of messages whose fields are in order: by the deployment, the database, the provider."""

from refusals import (
    BadRequest,
    Conflict,
    NotFound,
    PayloadTooLarge,
    ProviderFault,
    Refusal,
    TooManyRequests,
    Unavailable,
)
from sentences import provider_sentence
from tools.openapi.samples import MESSAGE_ID

TEMPORARY_PROVIDER_CODES = ("E_RATE_LIMIT_EXCEEDED", "E_DAILY_LIMIT_EXCEEDED")
PERMANENT_PROVIDER_CODES = (
    *("E_VALIDATION_ERROR", "E_FIELD_MISSING", "E_TOO_MANY_RECIPIENTS", "E_SENDER_NOT_VERIFIED"),
    *("E_RECIPIENT_NOT_ALLOWED", "E_RECIPIENT_SUPPRESSED", "E_SENDER_DOMAIN_NOT_AVAILABLE"),
    *("E_CONTENT_TOO_LARGE", "E_DELIVERY_FAILED"),
)


def _sending(refusal: Refusal) -> Refusal:
    return refusal.prefixed("failed_to_send")


BEFORE_THE_PROVIDER = (
    _sending(BadRequest("invalid_sender_domain", sentence="invalid_domain")),
    _sending(BadRequest("send_mail_not_enabled")),
    PayloadTooLarge("message_too_large", size=5_300_000, limit=5 * 1024 * 1024),
    Unavailable("sending_paused", retry_after=300),
    TooManyRequests("rate_limit_exceeded", retry_after=42),
    _sending(BadRequest("address_paused")),
    _sending(BadRequest("no_balance")),
    _sending(BadRequest("address_blocked")),
    _sending(BadRequest("recipient_suppressed", recipient="bob@example.org")),
    _sending(BadRequest("daily_quota_reached")),
    _sending(BadRequest("monthly_quota_reached")),
    _sending(BadRequest("invalid_idempotency_key")),
    Conflict("idempotency_key_reused"),
    Conflict("idempotency_in_flight", retry_after=2),
)

OF_KEPT_MESSAGES = (
    NotFound("message_not_found"),
    Conflict("not_retryable", extra={"message_status": "sent"}),
    Conflict("already_retried"),
    Conflict("content_removed"),
    Conflict("not_cancellable", extra={"message_status": "sent"}),
    Conflict("not_scheduled", extra={"message_status": "cancelled"}),
)


def _refused(code: str) -> Refusal:
    return ProviderFault(
        code,
        sentence=provider_sentence(code, "provider_refused"),
        extra={"id": MESSAGE_ID, "message_status": "failed"},
        provider_code=code,
    )


def _busy(code: str) -> Refusal:
    return Unavailable(
        code,
        retry_after=30,
        sentence=provider_sentence(code, "provider_busy"),
        extra={"id": MESSAGE_ID, "message_status": "failed"},
        provider_code=code,
    )


OF_THE_PROVIDER = (
    ProviderFault("outcome_unknown", extra={"id": MESSAGE_ID, "message_status": "unknown"}),
    *map(_busy, TEMPORARY_PROVIDER_CODES),
    *map(_refused, PERMANENT_PROVIDER_CODES),
)
