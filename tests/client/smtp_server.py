"""An SMTP server for tests of ``SmtpTransport``: it replies to each command with given replies."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

CUT = b"cut"  # close the connection instead of a reply
HANG = b"hang"  # no reply

USUAL: dict[str, bytes] = {
    "greeting": b"220 mail.example.net ready\r\n",
    "EHLO": b"250-mail.example.net\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n",
    "HELO": b"250 mail.example.net\r\n",
    "STARTTLS": b"220 go ahead\r\n",
    "AUTH": b"235 welcome\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "DATA": b"354 go ahead\r\n",
    ".": b"250 2.0.0 queued\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass
class ScriptedServer:
    """``replies`` maps the first word of a command to its reply, ``greeting`` and ``.`` too.

    A list of replies is used one by one. ``commands`` has all lines of commands, ``mails`` has the
    contents that were ended by a dot.
    """

    replies: dict[str, bytes | list[bytes]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    port: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    cuts_mail: bool = False

    def _reply(self, to: str) -> bytes:
        reply = self.replies.get(to, USUAL.get(to, b"502 unknown\r\n"))
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = "greeting"
        while True:
            reply = self._reply(to)
            if reply is CUT:
                return
            if reply is HANG:
                await reader.read()
                return
            writer.write(reply)
            await writer.drain()
            if to == "QUIT":
                return
            if to == "STARTTLS" and reply.startswith(b"220"):
                await writer.start_tls(self.tls)  # type: ignore[arg-type]
            if to == "DATA" and reply.startswith(b"354"):
                if self.cuts_mail:
                    await reader.readexactly(10)
                    return
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                to = "."
                continue
            line = (await reader.readuntil(b"\r\n")).decode().removesuffix("\r\n")
            self.commands.append(line)
            to = line.partition(" ")[0] if not reply.startswith(b"334") else "AUTH"


@contextlib.asynccontextmanager
async def running(server: ScriptedServer, *, tls: bool = False) -> AsyncIterator[int]:
    """Run the server; yield its port. ``tls`` means TLS from the first byte."""
    listener = await asyncio.start_server(
        server.serve, "localhost", 0, ssl=server.tls if tls else None, limit=2**26
    )
    async with listener:
        yield listener.sockets[0].getsockname()[1]


def words(commands: Iterable[str]) -> list[str]:
    """The first word of each command."""
    return [command.partition(" ")[0] for command in commands]
