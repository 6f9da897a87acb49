"""The error catalogue: an example of every error code, as the Worker raises it.

The class, field and values of an example determine its status, `retryable`, headers and sentence.
The name of an error is its code. If a code has two statuses, the name of the second error is the
code and the status, `required_field_missing.422` for example.
The docstrings of handlers list these names and, in capitals, the names of `GROUPS`.

Only tools and tests use this module, so it is not in `src/`, which is uploaded.
"""

from typing import Any

from accounts.lists import too_large
from errors import (
    ApiError,
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ProviderFault,
    RequestTimeout,
    ServerFault,
    Term,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from handlers.resend.types import MAX_BATCH
from locales import provider_sentence
from mail import attachments, headers
from mail.adaptations import MAX_ADAPTATION_CHARACTERS, MAX_ADAPTATIONS
from mail.limits import MAX_RECIPIENTS, MAX_SUBJECT_CHARACTERS
from mail.mailbox import MAX_NAME_CHARACTERS
from mail.reply_to import MAX_REPLY_MAILBOXES
from mail.sandbox_recipients import OUTCOMES
from mail.schedule import MAX_DAYS_AHEAD
from mail.tags import MAX_TAG_CHARACTERS, MAX_TAGS
from store.own_credentials import wrong_password

_ADDRESS = "alice@example.com"
_MESSAGE_ID = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"
_WRONG_TYPE = "Expected str | null, got int"
_SANDBOX_RECIPIENTS = ", ".join(f"{outcome}@test.invalid" for outcome in OUTCOMES)


def _field(
    code: str,
    field: str,
    *,
    sentence: str | None = None,
    kind: type[ApiError] = BadRequest,
    **values: Any,
) -> ApiError:
    """An error in `field`. `sentence` is the code of its sentence, by default `code`."""
    return kind(code, errors=(FieldError(field, sentence or code, values),), **values)


def _invalid(code: str, field: str, **values: Any) -> ApiError:
    return _field(code, field, kind=InvalidInput, **values)


def _header(code: str, name: str = "X-Order", **values: Any) -> ApiError:
    return _field(code, f"headers.{name}", name=name, **values)


def _file(code: str, member: str, **values: Any) -> ApiError:
    return _field(code, f"attachments[0].{member}", **values)


def _prefixed(prefix: str, *errors: ApiError) -> tuple[ApiError, ...]:
    return tuple(error.prefixed(prefix) for error in errors)


def _rejected(code: str) -> ApiError:
    return ProviderFault(
        code,
        sentence=provider_sentence(code, "provider_refused"),
        extra={"id": _MESSAGE_ID, "message_status": "failed"},
        provider_code=code,
    )


def _busy(code: str) -> ApiError:
    return Unavailable(
        code,
        retry_after=30,
        sentence=provider_sentence(code, "provider_busy"),
        extra={"id": _MESSAGE_ID, "message_status": "failed"},
        provider_code=code,
    )


GROUPS: dict[str, tuple[ApiError, ...]] = {
    # Errors of a path or method without an operation.
    "NO_OPERATION": (NotFound("not_found"), MethodNotAllowed(["GET", "HEAD"])),
    # Errors of every operation with a JSON body.
    "BODY": (
        BadRequest("malformed_json", problem="unexpected end of data (byte 1)"),
        BadRequest("body_unreadable"),
        PayloadTooLarge("body_too_large", limit=10 * 1024 * 1024),
        PayloadTooLarge("body_too_complex", objects=50_000, texts=100_000),
        RequestTimeout("body_too_slow"),
        Unavailable("too_many_large_bodies", retry_after=5),
        UnsupportedMediaType("unsupported_media_type"),
        UnsupportedMediaType("unsupported_content_encoding"),
        InvalidInput(
            "invalid_input",
            errors=(FieldError("name", "invalid_field", {"problem": _WRONG_TYPE}),),
            field="name",
            problem=_WRONG_TYPE,
        ),
    ),
    # Errors of every operation. Operations that use the database also have those of `DATABASE`.
    "DEPLOYMENT": (
        ServerFault("binding_missing", name="DB"),
        ServerFault("secret_missing", name="JWT_SECRET"),
        ServerFault("invalid_setting", name="SENDING_PAUSED", expected="true or false"),
        ServerFault("internal_error"),
    ),
    "DATABASE": (
        Unavailable("database_unavailable", retry_after=5),
        ServerFault("database_refused"),
    ),
    "PAGING": (_field("invalid_limit", "limit"), _field("invalid_offset", "offset")),
    "FILTER": (
        _field("invalid_status", "status"),
        _field("invalid_delivery_status", "delivery_status"),
        _field("invalid_recipient_filter", "recipient"),
        _field("invalid_tag", "tag"),
        _field("invalid_id", "id"),
        _field("invalid_since", "since"),
        _field("invalid_until", "until"),
    ),
    "ADDRESS_NAMES": _prefixed(
        "failed_to_create",
        _field("address_name_too_long", "name", maximum=30),
        _field("address_name_invalid", "name"),
        _field("invalid_domain", "domain"),
        BadRequest("address_exists"),
    ),
    # Errors in the fields of a message, with the field names of `POST /api/send_mail`.
    "MESSAGE": _prefixed(
        "failed_to_send",
        _field("invalid_recipient", "to_mail", sentence="address_syntax"),
        _field("too_many_recipients", "to", limit=MAX_RECIPIENTS),
        _field("invalid_reply_to", "reply_to", sentence="address_syntax"),
        _field("reply_to_too_many", "reply_to", limit=MAX_REPLY_MAILBOXES),
        _field("test_recipients_mixed", "cc"),
        _field("unknown_test_recipient", "to", known=_SANDBOX_RECIPIENTS),
        _field("test_outcomes_mixed", "cc"),
        _field("subject_empty", "subject"),
        _field("subject_has_control", "subject"),
        _field("subject_too_long", "subject", limit=MAX_SUBJECT_CHARACTERS),
        _field("content_empty", "content"),
        _field("display_name_has_control", "from_name"),
        _field("display_name_has_hidden", "from_name"),
        _field("display_name_has_encoded_word", "from_name"),
        _field("display_name_shows_address", "from_name"),
        _field("display_name_too_long", "from_name", limit=MAX_NAME_CHARACTERS),
        _header("header_name_invalid", "X Order", limit=headers.MAX_NAME_BYTES),
        _header("header_not_allowed", "Date"),
        _header("header_has_own_field", "Reply-To", own_field="reply_to"),
        _header("header_repeated"),
        _header("header_value_empty"),
        _header("header_value_has_control"),
        _header("header_value_not_accepted", "Precedence", accepted="bulk, list, junk"),
        _header("header_value_too_long", limit=headers.MAX_VALUE_BYTES),
        _field("headers_too_many", "headers", limit=headers.MAX_HEADERS),
        _field("headers_too_large", "headers", limit=headers.MAX_TOTAL_BYTES),
        _field("list_unsubscribe_invalid", "headers.List-Unsubscribe"),
        _field("list_unsubscribe_post_invalid", "headers.List-Unsubscribe-Post"),
        _field("tags_too_many", "tags", limit=MAX_TAGS),
        _field("tag_invalid", "tags[0].value"),
        _field("tag_too_long", "tags[0].value", limit=MAX_TAG_CHARACTERS),
        _field("tag_repeated", "tags[1].name"),
        _field("adaptations_too_many", "adaptations", limit=MAX_ADAPTATIONS),
        _field("adaptation_invalid", "adaptations[0]", limit=MAX_ADAPTATION_CHARACTERS),
    ),
    "ATTACHMENTS": _prefixed(
        "failed_to_send",
        _field("attachments_too_many", "attachments", limit=attachments.MAX_ATTACHMENTS),
        _file("attachment_filename_missing", "filename"),
        _file("attachment_filename_invalid", "filename"),
        _file(*("attachment_filename_too_long", "filename"), limit=attachments.MAX_FILENAME_BYTES),
        _file("attachment_content_missing", "content"),
        _file("attachment_content_invalid", "content"),
        _file("attachment_content_is_data_url", "content"),
        _file(
            *("attachment_content_type_invalid", "content_type"),
            limit=attachments.MAX_CONTENT_TYPE_CHARACTERS,
        ),
        _file("attachment_content_type_refused", "content_type"),
        _file(
            *("attachment_content_id_invalid", "content_id"),
            limit=attachments.MAX_CONTENT_ID_CHARACTERS,
        ),
        _file("attachment_content_id_repeated", "content_id"),
    ),
    "SCHEDULE": _prefixed(
        "failed_to_send",
        _field("scheduled_at_invalid", "scheduled_at"),
        _field("scheduled_in_past", "scheduled_at"),
        _field("scheduled_too_far", "scheduled_at", days=MAX_DAYS_AHEAD),
    ),
    # Errors in the fields of requests below `/emails`.
    "EMAIL": (
        _invalid("unknown_field", "colour"),
        _field("required_field_missing", "name"),
        _invalid("invalid_from", "from", sentence="address_syntax"),
        _field("from_not_own", "from", kind=Forbidden, address=_ADDRESS),
        _invalid("template_unsupported", "template"),
        _invalid("topic_unsupported", "topic_id"),
    ),
    # Errors of sending a message whose fields are valid.
    "SENDING": (
        *_prefixed(
            "failed_to_send",
            BadRequest("invalid_sender_domain", sentence="invalid_domain"),
            BadRequest("send_mail_not_enabled"),
            BadRequest("address_paused"),
            BadRequest("no_balance"),
            BadRequest("address_blocked"),
            BadRequest(
                "recipient_suppressed",
                extra={
                    "suppression": {
                        "recipient": "bob@example.org",
                        "reason": "complaint",
                        "expires_at": None,
                    }
                },
                recipient="bob@example.org",
                reason=Term("suppressed_complaint"),
            ),
            BadRequest("daily_quota_reached"),
            BadRequest("monthly_quota_reached"),
            BadRequest("invalid_idempotency_key"),
        ),
        PayloadTooLarge("message_too_large", size=5_300_000, limit=5 * 1024 * 1024),
        Unavailable("sending_paused", retry_after=300),
        TooManyRequests("rate_limit_exceeded", retry_after=42),
        TooManyRequests("too_many_sandbox_recipients", retry_after=3600),
        TooManyRequests("too_many_sandbox_bytes", retry_after=3600),
        TooManyRequests("too_many_withdrawals", retry_after=3600),
        Conflict("idempotency_key_reused"),
    ),
    # Errors of a request that waits for its message to be sent.
    "OUTCOME": (
        Conflict("idempotency_in_flight", retry_after=2),
        ProviderFault("outcome_unknown", extra={"id": _MESSAGE_ID, "message_status": "unknown"}),
        *map(_busy, ("E_RATE_LIMIT_EXCEEDED", "E_DAILY_LIMIT_EXCEEDED")),
        *map(
            _rejected,
            (
                *("E_VALIDATION_ERROR", "E_FIELD_MISSING", "E_TOO_MANY_RECIPIENTS"),
                *("E_SENDER_NOT_VERIFIED", "E_RECIPIENT_NOT_ALLOWED", "E_RECIPIENT_SUPPRESSED"),
                *("E_SENDER_DOMAIN_NOT_AVAILABLE", "E_CONTENT_TOO_LARGE", "E_DELIVERY_FAILED"),
            ),
        ),
    ),
    "HOOK": (
        NotFound("transport_not_found"),
        Unauthorized("invalid_signature"),
        Unavailable("events_not_recorded", retry_after=35),
    ),
    "WEBHOOK_REPLAY": (
        NotFound("webhook_not_found"),
        NotFound("webhook_delivery_not_found"),
        Conflict("webhook_disabled"),
        Conflict("webhook_body_removed"),
        Conflict("webhook_in_flight", retry_after=60),
    ),
}

_OTHERS = (
    # Callers and lists
    Unauthorized("site_password_required"),
    Unauthorized("admin_password_required"),
    Unauthorized("credential_missing"),
    Unauthorized("invalid_credential"),
    TooManyRequests("client_rate_exceeded", retry_after=60, path="/api/new_address"),
    _field("invalid_cursor", "cursor"),
    _field("offset_with_cursor", "offset"),
    _field("invalid_q", "q", limit=200),
    # Addresses and their passwords
    Forbidden("new_address_disabled"),
    Forbidden("anonymous_new_address_disabled"),
    *_prefixed(
        "failed_to_create",
        _field("address_name_too_short", "name", minimum=3),
        _field("address_name_no_match", "name", pattern="^[a-z]"),
        _field("address_name_blocked", "name", name="postmaster"),
    ),
    TooManyRequests("too_many_addresses", retry_after=3600, most=10),
    *_prefixed("failed_to_create", _field("random_subdomain_unsupported", "enableRandomSubdomain")),
    BadRequest("human_verification_failed"),
    Unavailable("human_verification_unavailable", retry_after=10),
    Forbidden("password_login_disabled"),
    Forbidden("password_change_disabled"),
    Unauthorized("invalid_login"),
    TooManyRequests("too_many_logins", retry_after=600),
    _field("current_password_missing", "current_password"),
    wrong_password(),
    TooManyRequests("too_many_credential_changes", retry_after=3600, most=20),
    TooManyRequests("too_many_changes", retry_after=3600, most=1000),
    _field("password_not_digested", "password"),
    BadRequest("already_requested"),
    Forbidden("balance_disabled"),
    # Stored messages
    Forbidden("user_delete_disabled"),
    NotFound("message_not_found"),
    Conflict("message_in_flight", retry_after=30, extra={"message_status": "sending"}),
    Conflict("not_retryable", extra={"message_status": "sent"}),
    Conflict("already_retried"),
    Conflict("content_removed"),
    Conflict("not_cancellable", extra={"message_status": "sent"}),
    Conflict("not_scheduled", extra={"message_status": "cancelled"}),
    # Emails
    _invalid("attachment_path_unsupported", "attachments[0].path"),
    InvalidInput("batch_size", limit=MAX_BATCH),
    _invalid("batch_with_attachments", "[0].attachments"),
    _invalid("batch_with_schedule", "[0].scheduled_at"),
    BadRequest("invalid_batch_validation"),
    BadRequest("batch_over_rate_limit", limit=10),
    BadRequest("batch_too_long", limit=25),
    PayloadTooLarge("batch_too_large", size=1_900_000, limit=1_800_000),
    _invalid("two_cursors", "before"),
    _invalid("id_mismatch", "id"),
    # Webhooks
    _field("invalid_endpoint", "endpoint", sentence="endpoint_host"),
    BadRequest("too_many_webhooks", limit=10),
    TooManyRequests("too_many_webhook_calls", retry_after=3600, most=500),
    _field("invalid_type", "type"),
    # Administration
    NotFound("address_not_found"),
    _field("invalid_address_id", "address_id"),
    NotFound("balance_not_found"),
    NotFound("suppression_not_found"),
    _field("invalid_scope", "scope"),
    _field("expires_at_invalid", "expires_at"),
    _field("expires_at_in_past", "expires_at"),
    BadRequest("too_many_suppressions", limit=1000),
    NotFound("not_paused"),
    _field("invalid_requested", "requested"),
    _field("invalid_sort_by", "sort_by"),
    _field("invalid_sort_order", "sort_order"),
    _field(
        "invalid_list_entry", "sendBlockList[3]", sentence="address_domain", list="sendBlockList"
    ),
    too_large("sendBlockList"),
    _field("invalid_send_limits", "sendMailLimitConfig.dailyLimit"),
    BadRequest("binding_not_enabled"),
    _field("invalid_sender", "from", sentence="address_syntax"),
    Unavailable("database_down", retry_after=10),
)

ERRORS: dict[str, ApiError] = {
    **{error.code: error for errors in (*GROUPS.values(), _OTHERS) for error in errors},
    # An object in the body lacks a required field.
    "required_field_missing.422": _invalid("required_field_missing", "to.email"),
}
