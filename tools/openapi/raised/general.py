"""Refusals of requests in general, of callers, of new addresses, and of the deployment."""

from refusals import (
    BadRequest,
    FieldError,
    Forbidden,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Refusal,
    ServerFault,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from tools.openapi.raised.field import in_field

_LIMIT = 10 * 1024 * 1024
_WRONG_TYPE = "Expected str | null, got int"

OF_REQUESTS = (
    BadRequest("malformed_json", problem="unexpected end of data (byte 1)"),
    BadRequest("body_unreadable"),
    PayloadTooLarge("body_too_large", limit=_LIMIT),
    UnsupportedMediaType("unsupported_media_type"),
    UnsupportedMediaType("unsupported_content_encoding"),
    InvalidInput(
        "invalid_input",
        errors=(FieldError("name", "invalid_field", {"problem": _WRONG_TYPE}),),
        field="name",
        problem=_WRONG_TYPE,
    ),
    in_field("unknown_field", "colour", kind=InvalidInput),
    in_field("required_field_missing", "name"),
    in_field("invalid_limit", "limit"),
    in_field("invalid_offset", "offset"),
    in_field("invalid_cursor", "cursor"),
    in_field("offset_with_cursor", "offset"),
    in_field("invalid_q", "q", limit=200),
    NotFound("not_found"),
    MethodNotAllowed(["GET", "HEAD"]),
)
# The same code where an object inside of the body lacks a member.
MISSING_MEMBER = in_field("required_field_missing", "to.email", kind=InvalidInput)

OF_CALLERS = (
    Unauthorized("site_password_required"),
    Unauthorized("admin_password_required"),
    Unauthorized("credential_missing"),
    Unauthorized("invalid_credential"),
    TooManyRequests("client_rate_exceeded", retry_after=60, path="/api/new_address"),
)


def _creating(refusal: Refusal) -> Refusal:
    return refusal.prefixed("failed_to_create")


OF_NEW_ADDRESSES = (
    Forbidden("new_address_disabled"),
    Forbidden("anonymous_new_address_disabled"),
    _creating(in_field("address_name_too_short", "name", minimum=3)),
    _creating(in_field("address_name_too_long", "name", maximum=30)),
    _creating(in_field("address_name_no_match", "name", pattern="^[a-z]")),
    _creating(in_field("address_name_blocked", "name", name="postmaster")),
    _creating(in_field("address_name_invalid", "name")),
    _creating(in_field("invalid_domain", "domain")),
    _creating(BadRequest("address_exists")),
    TooManyRequests("too_many_addresses", retry_after=3600, most=10),
    BadRequest("human_verification_failed"),
    Unavailable("human_verification_unavailable", retry_after=10),
)

OF_PASSWORDS = (
    Forbidden("password_login_disabled"),
    Forbidden("password_change_disabled"),
    Unauthorized("invalid_login"),
    TooManyRequests("too_many_logins", retry_after=600),
    in_field("password_not_digested", "new_password"),
)

OF_THE_DEPLOYMENT = (
    ServerFault("binding_missing", name="DB"),
    ServerFault("secret_missing", name="JWT_SECRET"),
    ServerFault("invalid_setting", name="RETRY_HOURS", expected="a whole number, at least 0"),
    ServerFault("internal_error"),
    Unavailable("database_unavailable", retry_after=5),
    ServerFault("database_refused"),
    Unavailable("database_down", retry_after=10),
)
