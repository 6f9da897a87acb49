"""The headers of responses, and those that every request accepts."""

from typing import Any

from tools.openapi.examples import REQUEST_ID
from tools.openapi.operations import Parameter

# Accepted by every request
REQUEST_HEADERS = (
    Parameter(
        name="x-lang",
        place="header",
        description="The language of the sentences in errors, `en` or `zh`. Any other value "
        "selects the language of the deployment.",
        schema={"type": "string"},
        example="en",
    ),
    Parameter(
        name="x-error-format",
        place="header",
        description="`text` for errors that are only a sentence, `json` for problem objects. "
        "Without this header, a setting of the deployment decides. It does not change errors in "
        "Resend's form.",
        schema={"type": "string"},
        example="json",
    ),
    Parameter(
        name="X-Request-Id",
        place="header",
        description="An id for this request: 1 to 100 letters, digits and `. _ : -`. The response "
        "and the log show it. If it is missing or invalid, the service generates one.",
        schema={"type": "string"},
        example="order-4711-mail",
    ),
)

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of the request: the one that the client sent, or a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
        "example": REQUEST_ID,
    },
    "Retry-After": {
        "description": "The number of seconds after which to try again (RFC 9110, 10.2.3).",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "example": "30",
    },
    "Allow": {
        "description": "The methods that the path accepts (RFC 9110, 10.2.1).",
        "schema": {"type": "string"},
        "example": "GET, HEAD",
    },
    "Idempotent-Replayed": {
        "description": "`true` if this response replays an earlier request with the same "
        "Idempotency-Key.",
        "schema": {"const": "true"},
        "example": "true",
    },
    "X-Warnings": {
        "description": "What was accepted otherwise than given, in sentences; missing if nothing.",
        "schema": {"type": "string"},
        "example": "reply_to: Only the first reply-to address is used, because the mail provider "
        "takes only one",
    },
    "RateLimit-Policy": {
        "description": "The number of messages (`q`) that a credential may send in `w` seconds, if "
        "the deployment has a rate limit (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string", "pattern": '^"send";q=[1-9][0-9]*;w=[1-9][0-9]*$'},
        "example": '"send";q=100;w=60',
    },
    "RateLimit": {
        "description": "The number of messages that remain (`r`), and the number of seconds until "
        "the next window begins (`t`). Present only if the request reached the database.",
        "schema": {"type": "string", "pattern": '^"send";r=[0-9]+;t=[1-9][0-9]*$'},
        "example": '"send";r=97;t=42',
    },
    "ratelimit-limit": {
        "description": "The `q` of `RateLimit-Policy`, for clients of Resend.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "example": "100",
    },
    "ratelimit-remaining": {
        "description": "The `r` of `RateLimit`, for clients of Resend.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "97",
    },
    "ratelimit-reset": {
        "description": "The `t` of `RateLimit`, for clients of Resend.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "example": "42",
    },
}


def header_references(names: tuple[str, ...]) -> dict[str, Any]:
    """References to the headers `names` and to `X-Request-Id`, which every response has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}
