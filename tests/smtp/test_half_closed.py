"""Clients that stop sending after their message, and wait for the reply, with and without TLS."""

import asyncio
import contextlib
import gc
import ssl
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from smtp_relay.aiosmtpd_private import TlsLayer, buffer_of
from smtp_relay.api_response import ApiResponse
from tests.smtp.in_process import CLAIMS, Client, client, connect
from tests.smtp.relay import insecure_context, plain_word
from tools.local_server import free_port

Way = Literal["plain", "starttls", "tls"]
End = Literal["close_notify", "FIN", "close_notify and FIN"]

HEAD = b"Subject: A subject\r\n\r\n"
LINE = b"x" * 998 + b"\r\n"
LOGIN = f"AUTH PLAIN {plain_word('jwt', f'a.{CLAIMS}.b')}"


class Connection:
    """A connection that can stop sending and still receive. Python's TLS streams can't do this."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._from_relay, self._to_relay = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._received = b""

    async def start_tls(self, context: ssl.SSLContext) -> None:
        tls = context.wrap_bio(self._from_relay, self._to_relay)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self.writer.write(self._to_relay.read())
                self._from_relay.write(await self._reader.read(65_536))
            else:
                break
        self.writer.write(self._to_relay.read())
        self._tls = tls

    def send(self, content: bytes) -> None:
        if self._tls:
            self._tls.write(content)
            content = self._to_relay.read()
        self.writer.write(content)

    def stop_sending(self, end: End) -> None:
        if self._tls and end != "FIN":
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
            self.writer.write(self._to_relay.read())
        if end != "close_notify":
            self.writer.write_eof()

    async def reply(self) -> str:
        """The next reply (its last line), or an empty string after the connection has ended."""
        async with asyncio.timeout(20):
            while True:
                while b"\r\n" not in self._received:
                    if not (piece := await self._receive()):
                        return ""
                    self._received += piece
                line, _, self._received = self._received.partition(b"\r\n")
                if line[3:4] != b"-":
                    return line.decode()

    async def _receive(self) -> bytes:
        if self._tls is None:
            return await self._reader.read(65_536)
        while True:
            try:
                return self._tls.read()
            except ssl.SSLWantReadError:
                received = await self._reader.read(65_536)
                if not received:
                    return b""
                self._from_relay.write(received)
            except ssl.SSLZeroReturnError:
                return b""

    async def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return await self.reply()


async def respond() -> ApiResponse:
    await asyncio.sleep(0.2)
    return ApiResponse(200, {"id": "1"})


@contextlib.asynccontextmanager
async def connection(
    way: Way, certificate: Path, version: ssl.TLSVersion
) -> AsyncIterator[tuple[Connection, Client]]:
    """A logged-in connection, and another client of the same relay."""
    context = insecure_context()
    context.maximum_version = version
    tls_port = free_port()
    files = {
        "SMTP_TLS_PORT": str(tls_port),
        "SMTP_TLS_CERT": str(certificate / "cert.pem"),
        "SMTP_TLS_KEY": str(certificate / "key.pem"),
    }
    async with client(respond, **files) as other:
        port = tls_port if way == "tls" else other.port
        one = Connection(*await connect(port))
        if way == "tls":
            await one.start_tls(context)
        assert (await one.reply()).startswith("220 ")
        if way == "starttls":
            assert (await one.ask("EHLO test")).startswith("250 ")
            assert (await one.ask("STARTTLS")).startswith("220 ")
            await one.start_tls(context)
        assert (await one.ask("EHLO test")).startswith("250 ")
        assert (await one.ask(LOGIN)).startswith("235 ")
        yield one, other
        one.writer.close()


async def begin(one: Connection) -> None:
    assert (await one.ask("MAIL FROM:<>")).startswith("250 ")
    assert (await one.ask("RCPT TO:<recipient@example.net>")).startswith("250 ")
    assert (await one.ask("DATA")).startswith("354 ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("lines", [1, 3000])
@pytest.mark.parametrize("delay", [0, 0.1])
@pytest.mark.parametrize("end", ["close_notify", "FIN", "close_notify and FIN"])
@pytest.mark.parametrize("way", ["starttls", "tls"])
@pytest.mark.slow
async def test_the_client_gets_its_reply(
    certificate: Path, way: Way, end: End, delay: float, lines: int, version: ssl.TLSVersion
) -> None:
    async with connection(way, certificate, version) as (one, other):
        await begin(one)
        one.send(HEAD + LINE * lines + b".\r\n")
        await asyncio.sleep(delay)
        one.stop_sending(end)
        assert (await one.reply()).startswith("250 2.0.0 Ok: queued as 1")
        assert await one.reply() == ""
        assert other.metrics.messages["accepted"] == 1


@pytest.mark.parametrize("end", ["close_notify", "FIN", "close_notify and FIN"])
@pytest.mark.parametrize("way", ["plain", "starttls", "tls"])
@pytest.mark.parametrize("lines", [None, 1, 1000])
async def test_the_connection_of_another_client_ends(
    certificate: Path, way: Way, end: End, lines: int | None
) -> None:
    """A client that stops sending between commands, or in the middle of its message."""
    if way == "plain" and end != "FIN":
        return
    async with connection(way, certificate, ssl.TLSVersion.TLSv1_3) as (one, other):
        if lines is not None:
            await begin(one)
            one.send(HEAD + LINE * lines)
        one.stop_sending(end)
        assert await one.reply() == ""
        one.writer.close()
        async with asyncio.timeout(2):
            while other.metrics.open_connections > 1:
                await asyncio.sleep(0.01)
        assert other.metrics.memory_bytes == 0
        assert sum(other.metrics.messages.values()) == 0


async def test_what_a_client_sends_after_the_end_is_not_read(certificate: Path) -> None:
    async with connection("tls", certificate, ssl.TLSVersion.TLSv1_3) as (one, _):
        await begin(one)
        one.send(HEAD + LINE + b".\r\n")
        await asyncio.sleep(0.1)
        one.stop_sending("close_notify")
        one.writer.write(bytes(50_000_000))
        assert (await one.reply()).startswith("250 2.0.0 ")
        transport = one.writer.transport
        assert transport.get_write_buffer_size() > 30_000_000
        transport.abort()


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> list[TlsLayer]:
    """The TLS layers of all connections, as soon as they exist."""
    found: list[TlsLayer] = []
    made = TlsLayer.__init__

    def note(self: TlsLayer, *args: Any) -> None:
        found.append(self)
        made(self, *args)

    monkeypatch.setattr(TlsLayer, "__init__", note)
    return found


@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_a_client_that_sends_more_than_the_relay_reads(
    certificate: Path, way: Way, layers: list[TlsLayer]
) -> None:
    async with connection(way, certificate, ssl.TLSVersion.TLSv1_3) as (one, _):
        await begin(one)
        one.send(HEAD + LINE + b".\r\n" + b"x" * 3_000_000)
        await asyncio.sleep(0.15)  # the API has not responded yet
        (layer,) = layers
        unread = layer._incoming.pending + len(buffer_of(layer.session.reader))
        assert 200_000 < unread < 350_000
        one.writer.transport.abort()


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("way", ["starttls", "tls"])
async def test_the_memory_for_tls_is_free_when_a_client_goes(
    certificate: Path, way: Way, layers: list[TlsLayer]
) -> None:
    """Also before the next garbage collection, which may be late."""
    async with connection(way, certificate, ssl.TLSVersion.TLSv1_3) as (one, other):
        (layer,) = layers
        tls = weakref.ref(layer._sslobj)
        one.writer.transport.abort()
        async with asyncio.timeout(5):
            while other.metrics.open_connections > 1:
                await asyncio.sleep(0.01)
        assert tls() is None
