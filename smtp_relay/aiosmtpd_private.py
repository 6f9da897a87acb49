"""Every private member of aiosmtpd and asyncio that the relay needs, behind public names.

aiosmtpd 1.4.6 is pinned. Before an upgrade, compare the members below with the new source. Each of
them is used because there is no public hook for its purpose:

- ``_getaddr`` parses the path of MAIL and RCPT. aiosmtpd uses its parser for header fields, which
  accepts more than a path (RFC 5321, section 4.1.2) and takes quadratic time on hostile input.
- ``_timeout_cb`` closes an idle connection without a reply. The relay first sends a 421.
- ``_reset_timeout`` and ``_timeout_handle`` are the idle timer. The relay sets another timeout
  during DATA, and none while the API processes a message.
- ``_auth_require_tls`` is fixed when a connection is created. Whether a client may log in without
  TLS depends on the local address that it connects to.
- ``_reader`` is the stream of the connection, from which ``smtp_DATA`` reads a message.
- ``StreamReader._buffer`` holds the received bytes. ``unread`` inserts bytes before them.
  ``discard`` drops them, because a closed session stays in memory until the next garbage
  collection.
- ``_tls_protocol``, ``_original_transport`` and ``_app_transport`` connect the TLS layer after
  STARTTLS. aiosmtpd creates asyncio's own TLS layer there, and has no hook for another one.
- ``_call_eof_received`` and ``_start_shutdown`` end a TLS connection as soon as the client has sent
  its last byte: the session would lose what it has not read yet, and the client the reply to its
  message. ``TlsLayer`` calls them later. For this it also needs ``_state``, ``_eof_received``,
  ``_app_reading_paused``, ``_transport`` and ``_loop``.
- ``_ssl_buffer``, ``_ssl_buffer_view``, ``_incoming``, ``_sslobj`` and ``_extra`` are the memory of
  a TLS connection. ``TlsLayer`` drops it for the same reason as ``discard``.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol, SSLProtocolState

from aiosmtpd.smtp import SMTP, TLSSetupException

_HANDSHAKE_SECONDS = 15
_SHUTDOWN_SECONDS = 5
_POLL_SECONDS = 0.01


class ExtensibleSMTP(SMTP):
    """aiosmtpd's protocol, with the hooks that it lacks."""

    def parse_path(self, argument: str) -> tuple[str | None, str | None]:
        """Return the address in the argument of MAIL or RCPT, and the parameters that follow it.

        The address is None if ``argument`` is malformed.
        """
        raise NotImplementedError

    def timed_out(self) -> None:
        """Handle a client that was idle for too long."""
        raise NotImplementedError

    @property
    def owes_reply(self) -> bool:
        """Whether the client gets a reply even after it has stopped sending."""
        raise NotImplementedError

    @property
    def reader(self) -> asyncio.StreamReader:
        """The stream of bytes from the client."""
        return self._reader

    def require_tls_for_auth(self, is_required: bool) -> None:
        """Offer AUTH only after STARTTLS if ``is_required``, otherwise from the start."""
        self._auth_require_tls = is_required

    def start_timer(self, seconds: float | None = None) -> None:
        """Restart the idle timer with ``seconds``, or by default with the usual timeout."""
        self._reset_timeout(seconds)

    def stop_timer(self) -> None:
        """Stop the idle timer until the next ``start_timer``."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Start TLS on the connection, and wait for the handshake.

        :raises TLSSetupException: the handshake fails.
        """
        assert self.transport is not None
        handshake: asyncio.Future[None] = self.loop.create_future()
        self._original_transport = self.transport
        self._tls_protocol = TlsLayer(self, context, handshake)
        self._original_transport.set_protocol(self._tls_protocol)
        self.transport = self._tls_protocol.session_transport
        self._tls_protocol.connection_made(self._original_transport)
        try:
            await handshake
        except Exception as error:
            raise TLSSetupException from error

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return self.parse_path(arg)

    def _timeout_cb(self) -> None:
        self.timed_out()


class TlsLayer(SSLProtocol):
    """The TLS layer of one connection.

    If the client stops sending, the session first reads everything that has arrived. If it then
    owes the client a reply, the connection stays open until the session closes it.
    """

    max_size = 64 * 1024  # bytes in the read buffer of each open connection
    _state: SSLProtocolState
    _app_reading_paused: bool
    _ssl_buffer: bytearray
    _ssl_buffer_view: memoryview
    _incoming: ssl.MemoryBIO

    def __init__(
        self,
        session: ExtensibleSMTP,
        context: ssl.SSLContext,
        handshake: "asyncio.Future[None] | None" = None,
    ) -> None:
        """Prepare for a connection. ``handshake`` gets the result of the handshake."""
        super().__init__(
            session.loop,
            session,
            context,
            handshake,  # type: ignore[arg-type]  # asyncio accepts None
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        self.session = session
        # By default, 256 KiB could wait before decryption, in addition to the session's own buffer.
        self._app_transport.set_read_buffer_limits(self.max_size)

    @property
    def session_transport(self) -> asyncio.Transport:
        """The transport through which the session sends."""
        return self._app_transport

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio returns it too
        """Handle the end of the TCP stream. True keeps the connection open."""
        if self._state is not SSLProtocolState.WRAPPED:
            super().eof_received()
            return None
        self._eof_received = True
        self.stop_reading()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell the session, and free the memory for TLS. Nothing uses it afterwards."""
        super().connection_lost(exc)
        self._incoming.read()
        self._ssl_buffer_view.release()
        self._ssl_buffer = bytearray()
        self._sslobj = None
        self._extra.clear()

    def _call_eof_received(self) -> None:
        """Do nothing: at the end of the TLS stream, asyncio calls ``_start_shutdown`` next."""

    def _start_shutdown(self) -> None:
        if self._app_transport is None or self._app_transport.is_closing():  # by the session
            super()._start_shutdown()
        else:
            self.stop_reading()

    def stop_reading(self) -> None:
        """Read no more from the client. End the connection as soon as it is not needed."""
        assert isinstance(self._transport, asyncio.Transport)
        self._transport.pause_reading()
        self.end_when_read(None)

    def end_when_read(self, unread_before: int | None) -> None:
        """Wait until the session no longer reads. Then tell it that the client has stopped sending.

        :param unread_before: the bytes that the session had not read at the last call.
        """
        if self._state is not SSLProtocolState.WRAPPED:
            return
        unread_now = len(buffer_of(self.session.reader))
        if self._app_reading_paused or unread_now != unread_before:
            self._loop.call_later(_POLL_SECONDS, self.end_when_read, unread_now)
            return
        super()._call_eof_received()  # type: ignore[misc]  # typeshed lacks it
        if not self.session.owes_reply:
            super()._start_shutdown()


def unread(reader: asyncio.StreamReader, content: bytes) -> None:
    """Put ``content`` in front of what ``reader`` reads next."""
    buffer_of(reader)[:0] = content


def discard(reader: asyncio.StreamReader) -> None:
    """Drop the bytes that ``reader`` holds. Nothing will read them."""
    buffer_of(reader).clear()


def buffer_of(reader: asyncio.StreamReader) -> bytearray:
    """The bytes that ``reader`` has received, and that are not read yet."""
    buffer: bytearray = reader._buffer  # type: ignore[attr-defined]
    return buffer
