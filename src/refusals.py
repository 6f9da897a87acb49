"""The refusals: every request that is not answered with success ends in one of these.

    Refusal
    ├── BadRequest            400  the request says something that can't be done
    ├── Unauthorized          401  a credential or password is missing or wrong
    ├── Forbidden             403  switched off by the settings
    ├── NotFound              404
    ├── MethodNotAllowed      405  carries Allow
    ├── Conflict              409  another request is or was first; may carry Retry-After
    ├── PayloadTooLarge       413
    ├── UnsupportedMediaType  415
    ├── InvalidInput          422  a field has the wrong type; names the fields
    ├── TooManyRequests       429  carries Retry-After
    ├── ServerFault           500  the deployment is incomplete, or this code has a bug
    ├── ProviderFault         502  the mail provider refused, or its answer is not known
    └── Unavailable           503  worth another try; carries Retry-After

A refusal is raised where it is found and turned into an answer in one place
(``answers.py``). It carries codes and values, never sentences: those are
looked up in the catalogue of the language that the client asked for.
"""

import dataclasses
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input.

    ``field`` is the JSON path without its root (``to_mail``, ``to[2].email``), ``code`` a key of
    the sentence catalogue, ``values`` what the sentence's placeholders stand for.
    """

    field: str
    code: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)


class Refusal(Exception):
    """Base of all refusals.

    :param code: stable snake_case word (or the provider's ``E_...`` code) for programs.
    :param sentence: key of the sentence catalogue; the code itself where none is given.
    :param errors: the fields at fault.
    :param headers: response headers that belong to this refusal.
    :param extra: further members of the problem object (RFC 9457, section 3.2).
    :param values: what the placeholders of the sentence stand for.
    """

    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    retryable = False

    def __init__(
        self,
        code: str,
        *,
        sentence: str | None = None,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
        extra: dict[str, object] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence or code
        self.errors = errors
        self.headers = headers or {}
        self.extra = extra or {}
        self.values = values
        self.prefix: str | None = None

    def prefixed(self, prefix: str) -> "Refusal":
        """Put the catalogue's sentence ``prefix`` in front of the detail, and return itself."""
        self.prefix = prefix
        return self


class BadRequest(Refusal):
    pass


class Unauthorized(Refusal):
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(Refusal):
    status = HTTPStatus.FORBIDDEN


class NotFound(Refusal):
    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(Refusal):
    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, allowed: list[str]) -> None:
        allow = ", ".join(allowed)
        super().__init__("method_not_allowed", headers={"Allow": allow}, allowed=allow)


class Conflict(Refusal):
    status = HTTPStatus.CONFLICT

    def __init__(
        self, code: str, *, retry_after: int | None = None, extra: dict[str, object] | None = None
    ) -> None:
        """``retry_after``: seconds after which the other request will be over."""
        headers = {"Retry-After": str(retry_after)} if retry_after else None
        super().__init__(code, headers=headers, extra=extra)
        self.retryable = retry_after is not None


class PayloadTooLarge(Refusal):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(Refusal):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class InvalidInput(Refusal):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequests(Refusal):
    status = HTTPStatus.TOO_MANY_REQUESTS
    retryable = True

    def __init__(self, code: str, *, retry_after: int, **values: Any) -> None:
        """``retry_after``: seconds after which there is room again."""
        super().__init__(code, headers={"Retry-After": str(retry_after)}, **values)


class ServerFault(Refusal):
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class ProviderFault(Refusal):
    status = HTTPStatus.BAD_GATEWAY


class Unavailable(Refusal):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True

    def __init__(
        self,
        code: str,
        *,
        retry_after: int,
        sentence: str | None = None,
        extra: dict[str, object] | None = None,
        **values: Any,
    ) -> None:
        """``retry_after``: seconds after which another try makes sense."""
        headers = {"Retry-After": str(retry_after)}
        super().__init__(code, sentence=sentence, headers=headers, extra=extra, **values)
