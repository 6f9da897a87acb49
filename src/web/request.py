"""An HTTP request as plain Python values."""

import re
import uuid
from typing import Protocol

import msgspec

from accounts.clients import client_key
from errors import ApiError, BadRequest, PayloadTooLarge, UnsupportedMediaType

# The limits of bodies. MAX_BODY_BYTES is for routes with ``large`` in ``routes.py``.
MAX_BODY_BYTES = 10 * 1024 * 1024
SMALL_BODY_BYTES = 64 * 1024
_UTF8_MARK = b"\xef\xbb\xbf"

_MAX_IP_CHARACTERS = 64
_MAX_TYPE_CHARACTERS = 200
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_JSON_TYPE = re.compile(
    r"application/(?:[a-z0-9.-]++\+)*+json\s*+(?:;\s*+(?:charset\s*+=\s*+\"?utf-8\"?\s*+)?)*+",
    re.IGNORECASE,
)


class ClientDisconnected(Exception):
    """The client closed the connection before it sent the whole body."""


class Body(Protocol):
    """The body of a request, as a stream."""

    async def read(self, limit: int, client: str) -> bytes | None:
        """The whole body, or None if it has more than ``limit`` bytes.

        Takes memory for a large body. No ``client`` can use all the memory.

        :raises ClientDisconnected: the client closed the connection.
        :raises RequestTimeout: ``body_too_slow``: the client sends too slowly.
        :raises Unavailable: ``too_many_large_bodies``: there is no memory for this body.
        """
        ...


class RequestHead(msgspec.Struct):
    """Method, path (percent-encoded as it arrived), query and headers of a request.

    If a query parameter is given twice, the last one counts. Header names are in lower case.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Request:
    """A request. Its body is read on demand.

    ``max_body_bytes`` is the limit of the body. It depends on the route. ``client`` is the address
    of the credential, or None if there is none.
    """

    def __init__(self, head: RequestHead, body: Body) -> None:
        self.method = head.method
        self.path = head.path
        self.query = head.query
        self._headers = head.headers
        self._body = body
        self.client: str | None = None
        self.max_body_bytes = SMALL_BODY_BYTES
        self._is_drained = self.method in ("GET", "HEAD") and not self.header("content-length")
        given = self.header("x-request-id")
        self.id = given if _SANE_REQUEST_ID.fullmatch(given) else str(uuid.uuid4())

    def header(self, name: str) -> str:
        """The value of the header ``name`` (in lower case), empty if it is missing."""
        return self._headers.get(name, "")

    def optional_header(self, name: str) -> str | None:
        """The value of the header ``name`` (in lower case), None if it is missing."""
        return self._headers.get(name)

    @property
    def client_ip(self) -> str | None:
        """The client's IP address, in a header that Cloudflare sets; None if it is missing."""
        return self.header("cf-connecting-ip")[:_MAX_IP_CHARACTERS] or None

    async def body(self) -> bytes:
        """The whole body.

        :raises PayloadTooLarge: the body has more than ``max_body_bytes``.
        :raises BadRequest: ``body_unreadable``: the client closed the connection.
        :raises RequestTimeout, Unavailable: as ``Body.read`` does.
        """
        limit = self.max_body_bytes
        if self._declared_bytes() > limit:
            raise PayloadTooLarge("body_too_large", limit=limit)
        self._is_drained = True
        try:
            body = await self._body.read(limit, self.memory_client)
        except ClientDisconnected as error:
            raise BadRequest("body_unreadable") from error
        if body is None:
            raise PayloadTooLarge("body_too_large", limit=limit)
        return body

    @property
    def memory_client(self) -> str:
        """The client whose share of the memory the request uses."""
        return self.client or client_key(self.client_ip)

    def _declared_bytes(self) -> int:
        # 0 if the header is missing. The HTTP server rejects requests in which it is not a number.
        text = self.header("content-length")
        return int(text) if len(text) <= 16 and text.isascii() and text.isdigit() else 0

    async def drain_body(self) -> None:
        """Read and discard the body, unless it was already read.

        A response to a client that is still sending would close the connection, and the client
        would lose the response.
        """
        if not self._is_drained:
            self._is_drained = True
            try:
                await self._body.read(0, self.memory_client)
            except (ClientDisconnected, ApiError):
                return

    async def json_body(self) -> bytes:
        """The body, which must not be empty. The headers must not declare anything but JSON.

        :raises UnsupportedMediaType: the headers declare another type, or a compressed body.
        :raises BadRequest: ``malformed_json``: the body is empty.
        :raises PayloadTooLarge, BadRequest: as ``body`` does.
        """
        self._check_json_declared()
        body = (await self.body()).removeprefix(_UTF8_MARK)
        if not body or body.isspace():  # strip() could copy it
            raise BadRequest("malformed_json", problem="it is empty")
        return body

    async def optional_json_body(self) -> bytes:
        """Like ``json_body``, but empty if the request has no body."""
        body = (await self.body()).removeprefix(_UTF8_MARK).strip()
        if body:
            self._check_json_declared()
        return body

    def _check_json_declared(self) -> None:
        content_type = self.header("content-type")
        if content_type and not _declares_json(content_type):
            raise UnsupportedMediaType("unsupported_media_type")
        if self.header("content-encoding") not in ("", "identity"):
            raise UnsupportedMediaType("unsupported_content_encoding")


def _declares_json(content_type: str) -> bool:
    if len(content_type) > _MAX_TYPE_CHARACTERS:
        return False
    return _JSON_TYPE.fullmatch(content_type.strip()) is not None
