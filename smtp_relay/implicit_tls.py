"""Implicit TLS: TLS starts before SMTP, on its own port (RFC 8314, section 3.3)."""

import asyncio
from asyncio.sslproto import SSLProtocol

from smtp_relay.session import SessionContext, SmtpSession

_HANDSHAKE_SECONDS = 15


class ImplicitTls(SSLProtocol):
    """The TLS layer of one connection.

    The connection counts towards the limits as soon as it is open. asyncio's own TLS listener would
    report it only after the handshake, which a hostile client could leave unfinished.
    """

    max_size = 64 * 1024  # bytes in the read buffer of each open connection

    def __init__(self, context: SessionContext) -> None:
        """Prepare for a connection."""
        assert context.tls_context  # the settings require a certificate for this port
        self._smtp = SmtpSession(context, is_tls=True)
        super().__init__(
            asyncio.get_running_loop(),
            self._smtp,
            context.tls_context,
            None,  # type: ignore[arg-type]  # nothing waits for the handshake
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake. Abort a connection over the limits, without a reply."""
        assert isinstance(transport, asyncio.Transport)
        if self._smtp.enter(transport):
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Remove the connection from the registry, even if its handshake has not finished."""
        self._smtp.leave()
        super().connection_lost(exc)
