"""``GET /healthz`` and ``GET /metrics``, on a port of their own."""

import asyncio
from typing import TYPE_CHECKING

from smtp_relay.metrics import CONTENT_TYPE
from smtp_relay.settings import SettingsError

if TYPE_CHECKING:
    from smtp_relay.relay import Relay

_PATIENCE_SECONDS = 10.0
_MAX_HEAD_BYTES = 8 * 1024
_TEXT = "text/plain; charset=utf-8"


async def serve_status(relay: "Relay") -> list[asyncio.Server]:
    """Listen where the settings say, if they say so.

    :raises SettingsError: the port can't be listened on.
    """
    host, port = relay.settings.status_host, relay.settings.status_port
    if port is None:
        return []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(relay, head))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was, he is gone, or speaks no HTTP
        finally:
            writer.close()

    try:
        return [await asyncio.start_server(answer, host, port, limit=_MAX_HEAD_BYTES)]
    except OSError as error:
        raise SettingsError(f"{host}:{port} can't be listened on: {error.strerror}") from error


def _response(relay: "Relay", head: bytes) -> bytes:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    kind = _TEXT
    if method not in ("GET", "HEAD"):
        status, body = "405 Method Not Allowed\r\nAllow: GET, HEAD", "Only GET\n"
    elif path == "/metrics":
        status, body, kind = "200 OK", relay.metrics.as_text(), CONTENT_TYPE
    elif path != "/healthz":
        status, body = "404 Not Found", "There are /healthz and /metrics\n"
    elif relay.is_stopping:
        status, body = "503 Service Unavailable", "stopping\n"
    else:
        status, body = "200 OK", "OK\n"
    content = body.encode()
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "Connection: close",
        "\r\n",
    )
    return "\r\n".join(lines).encode() + (content if method != "HEAD" else b"")
