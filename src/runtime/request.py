"""One HTTP request, as plain Python values."""

import contextlib
import re
import uuid
from typing import Any

import msgspec
from pyodide.ffi import JsException

from refusals import BadRequest, PayloadTooLarge, UnsupportedMediaType
from runtime.bridge import bridge

MAX_BODY_BYTES = 10 * 1024 * 1024
# More of a body that is too large nobody listens to.
_MOST_READ_BYTES = 10 * MAX_BODY_BYTES
_UTF8_MARK = b"\xef\xbb\xbf"

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_JSON_TYPE = re.compile(
    r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE
)


class _Description(msgspec.Struct):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


_decode_description = msgspec.json.Decoder(_Description).decode


class Request:
    """Method, path, query and headers of a request; the body on demand.

    ``path`` is percent-encoded as it came. Of a query parameter given twice the last counts.
    Header names are in lower case.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = getattr(raw, "js_object", raw)
        description = _decode_description(bridge().describe(self._raw))
        self.method = description.method
        self.path = description.path
        self.query = description.query
        self._headers = description.headers
        self._heard_out = self.method in ("GET", "HEAD") and not self.header("content-length")
        given = self.header("x-request-id")
        self.id = given if _SANE_REQUEST_ID.fullmatch(given) else str(uuid.uuid4())

    def header(self, name: str) -> str:
        """The value of the header ``name`` (in lower case), empty where it is missing."""
        return self._headers.get(name, "")

    def optional_header(self, name: str) -> str | None:
        """The value of the header ``name`` (in lower case), None where it is missing."""
        return self._headers.get(name)

    @property
    def client_ip(self) -> str | None:
        """The network address that the request came from, as Cloudflare saw it."""
        return self.header("cf-connecting-ip") or None

    async def body(self) -> bytes:
        """The whole body.

        :raises PayloadTooLarge: where it is over 10 MiB.
        :raises BadRequest: ``body_unreadable``, when the client breaks off.
        """
        self._heard_out = True
        try:
            body = await bridge().readBody(self._raw, MAX_BODY_BYTES, _MOST_READ_BYTES)
        except JsException as error:
            raise BadRequest("body_unreadable") from error
        if body is None:
            raise PayloadTooLarge("body_too_large", limit=MAX_BODY_BYTES)
        content: bytes = body.to_bytes()
        return content

    async def hear_out(self) -> None:
        """Read what of the body nobody has read, and forget it.

        A client that is still sending when the answer comes loses its connection, and the answer.
        """
        if not self._heard_out:
            self._heard_out = True
            with contextlib.suppress(JsException):  # the client has broken off
                await bridge().readBody(self._raw, 0, _MOST_READ_BYTES)

    async def json_body(self) -> bytes:
        """The body, which the client says is JSON.

        :raises UnsupportedMediaType: where it says that it is something else.
        :raises PayloadTooLarge: as ``body`` does.
        """
        content_type = self.header("content-type")
        if content_type and _JSON_TYPE.fullmatch(content_type.strip()) is None:
            raise UnsupportedMediaType("unsupported_media_type")
        if self.header("content-encoding") not in ("", "identity"):
            raise UnsupportedMediaType("unsupported_content_encoding")
        body = (await self.body()).removeprefix(_UTF8_MARK)
        if not body.strip():
            raise BadRequest("malformed_json", problem="it is empty")
        return body
