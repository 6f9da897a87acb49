"""Implicit TLS: TLS starts before SMTP, on its own port (RFC 8314, section 3.3)."""

import asyncio

from smtp_relay.aiosmtpd_private import TlsLayer
from smtp_relay.session import SessionContext, SmtpSession


class ImplicitTls(TlsLayer):
    """The TLS layer of one connection.

    The connection counts towards the limits as soon as it is open. asyncio's own TLS listener would
    report it only after the handshake, which a hostile client could leave unfinished.
    """

    session: SmtpSession

    def __init__(self, context: SessionContext) -> None:
        """Prepare for a connection."""
        assert context.tls_context  # the settings require a certificate for this port
        super().__init__(SmtpSession(context, is_tls=True), context.tls_context)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake. Abort a connection over the limits, without a reply."""
        assert isinstance(transport, asyncio.Transport)
        if self.session.enter(transport):
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Remove the connection from the registry, even if its handshake has not finished."""
        self.session.leave()
        super().connection_lost(exc)
