"""Convert JavaScript requests and responses, and send requests to other servers."""

from typing import Any

import msgspec
from pyodide.ffi import JsException, to_js

from errors import RequestTimeout
from runtime.bridge import bridge
from runtime.coroutines import result_of
from runtime.memory import Room, no_room
from services import FETCH_SECONDS, MAX_FETCHED_BYTES, Fetch, HttpResponse
from subrequests import Subrequests
from web.request import (
    MAX_BODY_BYTES,
    SMALL_BODY_BYTES,
    Body,
    ClientDisconnected,
    RequestHead,
)
from web.responses import Response

# Stop reading an oversized body after this many bytes.
_MAX_READ_BYTES = 10 * MAX_BODY_BYTES

read_head = msgspec.json.Decoder(RequestHead).decode
_decode_response = msgspec.json.Decoder(HttpResponse).decode


class _StreamedBody(Body):
    """The body of a JavaScript request, which has not been read. A large one has a room."""

    def __init__(self, request: Any, memory: Room) -> None:
        self._request = request
        self._memory = memory

    async def read(self, limit: int, client: str) -> bytes | None:
        try:
            body = await result_of("readBody", self._request, client, limit, _MAX_READ_BYTES)
        except JsException as error:
            raise ClientDisconnected from error
        room = getattr(body, "room", None)
        if room is None:
            return _bytes_of(body)
        self._memory.hold(room)
        content = _bytes_of(body)
        room.empty()
        return content


class _SmallBody(Body):
    """The bytes of a body that JavaScript has read, or the problem with it."""

    def __init__(self, given: Any) -> None:
        self._given = given

    async def read(self, limit: int, client: str) -> bytes | None:
        content = _bytes_of(self._given)
        return None if content is None or len(content) > limit else content


def _bytes_of(given: Any) -> bytes | None:
    """The bytes of a body that JavaScript has read, or None if there are too many.

    :param given: an array of bytes, or the problem with the body (``bodies.mjs``).
    """
    if not isinstance(given, str):
        content: bytes = given.to_bytes()
        return content
    match given:
        case "too_large":
            return None
        case "unreadable":
            raise ClientDisconnected
        case "too_slow":
            raise RequestTimeout("body_too_slow")
    raise no_room()


def body_of(small: Any, request: Any, memory: Room) -> Body:
    """The body of a JavaScript request.

    :param small: the bytes of a small body, or the problem with it; None if it has not been read.
    :param request: the request, if its body has not been read.
    :param memory: the memory of the invocation.
    """
    return _StreamedBody(request, memory) if small is None else _SmallBody(small)


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


def counted_fetch(subrequests: Subrequests) -> Fetch:
    """The ``Fetch`` of one invocation. It counts its requests in ``subrequests``.

    It raises ``TimeoutError``, or ``JsException`` if the call failed.
    """

    async def fetch(
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        *,
        seconds: int = FETCH_SECONDS,
        most: int = MAX_FETCHED_BYTES,
    ) -> HttpResponse:
        subrequests.count()
        sent = None if body is None else to_js(body)
        encoded = to_js(msgspec.json.encode(headers))
        fetched = await result_of("fetchText", url, encoded, sent, seconds * 1000, most)
        if not isinstance(fetched, str):
            raise TimeoutError
        return _decode_response(fetched)

    return fetch
