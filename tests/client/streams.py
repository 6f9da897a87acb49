"""Connections for ``SmtpTransport``, made with asyncio."""

import asyncio
import contextlib
import ssl

from transport.routing import SmtpConfig
from transport.smtp_submission import Stream


class AsyncioStream:
    """Implements the protocol ``Stream``. ``tls`` has the authorities that it trusts."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tls: ssl.SSLContext,
        host: str,
    ) -> None:
        self._reader, self._writer, self._tls, self._host = reader, writer, tls, host

    async def read(self, seconds: float) -> bytes:
        return await asyncio.wait_for(self._reader.read(65_536), seconds)

    async def write(self, content: bytes, seconds: float) -> None:
        self._writer.write(content)
        await asyncio.wait_for(self._writer.drain(), seconds)

    async def start_tls(self, seconds: float) -> None:
        upgrade = self._writer.start_tls(self._tls, server_hostname=self._host)
        await asyncio.wait_for(upgrade, seconds)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._writer.wait_closed(), 1)


async def connect(config: SmtpConfig, seconds: float, tls: ssl.SSLContext | None = None) -> Stream:
    """Connect with the server of ``config``. By default, TLS trusts the authorities of the host."""
    tls = tls or ssl.create_default_context()
    opening = asyncio.open_connection(
        config.host, config.port, ssl=tls if config.security == "tls" else None
    )
    reader, writer = await asyncio.wait_for(opening, seconds)
    return AsyncioStream(reader, writer, tls, config.host)
