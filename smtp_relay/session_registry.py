"""The open SMTP sessions: how many there may be, and how they end when the relay stops."""

import asyncio
from collections import Counter
from typing import Protocol

from smtp_relay import replies
from smtp_relay.log import log
from smtp_relay.metrics import Metrics
from smtp_relay.network import client_network


class OpenSession(Protocol):
    """What the registry uses of a session."""

    client: str
    farewell: str | None
    is_submitting: bool

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def say_goodbye(self, reply: str) -> None:
        """Send a last reply and close the connection."""


class SessionRegistry:
    """Counts sessions, in total and per client, and enforces both limits.

    A client is an IPv4 address or an IPv6 /64 network, as ``client_network`` returns it.
    """

    def __init__(self, metrics: Metrics, *, max_sessions: int, max_per_client: int) -> None:
        self._metrics = metrics
        self._max_sessions = max_sessions
        self._max_per_client = max_per_client
        self._sessions: set[OpenSession] = set()
        self._by_client: Counter[str] = Counter()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self.is_stopping = False

    def __len__(self) -> int:
        return len(self._sessions)

    def enter(self, session: OpenSession) -> str | None:
        """Register a new session and return None, or return the reply that rejects it."""
        client = client_network(session.client)
        reason = reply = None
        if self.is_stopping:
            reason, reply = "stopping", replies.STOPPING
        elif len(self._sessions) >= self._max_sessions:
            reason, reply = "relay_full", replies.RELAY_FULL
        elif self._by_client[client] >= self._max_per_client:
            reason, reply = "client_full", replies.CLIENT_FULL
        if reason:
            self._metrics.rejected_connections[reason] += 1
            log("connection_rejected", client=session.client, reason=reason)
            return reply
        self._sessions.add(session)
        self._is_empty.clear()
        self._by_client[client] += 1
        self._metrics.connections += 1
        self._metrics.open_connections += 1
        return None

    def leave(self, session: OpenSession) -> None:
        """Remove a session. Does nothing if it is not registered."""
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        self._metrics.open_connections -= 1
        client = client_network(session.client)
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]
        if not self._sessions:
            self._is_empty.set()

    def end_idle_sessions(self) -> None:
        """Reject new sessions, close idle ones, and close the others after their transaction."""
        self.is_stopping = True
        for session in list(self._sessions):
            if session.in_transaction:
                session.farewell = replies.STOPPING
            else:
                session.say_goodbye(replies.STOPPING)

    def end_unfinished_sessions(self) -> None:
        """Close every session, except those that wait for the reply to a message."""
        for session in list(self._sessions):
            if not session.is_submitting:
                session.say_goodbye(replies.STOPPING)

    async def wait_until_empty(self) -> None:
        """Wait until the last session has ended."""
        await self._is_empty.wait()
