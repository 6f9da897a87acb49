"""A relay in the test's own process, with an API that the test controls."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from smtp_relay.api import Api
from smtp_relay.api_response import ApiResponse
from smtp_relay.metrics import Histogram, Metrics
from smtp_relay.relay import Relay
from smtp_relay.settings import Settings, read_settings
from tests.smtp.relay import HOST, plain_word
from tools.local_server import free_port

_START_SECONDS = 10
Send = Callable[[], Awaitable[ApiResponse]]
CLAIMS = base64.urlsafe_b64encode(json.dumps({"address": "sender@example.com"}).encode()).decode()


class ObedientApi(Api):
    """Accepts every credential; for each message it returns the result of ``send``."""

    def __init__(self, settings: Settings, send: Send) -> None:
        super().__init__(settings, Histogram())
        self._send = send

    async def health(self) -> ApiResponse:
        return ApiResponse(200)

    async def check_credential(self, credential: str) -> ApiResponse:
        return ApiResponse(200, {"success": True})

    async def send_mail(
        self, credential: str, body: bytes, key: str | None, *, user: str
    ) -> ApiResponse:
        return await self._send()


@dataclass
class Client:
    """One connection to a relay, logged in."""

    metrics: Metrics
    stop: asyncio.Event
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        """The next reply (its last line), or an empty string after the connection has ended."""
        async with asyncio.timeout(10):
            while (line := (await self.reader.readline()).decode())[3:4] == "-":
                pass
        return line.removesuffix("\r\n")

    async def ask(self, command: str) -> str:
        self.writer.write(command.encode() + b"\r\n")
        return await self.reply()

    async def log_in(self) -> None:
        await self.reply()
        await self.ask("EHLO test")
        assert (await self.ask(f"AUTH PLAIN {plain_word('jwt', f'a.{CLAIMS}.b')}"))[:3] == "235"

    @contextlib.asynccontextmanager
    async def another(self) -> AsyncIterator["Client"]:
        """A second connection to the same relay."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        other = Client(self.metrics, self.stop, self.port, reader, writer)
        await other.log_in()
        try:
            yield other
        finally:
            writer.close()

    async def send(self, *fields: str) -> str:
        """Send a message with these header fields; return the reply."""
        assert (await self.ask("MAIL FROM:<>")).startswith("250 ")
        assert (await self.ask("RCPT TO:<recipient@example.net>")).startswith("250 ")
        assert (await self.ask("DATA")).startswith("354 ")
        return await self.ask("\r\n".join([*fields, "Subject: A subject", "", "text", "."]))


@contextlib.asynccontextmanager
async def client(send: Send, **variables: str) -> AsyncIterator[Client]:
    """A client of a relay with the settings ``variables``. ``send`` stands for the API."""
    port = free_port()
    settings = read_settings({"SMTP_PORT": str(port), "STATUS_PORT": "off", **variables})
    metrics = Metrics()
    relay = Relay(settings, ObedientApi(settings, send), metrics)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    reader, writer = await connect(port)
    client = Client(metrics, stop, port, reader, writer)
    await client.log_in()
    try:
        yield client
    finally:
        writer.close()
        stop.set()
        await running


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to ``port``, as soon as the relay listens on it."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                return await asyncio.open_connection(HOST, port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
