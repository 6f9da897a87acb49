"""One SMTP connection: aiosmtpd's protocol, made stricter where clients may be hostile.

Beyond aiosmtpd it counts connections, asks the API who a client is, gives every reply its enhanced
status code (RFC 2034), and says why before it hangs up.
"""

import asyncio
import re
import secrets
from base64 import b64decode
from collections import defaultdict
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, AuthResult, syntax

from smtp_relay import replies
from smtp_relay.data import TooLong, read_mail
from smtp_relay.logins import BAD, LoginRefused
from smtp_relay.settings import is_loopback

if TYPE_CHECKING:
    from smtp_relay.relay import Relay

_COMMAND_BYTES = 2048
_AUTH_BYTES = 12_288  # RFC 4954, section 4
_READ_BYTES = 64 * 1024
# A route before the address is obsolete, and to be ignored; brackets are left out by old programs.
_PATH = re.compile(
    r"(?:<(?:@[^:<> ]*:)?(?P<bracketed>[^<>]*)>|(?P<bare>[^<> ]+))(?P<rest>(?: .*)?)"
)
_MAIL = re.compile(r"(?P<path>FROM: ?(?:<[^>]*>|[^ ]*))(?P<parameters>.*)", re.I | re.S)
# After the last reply a client has so long to take it.
FAREWELL_SECONDS = 5.0

_LAST_EXTENSION = "250 HELP"


class Conversation(SMTP):
    """One connection. ``id`` names it in the log, ``client`` is the address of the other end.

    ``is_answering`` while a mail is complete and its reply is not sent; ``farewell`` is the reply
    with which the connection ends as soon as no mail is under way.
    """

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, relay: "Relay", *, is_tls: bool) -> None:
        """Wait for a connection; ``is_tls`` where TLS comes before SMTP."""
        self.relay = relay
        self.id = secrets.token_hex(4)
        self.client = ""
        self.farewell: str | None = None
        self.is_answering = False
        self._connection: asyncio.BaseTransport | None = None  # beneath TLS
        self._is_heard_out = False  # nothing more will come from the client
        self.line_length_limit = _READ_BYTES
        certificate = relay.certificate
        super().__init__(
            relay.handler,
            data_size_limit=relay.settings.smtp_max_bytes,
            enable_SMTPUTF8=True,
            hostname=relay.settings.smtp_hostname,
            ident="ESMTP send-mail-smtp",
            tls_context=certificate.context if certificate and not is_tls else None,
            timeout=relay.settings.smtp_idle_seconds,
            auth_required=True,
            loop=asyncio.get_running_loop(),
        )
        # aiosmtpd shares one table among all connections, and grows it.
        self.command_size_limits = defaultdict(lambda: _COMMAND_BYTES, {"AUTH": _AUTH_BYTES})
        self._is_tls = is_tls

    # The connection

    def enter(self, connection: asyncio.BaseTransport) -> str | None:
        """Be counted, or return the reply with which the connection is refused."""
        peer = connection.get_extra_info("peername")
        self.client = peer[0] if peer else ""
        self._connection = connection
        return self.relay.enter(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or go on after STARTTLS."""
        here = transport.get_extra_info("sockname")
        is_safe = self._is_tls or bool(here and is_loopback(here[0]))
        self._auth_require_tls = not (is_safe or self.relay.settings.smtp_allow_plain_auth)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self.relay.left(self)
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """End the conversation; but who has only stopped sending still gets the reply to a mail."""
        if self.is_answering and not self._is_tls and self._tls_protocol is None:
            self._is_heard_out = True
            return True
        return super().eof_received()

    async def _handle_client(self) -> None:
        assert self.transport is not None
        # With TLS it has entered before its handshake.
        refusal = None if self._is_tls else self.enter(self.transport)
        if refusal:
            await self.push(refusal)
            self.hang_up()
            return
        await super()._handle_client()

    def _timeout_cb(self) -> None:
        self.say_goodbye(replies.IDLE)

    @property
    def in_transaction(self) -> bool:
        """Whether a client has begun a mail that has no answer yet."""
        return self.envelope is not None and self.envelope.mail_from is not None

    def say_goodbye(self, reply: str) -> None:
        """Send a last reply and hang up, whatever the client is doing."""
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.write(replies.line(reply).encode() + b"\r\n")
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection; one who does not read on loses it in a few seconds."""
        transport = self.transport or self._connection
        if isinstance(transport, asyncio.WriteTransport):
            transport.close()
            self.loop.call_later(FAREWELL_SECONDS, transport.abort)

    def _set_post_data_state(self) -> None:
        """End a transaction, by whatever command; and then the connection, if it is to end."""
        self.envelope = self._create_envelope()
        if self.farewell:
            self.loop.call_soon(self.say_goodbye, self.farewell)  # after the command's reply

    async def push(self, status: str | bytes) -> None:
        """Send one reply line: printable ASCII, with an enhanced code except where none belongs."""
        text = status.decode("utf-8", "replace") if isinstance(status, bytes) else status
        if text not in (_LAST_EXTENSION, f"250 {self.hostname}"):
            text = replies.complete(text)
        await super().push(replies.line(text))

    # Commands

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str) -> None:
        """STARTTLS (RFC 3207), once."""
        if self._tls_protocol is not None or self._is_tls:
            await self.push("503 5.5.1 TLS is on already")
            return
        await super().smtp_STARTTLS(arg)

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:
        """AUTH (RFC 4954)."""
        if self.relay.failures.is_over(self.client):
            self.say_goodbye(replies.TOO_MANY_FAILURES)
            return
        if self.in_transaction:
            await self.push("503 5.5.1 Not within a mail")
            return
        mechanism, space, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(mechanism.upper() + space + rest)

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:
        """MAIL, without the AUTH parameter of RFC 4954, which says nothing that counts here."""
        match = _MAIL.fullmatch(arg or "")
        if match:
            words = match["parameters"].split(" ")
            # aiosmtpd takes the digits of every script for those of a number.
            if any(word[:5].upper() == "SIZE=" and not word.isascii() for word in words):
                await self.push("501 5.5.4 SIZE must be a whole number")
                return
            arg = match["path"] + " ".join(word for word in words if word[:5].upper() != "AUTH=")
        await super().smtp_MAIL(arg)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address in the argument of MAIL or RCPT, and what follows it.

        aiosmtpd asks the parser of header fields, which takes more than a path is (RFC 5321,
        section 4.1.2), and long. What may stand before the at sign is checked later.
        """
        match = _PATH.fullmatch(arg)
        if match is None:
            return None, None
        return match["bracketed"] or match["bare"] or "<>", match["rest"]

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:
        """DATA, and the mail."""
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
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        settings = self.relay.settings
        self._reset_timeout(settings.smtp_data_seconds)
        try:
            envelope.content = await read_mail(
                self._reader,
                max_bytes=settings.smtp_max_bytes,
                max_line_bytes=settings.smtp_max_line_bytes,
            )
            # From here on it is the API that is waited for, and it has a limit of its own.
            assert self._timeout_handle is not None
            self._timeout_handle.cancel()
            self.is_answering = True
            reply = await self._call_handler_hook("DATA")
        except TooLong as refusal:
            reply = str(refusal)
        finally:
            self.is_answering = False
            self._set_post_data_state()
            if self.transport is not None:
                self._reset_timeout()
        await self.push(reply)
        if self._is_heard_out:
            self.hang_up()

    # The mechanisms of AUTH

    async def auth_PLAIN(self, _: object, args: list[str]) -> AuthResult:
        """PLAIN (RFC 4616): everything in one word."""
        given = await self._auth_word(args, "")
        if given is None:
            return AuthResult(success=False, handled=True)
        pieces = given.split(b"\0")
        if len(pieces) != 3:
            await self.push("501 5.5.2 Not of the form authzid NUL user NUL password")
            return AuthResult(success=False, handled=True)
        on_behalf_of, user, password = pieces
        if on_behalf_of not in (b"", user):
            detail = "Nobody can act for somebody else"
            return self._failed(LoginRefused(BAD.format(detail=detail), is_failure=True))
        return await self._log_in(user, password)

    async def auth_LOGIN(self, _: object, args: list[str]) -> AuthResult:
        """LOGIN: the user name, then the password."""
        user = await self._auth_word(args, self.AuthLoginUsernameChallenge)
        if user is None:
            return AuthResult(success=False, handled=True)
        password = await self._auth_word([], self.AuthLoginPasswordChallenge)
        if password is None:
            return AuthResult(success=False, handled=True)
        return await self._log_in(user, password)

    async def _auth_word(self, args: list[str], challenge: str) -> bytes | None:
        """The word that came with the command, or the answer to ``challenge``.

        None where the client was told already what is wrong with it.
        """
        if len(args) > 1:
            try:
                return b64decode(args[1].encode(), validate=True)
            except ValueError:
                await self.push("501 5.5.2 Not base64")
                return None
        try:
            answer = await self.challenge_auth(challenge)
        except ValueError:  # its end is not in sight
            self.say_goodbye(replies.AUTH_ENDLESS)
            return None
        if not isinstance(answer, bytes):
            return None
        if len(answer) > _AUTH_BYTES:
            await self.push(replies.AUTH_TOO_LONG)
            return None
        return answer

    async def _log_in(self, user: bytes, password: bytes) -> AuthResult:
        refusal = login = None
        try:
            login = await self.relay.logins.check(user.decode(), password.decode())
        except UnicodeDecodeError:
            detail = "User name and password must be UTF-8"
            refusal = LoginRefused(BAD.format(detail=detail), is_failure=True)
        except LoginRefused as error:
            refusal = error
        if self.relay.failures.is_over(self.client):
            # It has failed on other connections meanwhile, and is told nothing of this guess.
            self.say_goodbye(replies.TOO_MANY_FAILURES)
            return AuthResult(success=False, handled=True)
        if refusal:
            return self._failed(refusal)
        self.relay.note_login(self, "good", login)
        return AuthResult(success=True, auth_data=login)

    def _failed(self, refusal: LoginRefused) -> AuthResult:
        if refusal.is_failure:
            self.relay.failures.add(self.client)
        self.relay.note_login(self, "bad" if refusal.is_failure else "unavailable", None)
        return AuthResult(success=False, handled=False, message=refusal.reply)
