"""The API errors: every request that does not succeed raises one of these.

    ApiError
    ├── BadRequest            400  a value is invalid, or a rule rejects the request
    ├── Unauthorized          401  a credential or password is missing or wrong
    ├── Forbidden             403  disabled by the settings, or not allowed for the credential
    ├── NotFound              404  the path, address, message or other object does not exist
    ├── MethodNotAllowed      405  has an Allow header
    ├── RequestTimeout        408  the client sends its body too slowly
    ├── Conflict              409  conflicts with the current state; may have Retry-After
    ├── PayloadTooLarge       413  the body, the message or a list is too large
    ├── UnsupportedMediaType  415  the body is not JSON, or is compressed
    ├── InvalidInput          422  a field is missing, not allowed, or has the wrong type
    ├── TooManyRequests       429  has a Retry-After header
    ├── ServerFault           500  the configuration is wrong or incomplete, or this code has a bug
    ├── ProviderFault         502  the provider rejected the mail, or its response is unknown
    └── Unavailable           503  temporary; has a Retry-After header

``web/responses.py`` turns an error into a response. An error holds codes and values. The response
takes its sentences from the catalogue of the client's language.
Every code has an example in ``tools/error_catalogue.py``.
"""

import dataclasses
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in one field of the input.

    ``field`` is the name of a query parameter, or a JSON path without the root (``to_mail``,
    ``to[2].email``). ``code`` is a key of the sentence catalogue. ``values`` fill the placeholders
    of the sentence.
    """

    field: str
    code: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)


class Term(str):
    """A value of a sentence that is itself the key of a sentence."""

    __slots__ = ()


class ApiError(Exception):
    """Base of all API errors.

    :param code: stable snake_case word (or the provider's ``E_...`` code) for programs.
    :param sentence: key of the sentence catalogue; by default the code.
    :param errors: the invalid fields.
    :param retry_after: seconds until the same request can succeed; None if it can't.
    :param headers: further response headers of this error.
    :param extra: additional members of the problem object (RFC 9457, section 3.2).
    :param values: the values of the sentence's placeholders.
    """

    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    def __init__(
        self,
        code: str,
        *,
        sentence: str | None = None,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence or code
        self.errors = errors
        self.retryable = retry_after is not None
        self.headers = headers or {}
        if retry_after is not None:
            self.headers = {**self.headers, "Retry-After": str(retry_after)}
        self.extra = extra or {}
        self.values = values
        self.prefix: str | None = None

    def prefixed(self, prefix: str) -> "ApiError":
        """Put the sentence with the key ``prefix`` before the detail; return this error."""
        self.prefix = prefix
        return self


class BadRequest(ApiError):
    pass


class Unauthorized(ApiError):
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(ApiError):
    status = HTTPStatus.FORBIDDEN


class NotFound(ApiError):
    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(ApiError):
    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, allowed: list[str]) -> None:
        allow = ", ".join(allowed)
        super().__init__("method_not_allowed", headers={"Allow": allow}, allowed=allow)


class RequestTimeout(ApiError):
    status = HTTPStatus.REQUEST_TIMEOUT


class Conflict(ApiError):
    status = HTTPStatus.CONFLICT


class PayloadTooLarge(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(ApiError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class InvalidInput(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequests(ApiError):
    status = HTTPStatus.TOO_MANY_REQUESTS


class ServerFault(ApiError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class ProviderFault(ApiError):
    status = HTTPStatus.BAD_GATEWAY


class Unavailable(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE


def field_error(code: str, field: str, **values: Any) -> BadRequest:
    """The error ``code`` about one ``field`` of the request."""
    return BadRequest(code, errors=(FieldError(field, code, values),), **values)


def invalid_input(code: str, field: str) -> InvalidInput:
    """Like ``field_error``, but an ``InvalidInput``, with the status 422."""
    return InvalidInput(code, errors=(FieldError(field, code),))
