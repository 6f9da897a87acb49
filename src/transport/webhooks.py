"""Send webhook deliveries: sign the body, post it, and judge the response."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, Protocol

import msgspec

from log import text_of

# The maximum time for a response, and the maximum length of the part of its body that is kept.
RESPONSE_SECONDS = 15
MAX_RESPONSE_BYTES = 1024

_SUCCESS = range(200, 300)
_GONE = 410
_MAY_RETRY_AFTER = (429, 503)

_MAX_DATE_CHARACTERS = 40
_SECONDS = re.compile(r"[0-9]{1,9}")
_MAX_ERROR_CHARACTERS = 200


class WebhookResponse(Protocol):
    """The response of a receiver: its status, its Retry-After, and the beginning of its body."""

    @property
    def status(self) -> int: ...
    @property
    def retry_after(self) -> str | None: ...
    @property
    def text(self) -> str: ...


# (url, headers, body) -> the response. Follows no redirects. Raises TimeoutError if no response
# arrives within RESPONSE_SECONDS, and any other exception if the receiver can't be reached.
Post = Callable[[str, dict[str, str], bytes], Awaitable[WebhookResponse]]


class WebhookOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an attempt.

    A receiver that is ``gone`` wants no further deliveries. ``retry_after`` is how many seconds the
    receiver asks to wait. ``code`` is the status of the response, None if none arrived; ``error``
    then says why.
    """

    result: Literal["success", "failed", "gone"]
    milliseconds: int
    code: int | None = None
    error: str | None = None
    response: str | None = None
    retry_after: int | None = None


def delivery_headers(
    delivery_id: str, body: str, keys: Iterable[bytes], *, now: int, version: str
) -> dict[str, str]:
    """The headers of a delivery, with the signatures of Standard Webhooks and of Svix.

    :param keys: the keys that sign. The receiver needs one of them.
    :param now: the time of the attempt in Unix milliseconds.
    :param version: the version of this service.
    """
    timestamp = now // 1000
    signed = {
        "id": delivery_id,
        "timestamp": str(timestamp),
        "signature": " ".join(_signature(key, delivery_id, timestamp, body) for key in keys),
    }
    return {
        "content-type": "application/json",
        "user-agent": f"send-mail-api-webhooks/{version}",
        **{f"webhook-{name}": value for name, value in signed.items()},
        **{f"svix-{name}": value for name, value in signed.items()},
    }


async def deliver(
    post: Post, endpoint: str, headers: dict[str, str], body: str, *, now: int
) -> WebhookOutcome:
    """Post ``body`` to ``endpoint`` once. Failures are returned, never raised."""
    started = time.perf_counter()
    try:
        response = await post(endpoint, headers, body.encode())
    except TimeoutError:
        error = f"no response within {RESPONSE_SECONDS} s"
        return WebhookOutcome(result="failed", milliseconds=_since(started), error=error)
    except Exception as error:
        text = text_of(error).strip()[:_MAX_ERROR_CHARACTERS] or type(error).__name__
        return WebhookOutcome(result="failed", milliseconds=_since(started), error=text)
    may_wait = response.status in _MAY_RETRY_AFTER and response.retry_after
    return WebhookOutcome(
        result=_result(response.status),
        milliseconds=_since(started),
        code=response.status,
        response=response.text,
        retry_after=_seconds(response.retry_after or "", now) if may_wait else None,
    )


def _seconds(retry_after: str, now: int) -> int | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3); None if it can't be read."""
    if _SECONDS.fullmatch(retry_after):
        return int(retry_after)
    # Imported here, because most receivers send a number.
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(retry_after[:_MAX_DATE_CHARACTERS]).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, int(at - now / 1000))


def _result(status: int) -> Literal["success", "failed", "gone"]:
    if status in _SUCCESS:
        return "success"
    return "gone" if status == _GONE else "failed"


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _signature(key: bytes, delivery_id: str, timestamp: int, body: str) -> str:
    """The signature of a delivery (Standard Webhooks 1.0.0)."""
    signed = f"{delivery_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
