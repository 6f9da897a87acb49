"""Convert JavaScript requests and responses, and post to other servers."""

from typing import Any

import msgspec
from pyodide.ffi import JsException, to_js

from errors import ApiError, RequestTimeout, Unavailable
from runtime.bridge import bodies, bridge
from services import HttpResponse, Post
from subrequests import Subrequests
from web.request import (
    MAX_BODY_BYTES,
    SMALL_BODY_BYTES,
    Body,
    ClientDisconnected,
    Request,
    RequestHead,
)
from web.responses import Response

# Stop reading an oversized body after this many bytes.
_MAX_READ_BYTES = 10 * MAX_BODY_BYTES
_TIMEOUT_MILLISECONDS = 5000
_NO_ROOM_RETRY_SECONDS = 5

_decode_head = msgspec.json.Decoder(RequestHead).decode
_decode_response = msgspec.json.Decoder(HttpResponse).decode


class _StreamedBody(Body):
    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._handled: Any = None

    async def read(self, limit: int) -> bytes | None:
        try:
            body = await bodies().readBody(self._raw, limit, _MAX_READ_BYTES)
        except JsException as error:
            raise ClientDisconnected from error
        if body == "too_large":
            return None
        if isinstance(body, str):
            raise _error(body)
        content: bytes = body.to_bytes()
        if len(content) > SMALL_BODY_BYTES:  # for a small body the call costs more than it saves
            self._handled = body
            bodies().free(body)
        return content

    def finish(self) -> None:
        if self._handled is not None:
            bodies().finish(self._handled)


def _error(problem: str) -> ApiError:
    if problem == "too_slow":
        return RequestTimeout("body_too_slow")
    return Unavailable("too_many_large_bodies", retry_after=_NO_ROOM_RETRY_SECONDS)


def from_js_request(raw: Any) -> Request:
    """The ``Request`` for a JavaScript request ``raw``."""
    raw = getattr(raw, "js_object", raw)
    return Request(_decode_head(bridge().describe(raw)), _StreamedBody(raw))


def to_js_response(response: Response) -> Any:
    """The JavaScript response for ``response``."""
    headers = msgspec.json.encode(response.headers).decode()
    return bridge().respond(response.status, headers, _js_body(response.body))


def _js_body(body: bytes) -> Any:
    # A small body is converted faster as text. As text, a large body would need three more copies
    # in memory.
    if len(body) > SMALL_BODY_BYTES:
        return to_js(body)
    return body.decode() if body else None


def counted_post(subrequests: Subrequests) -> Post:
    """The ``Post`` of one invocation. It counts its requests in ``subrequests``.

    It raises ``JsException`` if there was no response within 5 s, or if the call failed.
    """

    async def post(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        subrequests.count()
        encoded = to_js(msgspec.json.encode(headers))
        response = await bridge().post(url, encoded, to_js(body), _TIMEOUT_MILLISECONDS)
        return _decode_response(response)

    return post
