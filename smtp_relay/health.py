"""``GET /healthz`` and ``GET /metrics``, on their own port."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from smtp_relay.metrics import CONTENT_TYPE, Metrics
from smtp_relay.settings import SettingsError

_TIMEOUT_SECONDS = 10.0
_MAX_HEAD_BYTES = 8 * 1024
_TEXT = "text/plain; charset=utf-8"


async def serve_health(
    host: str, port: int | None, metrics: Metrics, *, is_stopping: Callable[[], bool]
) -> list[asyncio.Server]:
    """Listen on ``port``, or nowhere if it is None.

    :raises SettingsError: the relay can't listen on the port.
    """
    if port is None:
        return []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_respond(head, metrics, is_stopping=is_stopping()).encoded(head))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client disconnected, or did not send an HTTP request
        finally:
            writer.close()

    try:
        return [await asyncio.start_server(serve, host, port, limit=_MAX_HEAD_BYTES)]
    except OSError as error:
        raise SettingsError(f"can't listen on {host}:{port}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Response:
    status: str
    body: str
    content_type: str = _TEXT
    more_headers: tuple[str, ...] = ()

    def encoded(self, head: bytes) -> bytes:
        """The response as bytes, without its body if ``head`` is of a HEAD request."""
        content = self.body.encode()
        lines = (
            f"HTTP/1.1 {self.status}",
            *self.more_headers,
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(content)}",
            "Cache-Control: no-store",
            "Connection: close",
            "\r\n",
        )
        return "\r\n".join(lines).encode() + (b"" if head.startswith(b"HEAD ") else content)


def _respond(head: bytes, metrics: Metrics, *, is_stopping: bool) -> _Response:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method not in ("GET", "HEAD"):
        allow = ("Allow: GET, HEAD",)
        return _Response("405 Method Not Allowed", "Use GET\n", more_headers=allow)
    if path == "/metrics":
        return _Response("200 OK", metrics.as_text(), CONTENT_TYPE)
    if path != "/healthz":
        return _Response("404 Not Found", "The paths are /healthz and /metrics\n")
    if is_stopping:
        return _Response("503 Service Unavailable", "stopping\n")
    return _Response("200 OK", "OK\n")
