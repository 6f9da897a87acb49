"""One SMTP session: aiosmtpd's protocol with stricter limits for hostile clients.

Unlike aiosmtpd it limits the number of connections, gives every reply an enhanced status code
(RFC 2034), and sends a 421 with the reason before it closes a connection.
"""

import asyncio
import re
import secrets
import socket
import ssl
from collections import defaultdict
from dataclasses import dataclass

from aiosmtpd.smtp import Envelope, syntax

from smtp_relay import replies
from smtp_relay.aiosmtpd_private import ExtensibleSMTP, buffer_of, discard
from smtp_relay.auth import Login
from smtp_relay.data import MessageRejected, read_mail
from smtp_relay.login_failures import LoginFailures
from smtp_relay.memory import MessageMemory, Reservation
from smtp_relay.network import is_loopback
from smtp_relay.session_registry import SessionRegistry
from smtp_relay.settings import Settings
from smtp_relay.submission import Submission

# A message must arrive in steps of 64 KiB, each within this part of SMTP_DATA_SECONDS.
_STEPS = 10
# How long a client has to read the last reply before the connection is aborted.
FAREWELL_SECONDS = 5.0
MAX_AUTH_BYTES = 12_288  # RFC 4954, section 4

# A client can send thousands of commands at once. After this many lines of replies, other sessions
# have a turn. Not after each line: a client may stop sending early, and gets these replies.
_LINES_PER_TURN = 50

_MAX_COMMAND_BYTES = 2048
_READ_BYTES = 64 * 1024
# A source route before the address is obsolete and ignored. Old programs omit the brackets.
_PATH = re.compile(
    r"(?:<(?:@[^:<> ]*+:)?(?P<bracketed>[^<>]*+)>|(?P<bare>[^<> ]++))(?P<rest>(?: .*+)?)"
)
_ARGUMENT = re.compile(
    r"(?P<path>(?:FROM|TO): ?(?:<[^>]*+>|[^ ]*+))(?P<parameters>.*+)", re.I | re.S
)
# Some programs send these without having seen the extension in the reply to EHLO. AUTH names who
# wrote the message (RFC 4954, section 5). The others request delivery reports (RFC 3461), which the
# provider does not send.
_IGNORED = re.compile(r"(?:AUTH|RET|ENVID|NOTIFY|ORCPT)=.*+", re.I | re.S)
_IGNORED_IF_STRICT = re.compile(r"AUTH=.*+", re.I | re.S)
# aiosmtpd accepts any number of digits, of every script. Python can't convert all of these.
_SIZE = re.compile(r"SIZE=[0-9]{0,1000}+")

_LAST_EXTENSION = "250 HELP"


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What all sessions of a relay share.

    aiosmtpd finds the hooks of ``handler`` by name. ``tls_context`` is for STARTTLS and implicit
    TLS. Without a certificate it is None.
    """

    settings: Settings
    handler: object
    registry: SessionRegistry
    failures: LoginFailures
    memory: MessageMemory
    tls_context: ssl.SSLContext | None


class SmtpSession(ExtensibleSMTP):
    """One connection. ``id`` identifies it in the log, ``client`` is the client's IP address.

    ``failures`` has the failed logins of all clients. ``memory`` limits the memory for the messages
    of all sessions. ``is_submitting`` is true from the end of a message until its reply is ready.
    ``farewell`` is None or the last reply. If it is set, the session ends as soon as no transaction
    is open.
    """

    def __init__(self, context: SessionContext, *, is_tls: bool) -> None:
        """Prepare for a connection. ``is_tls``: TLS starts before SMTP (implicit TLS)."""
        settings = context.settings
        self.id = secrets.token_hex(4)
        self.client = ""
        self.farewell: str | None = None
        self.is_submitting = False
        self._has_submission = False
        self._is_lost = False
        self._settings = settings
        self._registry = context.registry
        self.failures = context.failures
        self.memory = context.memory
        self._is_tls = is_tls
        self._connection: asyncio.BaseTransport | None = None  # the transport below TLS
        self._has_stopped_sending = False
        self._lines_in_turn = 0
        self.line_length_limit = _READ_BYTES
        super().__init__(
            context.handler,
            data_size_limit=settings.smtp_max_bytes,
            enable_SMTPUTF8=True,
            hostname=settings.smtp_hostname or socket.gethostname(),
            ident="ESMTP send-mail-smtp",
            tls_context=None if is_tls else context.tls_context,
            timeout=settings.smtp_idle_seconds,
            auth_required=True,
            loop=asyncio.get_running_loop(),
        )
        # aiosmtpd shares one table among all connections, and every EHLO increases its limits.
        self.command_size_limits = defaultdict(lambda: _MAX_COMMAND_BYTES, {"AUTH": MAX_AUTH_BYTES})

    # The connection

    def enter(self, connection: asyncio.BaseTransport) -> str | None:
        """Register the connection and return None, or return the reply that rejects it."""
        peer = connection.get_extra_info("peername")
        self.client = peer[0] if peer else ""
        self._connection = connection
        return self._registry.enter(self)

    def leave(self) -> None:
        """Remove the connection from the registry, but not before the end of its submission.

        Otherwise a client that disconnects after each message could have any number of them.
        """
        self._is_lost = True
        if not self._has_submission:
            self._registry.leave(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the session, or continue it after STARTTLS."""
        is_new = self.transport is None
        # With implicit TLS the connection was registered before the handshake.
        rejection = self.enter(transport) if is_new and not self._is_tls else None
        if rejection:
            self._reject(transport, rejection)
            return
        here = transport.get_extra_info("sockname")
        is_safe = self._is_tls or bool(here and is_loopback(here[0]))
        self.require_tls_for_auth(not (is_safe or self._settings.smtp_allow_plain_auth))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Remove the connection from the registry, and end the session."""
        self.leave()
        super().connection_lost(error)
        discard(self.reader)

    def eof_received(self) -> bool | None:
        """End the session when the client stops sending.

        A client that waits for the reply to its message gets this reply first. In this case the
        result is True, which keeps the connection open. With TLS, ``TlsLayer`` keeps it open.
        """
        if self.owes_reply:
            self._has_stopped_sending = True
            return not self.is_encrypted
        return super().eof_received()

    @property
    def owes_reply(self) -> bool:
        """Whether the client waits for the reply to its message."""
        return self.is_submitting

    def timed_out(self) -> None:
        """Tell an idle client why the connection ends."""
        self.say_goodbye(replies.IDLE)

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection uses TLS, from its first byte or since STARTTLS."""
        return self._is_tls or (self.session is not None and self.session.ssl is not None)

    def login(self) -> Login:
        """The login of the client. Every command of a transaction requires a login."""
        login: object = self.session.auth_data if self.session else None
        assert isinstance(login, Login)
        return login

    @property
    def in_transaction(self) -> bool:
        """Whether the client has begun a message that has no reply yet."""
        return self.envelope is not None and self.envelope.mail_from is not None

    def say_goodbye(self, reply: str) -> None:
        """Send a last reply and close the connection, in any state of the session."""
        self.farewell = reply  # rejects messages that the client has pipelined
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.write(replies.line(reply).encode() + b"\r\n")
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, and abort it if the client does not read the last reply."""
        transport = self.transport or self._connection
        if isinstance(transport, asyncio.WriteTransport):
            transport.close()
            self.loop.call_later(FAREWELL_SECONDS, transport.abort)

    async def push(self, status: str | bytes) -> None:
        """Send one line of a reply, as printable ASCII and with an enhanced status code."""
        text = status.decode("utf-8", "replace") if isinstance(status, bytes) else status
        # The lines of the reply to EHLO, and the reply to HELO, have no enhanced code (RFC 2034).
        if text not in (_LAST_EXTENSION, f"250 {self.hostname}"):
            text = replies.complete(text)
        await super().push(replies.line(text))
        is_last_line = text[3:4] == " "
        if self.farewell and is_last_line and not self.in_transaction:
            self.say_goodbye(self.farewell)
        has_more_to_do = bool(buffer_of(self.reader))
        self._lines_in_turn = self._lines_in_turn + 1 if has_more_to_do else 0
        if self._lines_in_turn == _LINES_PER_TURN:
            self._lines_in_turn = 0
            await asyncio.sleep(0)

    def _reject(self, transport: asyncio.BaseTransport, reply: str) -> None:
        transport.set_protocol(asyncio.Protocol())  # ignores what the client sends
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(replies.line(reply).encode() + b"\r\n")
        self.hang_up()

    # Commands

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str) -> None:
        """STARTTLS (RFC 3207). Rejected if TLS is already active."""
        if self.is_encrypted:
            await self.push("503 5.5.1 TLS is already active")
        elif arg or not self.tls_context:
            await super().smtp_STARTTLS(arg)  # rejects it
        else:
            await self.push("220 2.0.0 Ready to start TLS")
            await self.start_tls(self.tls_context)

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:
        """AUTH (RFC 4954). Rejected in a transaction. ``AuthMechanisms`` counts failed logins."""
        if self.in_transaction:
            await self.push("503 5.5.1 AUTH is not allowed during a mail transaction")
            return
        # aiosmtpd fails if the argument consists of blanks that are not ASCII.
        mechanism, space, rest = (arg or "").strip().partition(" ")
        await super().smtp_AUTH(mechanism.upper() + space + rest)

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:
        """MAIL. The SIZE parameter must be a number."""
        match = _ARGUMENT.fullmatch(arg or "")
        if match:
            options = match["parameters"].upper().split()
            sizes = [option for option in options if option.startswith("SIZE=")]
            if not all(map(_SIZE.fullmatch, sizes)):
                await self.push("501 5.5.4 SIZE must be a whole number")
                return
        await super().smtp_MAIL(self._without_ignored(arg))

    @syntax("RCPT TO: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:
        """RCPT. Ignores the parameters of delivery reports."""
        await super().smtp_RCPT(self._without_ignored(arg))

    def _without_ignored(self, arg: str | None) -> str | None:
        """The argument of MAIL or RCPT without the parameters that the relay ignores."""
        match = _ARGUMENT.fullmatch(arg or "")
        if match is None:
            return arg
        ignored = _IGNORED_IF_STRICT if self._settings.smtp_strict else _IGNORED
        words = match["parameters"].split(" ")
        return match["path"] + " ".join(word for word in words if not ignored.fullmatch(word))

    def parse_path(self, argument: str) -> tuple[str | None, str | None]:
        """The address in the argument of MAIL or RCPT, and the parameters that follow it.

        Both are None if ``argument`` is malformed. The empty path is returned as ``<>``. The
        address is not checked here: ``handle_RCPT`` checks it, and ``handle_MAIL`` does not use it.
        """
        match = _PATH.fullmatch(argument)
        if match is None:
            return None, None
        return match["bracketed"] or match["bare"] or "<>", match["rest"]

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:
        """DATA: receive a message, submit it and send the reply."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        envelope = self.envelope
        if envelope is None or envelope.mail_from is None:
            await self.push("503 Error: need MAIL command")
            return
        if not envelope.rcpt_tos:
            await self.push(replies.NO_RECIPIENTS)
            return
        user = self.login().address
        if not self.memory.has_room(user, declared_size(envelope.mail_options)):
            await self.push(replies.NO_MEMORY)
            return
        try:
            reply = await self._receive(envelope, self.memory.reserve(user))
        except MessageRejected as rejection:
            reply = str(rejection)
        finally:
            self.is_submitting = False
            self.envelope = Envelope()
            if self.transport is not None:
                self.start_timer()
        await self.push(reply)
        if self._has_stopped_sending:
            self.hang_up()

    async def _receive(self, envelope: Envelope, reservation: Reservation) -> str:
        """Read a message and submit it. Return the reply.

        :raises MessageRejected: the message is too long, or there is no memory for it.
        """
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            content = await self._read(reservation)
        except BaseException:
            reservation.release()
            raise
        self.stop_timer()  # the call of the API has its own timeout
        self.is_submitting = True
        self._has_submission = True
        submission = Submission(
            content,
            envelope.rcpt_tos,
            self.login(),
            reservation,
            self._end_submission,
            self.id,
            self.client,
        )
        del content  # so that only the submission keeps it, and can free it early
        try:
            reply: str = await self.event_handler.submit(self, submission)
        except Exception:
            reservation.release()  # if the submission has begun, the Submitter does both too
            self._end_submission()
            raise
        return reply

    async def _read(self, reservation: Reservation) -> bytes:
        deadline = self.loop.time() + self._settings.smtp_data_seconds

        def wait_for_step() -> None:
            step = self._settings.smtp_data_seconds / _STEPS
            self.start_timer(min(step, deadline - self.loop.time()))

        wait_for_step()
        return await read_mail(
            self.reader,
            max_bytes=self._settings.smtp_max_bytes,
            reservation=reservation,
            on_progress=wait_for_step,
        )

    def _end_submission(self) -> None:
        if self._has_submission:
            self._has_submission = False
            if self._is_lost:
                self.leave()


def declared_size(mail_options: list[str]) -> int:
    """The size in bytes that the client has declared in MAIL (RFC 1870). 0 if it declared none."""
    sizes = [option[5:] for option in mail_options if option[:5].upper() == "SIZE="]
    return int(sizes[-1]) if sizes and sizes[-1] else 0
