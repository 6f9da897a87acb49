"""Errors under ``/emails`` have a name of Resend's API. Their message names invalid fields."""

import json
from typing import Any

import pytest

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
    ServerFault,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from handlers.resend.errors import _BY_CODE, error_message, resend_error_response
from routes import area_of
from tests.unit.given import NOW
from tests.unit.source import ROOT

# All names in https://resend.com/docs/api-reference/errors.
NAMES = {
    *("application_error", "concurrent_idempotent_requests", "daily_quota_exceeded"),
    *("internal_server_error", "invalid_access", "invalid_api_key", "invalid_attachment"),
    *("invalid_from_address", "invalid_idempotency_key", "invalid_idempotent_request"),
    *("invalid_parameter", "invalid_region", "method_not_allowed", "missing_api_key"),
    *("missing_required_field", "monthly_quota_exceeded", "not_found", "rate_limit_exceeded"),
    *("restricted_api_key", "security_error", "validation_error"),
}


def headers(error: ApiError, now: int = NOW) -> dict[str, str]:
    return resend_error_response(error, request_id="r-1", language="en", now=now).headers


def body(error: ApiError, language: str = "en") -> dict[str, Any]:
    response = resend_error_response(error, request_id="r-1", language=language, now=NOW)
    decoded: dict[str, Any] = json.loads(response.body)
    assert decoded["statusCode"] == response.status
    assert decoded["code"] == response.code
    return decoded


def test_an_error_has_resends_form() -> None:
    assert body(NotFound("message_not_found")) == {
        "statusCode": 404,
        "name": "not_found",
        "message": "There is no such message",
        "code": "message_not_found",
        "request_id": "r-1",
    }


def test_an_error_has_the_media_type_that_the_python_sdk_expects() -> None:
    assert "application/json" in headers(NotFound("not_found"))["Content-Type"]


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (Unauthorized("credential_missing"), 401, "missing_api_key"),
        (Unauthorized("invalid_credential"), 401, "invalid_api_key"),
        (InvalidInput("required_field_missing"), 422, "missing_required_field"),
        (BadRequest("subject_empty"), 422, "missing_required_field"),
        (BadRequest("content_empty"), 422, "missing_required_field"),
        (InvalidInput("invalid_from"), 422, "invalid_from_address"),
        (Forbidden("from_not_own", address="me@example.com"), 403, "validation_error"),
        (BadRequest("send_mail_not_enabled"), 403, "validation_error"),
        (BadRequest("no_balance"), 403, "validation_error"),
        (BadRequest("invalid_recipient"), 400, "validation_error"),
        (InvalidInput("template_unsupported"), 422, "validation_error"),
        (InvalidInput("attachment_path_unsupported"), 422, "invalid_attachment"),
        (BadRequest("invalid_limit"), 422, "invalid_parameter"),
        (BadRequest("invalid_cursor"), 422, "invalid_parameter"),
        (BadRequest("invalid_idempotency_key"), 400, "invalid_idempotency_key"),
        (Conflict("idempotency_key_reused"), 409, "invalid_idempotent_request"),
        (Conflict("idempotency_in_flight", retry_after=2), 409, "concurrent_idempotent_requests"),
        (BadRequest("daily_quota_reached"), 429, "daily_quota_exceeded"),
        (BadRequest("monthly_quota_reached"), 429, "monthly_quota_exceeded"),
        (BadRequest("malformed_json", problem="it is empty"), 400, "validation_error"),
        (PayloadTooLarge("body_too_large", limit=1), 413, "validation_error"),
        (UnsupportedMediaType("unsupported_media_type"), 415, "validation_error"),
        (NotFound("not_found"), 404, "not_found"),
        (MethodNotAllowed(["GET"]), 405, "method_not_allowed"),
        (ServerFault("internal_error"), 500, "internal_server_error"),
        (ServerFault("secret_missing", name="JWT_SECRET"), 500, "application_error"),
        (ProviderFault("outcome_unknown"), 502, "application_error"),
        (Unavailable("database_unavailable", retry_after=5), 503, "application_error"),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_every_error_has_a_name_and_a_status(error: ApiError, status: int, name: str) -> None:
    shown = body(error)
    assert (shown["statusCode"], shown["name"]) == (status, name)
    assert name in NAMES


def test_the_table_has_known_codes_and_names_of_resend() -> None:
    documented = (ROOT / "docs" / "errors.md").read_text("utf-8")
    assert [code for code in _BY_CODE if f"`{code}`" not in documented] == []
    assert {error.name for error in _BY_CODE.values()} <= NAMES


def test_the_message_names_the_invalid_fields() -> None:
    errors = (
        FieldError("to[1]", "address_syntax"),
        FieldError("subject", "subject_too_long", {"limit": 998}),
    )
    error = body(BadRequest("invalid_recipient", errors=errors))
    assert error["message"] == (
        "`to[1]`: This is not one mail address of the form name@example.com; "
        "`subject`: Subject is too long (max 998 characters)"
    )
    assert [field_error["field"] for field_error in error["errors"]] == ["to[1]", "subject"]


def test_an_error_of_the_whole_body_names_no_field() -> None:
    errors = (FieldError("", "invalid_field", {"problem": "Expected object, got array"}),)
    error = InvalidInput(
        "invalid_input", errors=errors, field="(body)", problem="Expected object, got array"
    )
    assert error_message(error, "en") == (
        "The field (body) is not valid: Expected object, got array"
    )


def test_the_message_is_in_the_requested_language() -> None:
    error = body(
        BadRequest("subject_empty", errors=(FieldError("subject", "subject_empty"),)), "zh"
    )
    assert error["message"] == "`subject`: 主题为空"


def test_an_error_has_the_id_and_status_of_its_message() -> None:
    extra: dict[str, object] = {"id": "m1", "message_status": "unknown"}
    error = body(ProviderFault("outcome_unknown", extra=extra))
    assert (error["id"], error["message_status"]) == ("m1", "unknown")
    assert "may have been sent" in error["message"]


def test_the_response_has_the_headers_of_the_error() -> None:
    assert headers(MethodNotAllowed(["GET", "PATCH"]))["Allow"] == "GET, PATCH"
    assert headers(Unavailable("sending_paused", retry_after=300))["Retry-After"] == "300"


def test_a_reached_quota_has_retry_after() -> None:
    # NOW is noon on the third day of a month with 30 days.
    assert headers(BadRequest("daily_quota_reached"))["Retry-After"] == str(12 * 3600)
    monthly = headers(BadRequest("monthly_quota_reached"))["Retry-After"]
    assert int(monthly) == 27 * 86_400 + 12 * 3600


@pytest.mark.parametrize(
    ("path", "resends"),
    [
        ("/emails", True),
        ("/emails/", True),
        ("/emails/batch", True),
        ("/emails/x/y/z", True),
        ("/emailsx", False),
        ("/api/emails", False),
        ("/", False),
    ],
)
def test_the_paths_of_resend(path: str, resends: bool) -> None:
    assert area_of(path).has_resend_errors is resends
