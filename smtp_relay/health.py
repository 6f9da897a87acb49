"""Serves ``GET /healthz`` and ``GET /metrics`` on their own port."""

import asyncio

from smtp_relay.metrics import CONTENT_TYPE, Metrics
from smtp_relay.session_registry import SessionRegistry

_TIMEOUT_SECONDS = 10.0
_MAX_HEAD_BYTES = 8 * 1024


def health_protocol(metrics: Metrics, registry: SessionRegistry) -> asyncio.StreamReaderProtocol:
    """The protocol of one connection, which serves one request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, metrics, is_stopping=registry.is_stopping))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client disconnected, or did not send an HTTP request
        finally:
            writer.close()

    return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=_MAX_HEAD_BYTES), serve)


def _response(head: bytes, metrics: Metrics, *, is_stopping: bool) -> bytes:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    status, content_type = "200 OK", "text/plain; charset=utf-8"
    if method not in ("GET", "HEAD"):
        status, body = "405 Method Not Allowed\r\nAllow: GET, HEAD", "Use GET\n"
    elif path == "/metrics":
        body, content_type = metrics.as_text(), CONTENT_TYPE
    elif path != "/healthz":
        status, body = "404 Not Found", "The paths are /healthz and /metrics\n"
    elif is_stopping:
        status, body = "503 Service Unavailable", "stopping\n"
    else:
        body = "OK\n"
    content = body.encode()
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "Connection: close",
        "\r\n",
    )
    return "\r\n".join(lines).encode() + (b"" if method == "HEAD" else content)
