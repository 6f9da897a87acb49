"""The headers of answers, and of requests of any kind."""

from typing import Any

from tools.openapi.operation import Parameter
from tools.openapi.samples import REQUEST_ID

# Of every request
REQUEST_HEADERS = (
    Parameter(
        name="x-lang",
        where="header",
        description="The language of the sentences in errors, `en` or `zh`; with any other word "
        "it is that of the deployment.",
        schema={"type": "string"},
        example="en",
    ),
    Parameter(
        name="X-Request-Id",
        where="header",
        description="An id for this request: 1 to 100 letters, digits and `. _ : -`. The answer "
        "and the log show it. Without one, or with anything else, the service makes one.",
        schema={"type": "string"},
        example="order-4711-mail",
    ),
)

ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of the request: the one it came with, or one that was made.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
        "example": REQUEST_ID,
    },
    "Retry-After": {
        "description": "After how many seconds another try makes sense (RFC 9110, 10.2.3).",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "example": "30",
    },
    "Allow": {
        "description": "The methods that the path takes (RFC 9110, 10.2.1).",
        "schema": {"type": "string"},
        "example": "GET, HEAD",
    },
    "Idempotent-Replayed": {
        "description": "There, and `true`, where this is the answer to an earlier request with "
        "the same Idempotency-Key.",
        "schema": {"const": "true"},
        "example": "true",
    },
    "RateLimit-Policy": {
        "description": "How many messages (`q`) a credential may send in how many seconds (`w`), "
        "where the deployment has a rate limit (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string", "pattern": '^"send";q=[1-9][0-9]*;w=[1-9][0-9]*$'},
        "example": '"send";q=100;w=60',
    },
    "RateLimit": {
        "description": "How many messages are left of that (`r`), and in how many seconds the "
        "next window begins (`t`). Only where the database was asked.",
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
    """The headers of an answer: those of every answer, and these."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}
