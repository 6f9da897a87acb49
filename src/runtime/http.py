"""Convert JavaScript requests and responses, and post to other servers."""

from typing import Any

import msgspec
from pyodide.ffi import JsException, to_js

from runtime.bridge import bridge
from services import HttpResponse
from web.request import MAX_BODY_BYTES, Body, ClientDisconnected, Request, RequestHead
from web.responses import Response

# Stop reading an oversized body after this many bytes.
_MAX_READ_BYTES = 10 * MAX_BODY_BYTES
_TIMEOUT_MILLISECONDS = 5000

_decode_head = msgspec.json.Decoder(RequestHead).decode
_decode_response = msgspec.json.Decoder(HttpResponse).decode


class _StreamedBody(Body):
    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def read(self, limit: int) -> bytes | None:
        try:
            body = await bridge().readBody(self._raw, limit, _MAX_READ_BYTES)
        except JsException as error:
            raise ClientDisconnected from error
        if body is None:
            return None
        content: bytes = body.to_bytes()
        return content


def from_js_request(raw: Any) -> Request:
    """The ``Request`` for a JavaScript request ``raw``."""
    raw = getattr(raw, "js_object", raw)
    return Request(_decode_head(bridge().describe(raw)), _StreamedBody(raw))


def to_js_response(response: Response) -> Any:
    """The JavaScript response for ``response``."""
    headers = msgspec.json.encode(response.headers).decode()
    body = response.body.decode() if response.body else None
    return bridge().respond(response.status, headers, body)


async def post(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
    """Post ``body`` to ``url`` and return the response.

    :raises JsException: there was no response within 5 s, or the call failed.
    """
    encoded = to_js(msgspec.json.encode(headers))
    response = await bridge().post(url, encoded, to_js(body), _TIMEOUT_MILLISECONDS)
    return _decode_response(response)
