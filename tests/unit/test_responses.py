"""Responses: success, and every kind of error."""

import json
from typing import Any

import pytest

import errors
from errors import (
    ApiError,
    BadRequest,
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
from web.responses import Response, error_response, json_response, text_response

NO_BALANCE = BadRequest("no_balance")


def problem(error: ApiError, language: str = "en") -> dict[str, Any]:
    response = error_response(error, request_id="r-1", language=language, plain=False)
    decoded: dict[str, Any] = json.loads(response.body)
    return decoded


def plain(error: ApiError, language: str = "en") -> Response:
    return error_response(error, request_id="r-1", language=language, plain=True)


@pytest.mark.contract("errors: Successful responses are unescaped UTF-8 JSON")
def test_json_is_utf8_and_not_escaped() -> None:
    response = json_response({"name": "é 名 😀"}, 202)
    assert response.status == 202
    assert response.body == '{"name":"é 名 😀"}'.encode()
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_text_is_utf8() -> None:
    response = text_response("é 名")
    assert (response.status, response.body) == (200, "é 名".encode())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.contract(
    "errors: Errors are RFC 9457 problem objects with code, retryable and request_id"
)
def test_an_error_is_a_problem_object_of_rfc_9457() -> None:
    assert problem(NO_BALANCE) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "No balance",
        "message": "No balance",
        "code": "no_balance",
        "retryable": False,
        "request_id": "r-1",
    }


def test_a_problem_has_its_own_media_type() -> None:
    response = error_response(NO_BALANCE, request_id="r", language="en", plain=False)
    assert (response.status, response.code) == (400, "no_balance")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "response",
    [json_response({}), text_response(""), plain(NO_BALANCE)],
    ids=["json", "text", "error"],
)
def test_no_response_may_be_cached(response: Response) -> None:
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status", "title", "retryable"),
    [
        (BadRequest("no_balance"), 400, "Bad Request", False),
        (Unauthorized("invalid_credential"), 401, "Unauthorized", False),
        (Forbidden("new_address_disabled"), 403, "Forbidden", False),
        (NotFound("not_found"), 404, "Not Found", False),
        (MethodNotAllowed(["GET"]), 405, "Method Not Allowed", False),
        (PayloadTooLarge("body_too_large", limit=1), 413, "Request Entity Too Large", False),
        (UnsupportedMediaType("unsupported_media_type"), 415, "Unsupported Media Type", False),
        (InvalidInput("required_field_missing"), 422, "Unprocessable Entity", False),
        (ServerFault("internal_error"), 500, "Internal Server Error", False),
        (ProviderFault("outcome_unknown"), 502, "Bad Gateway", False),
        (Unavailable("database_down", retry_after=5), 503, "Service Unavailable", True),
    ],
)
def test_every_kind_of_error_has_its_status(
    error: ApiError, status: int, title: str, retryable: bool
) -> None:
    body = problem(error)
    assert (body["status"], body["retryable"]) == (status, retryable)
    assert plain(error).status == status
    # Python 3.13 and later have the status names of RFC 9110.
    assert body["title"] in {title, "Content Too Large", "Unprocessable Content"}


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = errors.__doc__ or ""
    for kind in ApiError.__subclasses__():
        assert f"{kind.__name__:<21} {int(kind.status)}" in drawn


@pytest.mark.contract("errors: Every 429 and 503 has Retry-After")
def test_503_has_retry_after() -> None:
    error = Unavailable("sending_paused", retry_after=300)
    assert plain(error).headers["Retry-After"] == "300"


def test_405_has_the_allowed_methods() -> None:
    response = plain(MethodNotAllowed(["GET", "HEAD"]))
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.body == b"This path takes only GET, HEAD"


@pytest.mark.contract("errors: Validation errors name the invalid fields")
def test_the_invalid_fields_are_named() -> None:
    errors = (
        FieldError("subject", "subject_too_long", {"limit": 998}),
        FieldError("to[2].email", "address_syntax"),
    )
    assert problem(BadRequest("subject_too_long", errors=errors, limit=998))["errors"] == [
        {"field": "subject", "message": "Subject is too long (max 998 characters)"},
        {
            "field": "to[2].email",
            "message": "This is not one mail address of the form name@example.com",
        },
    ]


def test_additional_members_are_included() -> None:
    body = problem(ProviderFault("outcome_unknown", extra={"id": "m1"}))
    assert (body["id"], body["code"]) == ("m1", "outcome_unknown")


def test_the_code_and_the_sentence_may_differ() -> None:
    body = problem(BadRequest("invalid_sender_domain", sentence="invalid_domain"))
    assert (body["code"], body["detail"]) == ("invalid_sender_domain", "Invalid domain")


@pytest.mark.parametrize(
    ("language", "detail"),
    [("en", "Failed to send mail No balance"), ("zh", "发送邮件失败 余额不足")],
)
def test_the_prefix_of_a_sentence_is_in_its_language(language: str, detail: str) -> None:
    error = BadRequest("no_balance").prefixed("failed_to_send")
    assert problem(error, language)["detail"] == detail
    assert plain(error, language).body.decode() == detail


def test_the_errors_are_in_the_language_of_the_detail() -> None:
    field_error = BadRequest("subject_empty", errors=(FieldError("subject", "subject_empty"),))
    assert problem(field_error, "zh")["detail"] == "主题为空"
    assert problem(field_error, "zh")["errors"] == [{"field": "subject", "message": "主题为空"}]


def test_a_plain_response_is_the_sentence_alone() -> None:
    response = plain(NO_BALANCE)
    assert (response.status, response.body, response.code) == (400, b"No balance", "no_balance")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_plain_response_is_always_one_line() -> None:
    error = BadRequest("address_name_blocked", name="a\r\n\tb\x00 c")
    (line,) = plain(error).body.decode().split("\n")
    assert line.startswith("Name[a b")


def test_values_are_inserted_unchanged() -> None:
    name = '{limit} {0} %s <script> "quoted" \\'
    assert problem(BadRequest("address_name_blocked", name=name))["detail"] == (
        f"Name[{name}]is blocked"
    )


@pytest.mark.parametrize("as_plain", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        BadRequest("address_name_blocked", name="a\r\nSet-Cookie: b=c"),
        InvalidInput(
            "invalid_input",
            errors=(FieldError("a\r\nX: y", "invalid_field", {"problem": "b\r\nX: y"}),),
            field="a\r\nX: y",
            problem="b\r\nX: y",
        ),
        ProviderFault("E_X\r\nX: y", sentence="provider_refused", provider_code="E_X\r\nX: y"),
        BadRequest("recipient_suppressed", recipient="a\r\nX: y", reason="b\r\nX: y"),
    ],
    ids=lambda value: getattr(value, "code", str(value))[:20],
)
def test_no_value_of_a_request_reaches_a_header(error: ApiError, as_plain: bool) -> None:
    response = error_response(error, request_id="r\r\nX: y", language="en", plain=as_plain)
    assert response.headers.keys() == {"Content-Type", "Cache-Control"}
    assert all(value.isprintable() for value in response.headers.values())


@pytest.mark.parametrize("as_plain", [True, False])
def test_the_response_has_the_errors_own_headers(as_plain: bool) -> None:
    error = BadRequest("no_balance", headers={"X-More": "1"})
    response = error_response(error, request_id="r", language="en", plain=as_plain)
    assert response.headers["X-More"] == "1"
