"""Submission to an SMTP server (RFC 6409): RFC 5321, STARTTLS (RFC 3207) and AUTH (RFC 4954).

Nothing is sent before the final dot, so each failure before it is definite. A connection that
breaks after the dot leaves the outcome unknown. If the server rejects one recipient, nothing is
sent to the others either.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from mail.message import Message
from transport.mime import message_id_of, mime_bytes, needs_smtputf8
from transport.outcome import RESPONSE_SECONDS, Outcome, Reason, Rejected, Sent, Unknown
from transport.routing import SmtpConfig

# The time for everything before the final dot. The rest of RESPONSE_SECONDS is for the response.
_BEFORE_DOT_SECONDS = 15

_MAX_LINE_BYTES = 2048  # RFC 5321 allows 512
_MAX_LINES = 100
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_PATH = re.compile(r"[^\x00-\x20<>\x7f]+")
_AFTER_LINE_END = re.compile(rb"^\.", re.MULTILINE)
_MAX_DETAIL = 300

_MAILBOX_UNAVAILABLE = 450  # to RCPT TO
_LOGIN_REQUIRED = 530
_TOO_LARGE = 552  # to MAIL FROM


class Stream(Protocol):
    """A connection to a server. All methods may raise any exception if the connection breaks."""

    async def read(self, seconds: float) -> bytes:
        """The next bytes; empty if the server has closed the connection.

        :raises TimeoutError: none has arrived in time.
        """
        ...

    async def write(self, content: bytes, seconds: float) -> None:
        """Send ``content``.

        :raises TimeoutError: it could not be sent in time.
        """
        ...

    async def start_tls(self, seconds: float) -> None:
        """Continue with TLS, with the certificate of the host that was connected."""
        ...

    async def close(self) -> None:
        """Close the connection. Raises nothing."""
        ...


class Connect(Protocol):
    """Connects with a server."""

    def __call__(self, config: SmtpConfig, seconds: float) -> Awaitable[Stream]:
        """A connection, with TLS if ``config.security`` is ``tls``.

        :raises Exception: there is none. Nothing was sent.
        """
        ...


class _Reply(NamedTuple):
    """A reply of the server: its code, and the texts of its lines."""

    code: int
    lines: list[str]

    @property
    def kind(self) -> int:
        return self.code // 100


class _Ended(Exception):
    """The submission has ended before the final dot, with this outcome."""

    def __init__(self, outcome: Rejected) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class _NoReply(Exception):
    """The server has closed the connection, or has sent what is no reply."""


class SmtpTransport:
    """Submits one mail to an SMTP server.

    :param key: the id of the message. The Message-ID of the mail has it in each attempt.
    """

    def __init__(
        self, config: SmtpConfig, key: str, connect: Connect, clock: Callable[[], int]
    ) -> None:
        self._config, self._key, self._connect, self._clock = config, key, connect, clock

    async def send(self, message: Message) -> Outcome:
        started = self._clock()
        try:
            stream = await self._connect(self._config, _BEFORE_DOT_SECONDS)
        except Exception as error:
            return _unreachable("SMTP_NO_CONNECTION", type(error).__name__)
        try:
            dialogue = _Dialogue(stream, self._clock, started)
            outcome = await self._submit(dialogue, message)
            await dialogue.take_leave()
        finally:
            await stream.close()
        return outcome

    async def _submit(self, dialogue: "_Dialogue", message: Message) -> Outcome:
        try:
            extensions = await self._introduce(dialogue, message.sender.domain)
            await self._log_in(dialogue, extensions)
            await self._hand_over(dialogue, extensions, message)
        except _Ended as ended:
            return ended.outcome
        except TimeoutError:
            return _unreachable("SMTP_TIMEOUT", "no reply in time")
        except Exception as error:
            return _unreachable("SMTP_CONNECTION_LOST", type(error).__name__)
        dialogue.allow(RESPONSE_SECONDS)
        try:
            reply = await dialogue.ask(b".")
        except Exception as error:
            is_timeout = isinstance(error, TimeoutError)
            return Unknown(cause="timeout" if is_timeout else type(error).__name__)
        if reply.kind == 2:
            return Sent(message_id_of(message, self._key))
        if reply.kind == 3:
            return Unknown(f"SMTP_{reply.code}")
        return _rejected(reply, "content_rejected", "the mail")

    async def _introduce(self, dialogue: "_Dialogue", name: str) -> dict[str, str]:
        """Greet the server, with TLS if the configuration says so; return its extensions."""
        greeting = await dialogue.reply()
        if greeting.kind != 2:
            raise _Ended(_not_now(greeting, "the greeting"))
        extensions = await self._greet(dialogue, name)
        if self._config.security != "starttls":
            return extensions
        if "STARTTLS" not in extensions:
            raise _Ended(_unreachable("SMTP_NO_STARTTLS", "the server does not offer STARTTLS"))
        reply = await dialogue.ask(b"STARTTLS")
        if reply.kind != 2:
            raise _Ended(_not_now(reply, "STARTTLS"))
        await dialogue.start_tls()
        # What the server has said without TLS does not count (RFC 3207, section 4.2).
        return await self._greet(dialogue, name)

    async def _greet(self, dialogue: "_Dialogue", name: str) -> dict[str, str]:
        reply = await dialogue.ask(f"EHLO {name}".encode())
        if reply.kind == 2:
            words = (line.upper().partition(" ") for line in reply.lines[1:])
            return {keyword: values for keyword, _, values in words}
        if reply.kind == 5:
            reply = await dialogue.ask(f"HELO {name}".encode())
        if reply.kind != 2:
            raise _Ended(_not_now(reply, "EHLO"))
        return {}

    async def _log_in(self, dialogue: "_Dialogue", extensions: dict[str, str]) -> None:
        config = self._config
        if config.username is None or config.password is None:
            return
        offered = extensions.get("AUTH", "").lower().split()
        mechanism = next((one for one in config.auth if one in offered), None)
        if mechanism is None:
            detail = f"the server does not offer {' or '.join(config.auth).upper()}"
            raise _Ended(_login_rejected("SMTP_NO_AUTH", detail))
        name, password = config.username.encode(), config.password.encode()
        if mechanism == "plain":
            reply = await dialogue.ask(
                b"AUTH PLAIN " + base64.b64encode(b"\0%b\0%b" % (name, password))
            )
        else:
            reply = await dialogue.ask(b"AUTH LOGIN")
            for response in (name, password):
                if reply.kind == 3:
                    reply = await dialogue.ask(base64.b64encode(response))
        if reply.kind == 4:
            raise _Ended(_not_now(reply, "AUTH"))
        if reply.kind != 2:
            raise _Ended(_login_rejected(f"SMTP_{reply.code}", _quote(reply, "AUTH")))

    async def _hand_over(
        self, dialogue: "_Dialogue", extensions: dict[str, str], message: Message
    ) -> None:
        """Send the envelope and the mail, without the final dot."""
        is_utf8 = needs_smtputf8(message)
        if is_utf8 and "SMTPUTF8" not in extensions:
            raise _Ended(Rejected("recipient_rejected", "SMTP_NO_SMTPUTF8"))
        eight_bit = "8BITMIME" in extensions
        message_id = message_id_of(message, self._key)
        mail = mime_bytes(message, message_id=message_id, date=self._clock(), eight_bit=eight_bit)
        options = ""
        if "SIZE" in extensions:
            most = extensions["SIZE"].strip()
            if most.isascii() and most.isdigit() and 0 < int(most[:19]) < len(mail):
                raise _Ended(Rejected("content_rejected", "SMTP_TOO_LARGE"))
            options += f" SIZE={len(mail)}"
        if eight_bit:
            options += " BODY=8BITMIME"
        if is_utf8:
            options += " SMTPUTF8"
        reply = await dialogue.ask(f"MAIL FROM:<{_path(str(message.sender))}>{options}".encode())
        if reply.kind != 2:
            is_size = reply.code == _TOO_LARGE
            reason: Reason = "content_rejected" if is_size else "sender_not_allowed"
            raise _Ended(_rejected(reply, reason, "MAIL FROM"))
        # All recipients are asked, because a permanent rejection counts more than a transient one,
        # and one that concerns the recipient more than one that concerns the server.
        bad: list[_Reply] = []
        for address in dict.fromkeys(str(one.address) for one in message.recipients):
            reply = await dialogue.ask(f"RCPT TO:<{_path(address)}>".encode())
            if reply.kind != 2:
                bad.append(reply)
        if bad:
            worst = max(bad, key=lambda one: (one.kind, one.code == _MAILBOX_UNAVAILABLE))
            if worst.code == _MAILBOX_UNAVAILABLE:
                raise _Ended(_later(worst, "recipient_rejected", "RCPT TO"))
            raise _Ended(_rejected(worst, "recipient_rejected", "RCPT TO"))
        reply = await dialogue.ask(b"DATA")
        if reply.kind != 3:
            raise _Ended(_rejected(reply, "content_rejected", "DATA"))
        await dialogue.write(_AFTER_LINE_END.sub(b"..", mail))


class _Dialogue:
    """Commands and replies on a stream, until a deadline."""

    def __init__(self, stream: Stream, clock: Callable[[], int], started: int) -> None:
        self._stream, self._clock, self._started = stream, clock, started
        self._received = b""
        self.allow(_BEFORE_DOT_SECONDS)

    def allow(self, seconds: float) -> None:
        """Let the dialogue last for ``seconds`` from its start."""
        self._until = self._started + int(seconds * 1000)

    async def ask(self, command: bytes) -> _Reply:
        """Send a command; return the reply.

        :raises Exception: the connection broke, or there was no reply in time.
        """
        await self.write(command + b"\r\n")
        return await self.reply()

    async def write(self, content: bytes) -> None:
        self._check_silence()
        await self._stream.write(content, self._seconds())

    async def reply(self) -> _Reply:
        lines: list[str] = []
        for _ in range(_MAX_LINES):
            match = _LINE.fullmatch(await self._line())
            if match is None:
                raise _NoReply("what the server sends is no reply")
            code, more, text = match.groups()
            lines.append((text or b"").decode("utf-8", "replace"))
            if more != b"-":
                return _Reply(int(code), lines)
        raise _NoReply("the reply is too long")

    async def start_tls(self) -> None:
        self._check_silence()  # what was sent before TLS may be by another than the server
        await self._stream.start_tls(self._seconds())

    def _check_silence(self) -> None:
        """Raise if the server has sent more than replies, so that each reply is to its command."""
        if self._received:
            raise _NoReply("the server sent more than a reply")

    async def take_leave(self) -> None:
        """Send QUIT, and do not wait for the reply."""
        try:
            await self._stream.write(b"QUIT\r\n", 1)
        except Exception:  # the outcome is known, and the connection ends
            return

    async def _line(self) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > _MAX_LINE_BYTES:
                raise _NoReply("a line of the reply is too long")
            more = await self._stream.read(self._seconds())
            if not more:
                raise _NoReply("the server closed the connection")
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return line.removesuffix(b"\r")

    def _seconds(self) -> float:
        left = (self._until - self._clock()) / 1000
        if left <= 0:
            raise TimeoutError
        return left


def _path(address: str) -> str:
    if _PATH.fullmatch(address) is None:  # compose lets no such address through
        raise ValueError("an address can't be written into a command")
    return address


def _rejected(reply: _Reply, reason: Reason, at: str) -> Rejected:
    """The outcome if the server rejects the sender, a recipient or the mail.

    The text of the reply is left out, because it may quote the mail.
    """
    if reply.kind == 4:
        return _later(reply, "throttled", at)
    if reply.code == _LOGIN_REQUIRED:
        return _login_rejected(f"SMTP_{reply.code}", f"at {at}")
    return Rejected(reason, f"SMTP_{reply.code}", detail=f"at {at}")


def _later(reply: _Reply, reason: Reason, at: str) -> Rejected:
    return Rejected(reason, f"SMTP_{reply.code}", transient=True, detail=f"at {at}")


def _login_rejected(provider_code: str, detail: str) -> Rejected:
    # An administrator can end this without a change of the mail.
    return Rejected("credentials_rejected", provider_code, transient=True, detail=detail)


def _not_now(reply: _Reply, at: str) -> Rejected:
    return Rejected("unreachable", f"SMTP_{reply.code}", transient=True, detail=_quote(reply, at))


def _unreachable(provider_code: str, detail: str) -> Rejected:
    return Rejected("unreachable", provider_code, transient=True, detail=detail)


def _quote(reply: _Reply, at: str) -> str:
    text = " ".join(reply.lines)
    return f"at {at}: {reply.code} {text}"[:_MAX_DETAIL]
