"""TLS before SMTP, on a port of its own (RFC 8314, section 3.3)."""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from typing import TYPE_CHECKING

from smtp_relay.conversation import Conversation

if TYPE_CHECKING:
    from smtp_relay.relay import Relay

_HANDSHAKE_SECONDS = 15


class ImplicitTls(SSLProtocol):
    """The TLS of one connection, which counts from its beginning.

    Of a connection that asyncio's own listener wraps in TLS nobody hears before its handshake has
    come to an end, and it may never.
    """

    def __init__(self, relay: "Relay", context: ssl.SSLContext) -> None:
        """Wait for a connection."""
        self._relay = relay
        self._conversation = Conversation(relay, is_tls=True)
        super().__init__(
            asyncio.get_running_loop(),
            self._conversation,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for the handshake
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake; who is refused hears nothing, as that would need the handshake."""
        assert isinstance(transport, asyncio.Transport)
        if self._conversation.enter(transport):
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, with or without a handshake."""
        self._relay.left(self._conversation)
        super().connection_lost(exc)
