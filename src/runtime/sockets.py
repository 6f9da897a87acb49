"""Connect with SMTP servers, by the sockets of the Workers platform.

https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/
"""

from typing import Any

from pyodide.ffi import to_js

from runtime.coroutines import result_of
from subrequests import Subrequests
from transport.routing import SmtpConfig
from transport.smtp_submission import Connect, Stream


class WorkerStream:
    """Implements the protocol ``Stream``. Its methods raise ``JsException`` if they fail."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def read(self, seconds: float) -> bytes:
        content = await _in_time("readSocket", self._connection, seconds=seconds)
        return bytes(content.to_bytes())

    async def write(self, content: bytes, seconds: float) -> None:
        await _in_time("writeSocket", self._connection, to_js(content), seconds=seconds)

    async def start_tls(self, seconds: float) -> None:
        await _in_time("startTls", self._connection, seconds=seconds)

    async def close(self) -> None:
        await result_of("closeSocket", self._connection)


def counted_connect(subrequests: Subrequests) -> Connect:
    """The ``Connect`` of one invocation. It counts its connections in ``subrequests``."""

    async def connect(config: SmtpConfig, seconds: float) -> Stream:
        subrequests.count()
        server = (config.host, config.port, config.security)
        return WorkerStream(await _in_time("connectSocket", *server, seconds=seconds))

    return connect


async def _in_time(name: str, *parameters: Any, seconds: float) -> Any:
    value = await result_of(name, *parameters, int(seconds * 1000))
    if value is None:
        raise TimeoutError
    return value
