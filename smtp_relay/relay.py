"""The relay: its listeners, its connections, and its end."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from functools import partial

from smtp_relay import replies
from smtp_relay.api import Api, ApiSilent, ApiUnavailable
from smtp_relay.certificate import load_certificate
from smtp_relay.conversation import FAREWELL_SECONDS, Conversation
from smtp_relay.handler import Handler
from smtp_relay.implicit_tls import ImplicitTls
from smtp_relay.log import log
from smtp_relay.logins import Failures, Login, Logins
from smtp_relay.metrics import Metrics
from smtp_relay.settings import Settings, SettingsError
from smtp_relay.status import serve_status

_BACKLOG = 512


class Relay:
    """One relay. ``sendings`` are the mails that the API has at this moment."""

    def __init__(self, settings: Settings) -> None:
        """Get ready; nothing listens yet.

        :raises SettingsError: the certificate can't be used.
        """
        self.settings = settings
        self.certificate = load_certificate(settings)
        self.metrics = Metrics()
        self.api = Api(settings, self.metrics.api_requests)
        self.logins = Logins(self.api)
        self.failures = Failures()
        self.handler = Handler(self)
        self.sendings: set[asyncio.Future[str]] = set()
        self.is_stopping = False
        self._conversations: set[Conversation] = set()
        self._by_client: Counter[str] = Counter()
        self._nobody_left = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, and finish what is under way then.

        :raises SettingsError: a port can't be listened on.
        """
        async with contextlib.aclosing(self.api), contextlib.AsyncExitStack() as stack:
            smtp = await self._listen(self.settings.smtp_port, is_tls=False)
            tls = await self._listen(self.settings.smtp_tls_port, is_tls=True)
            status = await serve_status(self)
            log(
                "started",
                smtp=_ports(smtp),
                smtp_tls=_ports(tls),
                status=_ports(status),
                api=self.settings.api_url,
            )
            if self.certificate:
                following = asyncio.ensure_future(self.certificate.follow())
                stack.callback(following.cancel)
            for work in (self._say_whether_the_api_answers(), self.api.close_idle_connections()):
                stack.callback(asyncio.ensure_future(work).cancel)
            await stop.wait()
            await self._stop([*smtp, *tls])
            for server in status:
                server.close()
        log("stopped")

    # Connections

    def enter(self, conversation: Conversation) -> str | None:
        """Count a new connection, or return the reply with which it is refused."""
        client = conversation.client
        reason = reply = None
        if self.is_stopping:
            reason, reply = "stopping", replies.STOPPING
        elif len(self._conversations) >= self.settings.smtp_max_connections:
            reason, reply = "relay_full", replies.RELAY_FULL
        elif self._by_client[client] >= self.settings.smtp_max_connections_per_client:
            reason, reply = "client_full", replies.CLIENT_FULL
        if reason:
            self.metrics.refused_connections[reason] += 1
            log("connection_refused", client=client, reason=reason)
            return reply
        self._conversations.add(conversation)
        self._by_client[client] += 1
        self.metrics.connections += 1
        self.metrics.open_connections += 1
        return None

    def left(self, conversation: Conversation) -> None:
        """Forget a connection, counted or not."""
        if conversation not in self._conversations:
            return
        self._conversations.remove(conversation)
        self.metrics.open_connections -= 1
        self._by_client[conversation.client] -= 1
        if not self._by_client[conversation.client]:
            del self._by_client[conversation.client]
        if not self._conversations:
            self._nobody_left.set()

    # Logins

    def note_login(self, conversation: Conversation, result: str, login: Login | None) -> None:
        """Count and log a login; ``result`` is ``good``, ``bad`` or ``unavailable``."""
        self.metrics.logins[result] += 1
        log(
            "login",
            connection=conversation.id,
            client=conversation.client,
            result=result,
            sender=login.address if login else None,
        )

    async def _say_whether_the_api_answers(self) -> None:
        """Tell the log if the API is not there: who reads it after the start wants to know."""
        try:
            answer = await self.api.health()
        except (ApiUnavailable, ApiSilent) as error:
            log("api_unreachable", api=self.settings.api_url, problem=str(error))
        else:
            if answer.status != 200:
                log("api_unhealthy", api=self.settings.api_url, status=answer.status)

    # Listeners

    async def _listen(self, port: int | None, *, is_tls: bool) -> list[asyncio.Server]:
        if port is None:
            return []
        make: Callable[[], asyncio.BaseProtocol] = partial(Conversation, self, is_tls=False)
        if self.certificate and is_tls:
            make = partial(ImplicitTls, self, self.certificate.context)
        try:
            server = await asyncio.get_running_loop().create_server(
                make, host=self.settings.smtp_host, port=port, backlog=_BACKLOG
            )
        except OSError as error:
            where = f"{self.settings.smtp_host}:{port}"
            raise SettingsError(f"{where} can't be listened on: {error.strerror}") from error
        return [server]

    async def _stop(self, servers: list[asyncio.Server]) -> None:
        """Close the listeners, let transactions come to their end, and hang up."""
        self.is_stopping = True
        log("stopping", connections=len(self._conversations))
        for server in servers:
            server.close()
        self._nobody_left.clear()
        for conversation in list(self._conversations):
            if conversation.in_transaction:
                conversation.farewell = replies.STOPPING
            else:
                conversation.say_goodbye(replies.STOPPING)
        await self._until_all_is_over(self.settings.smtp_stop_seconds)
        for conversation in list(self._conversations):
            if not conversation.is_answering:
                conversation.say_goodbye(replies.STOPPING)
        # The API has these mails: their clients are told that nobody knows what became of them.
        for sending in list(self.sendings):
            sending.cancel()
        await self._until_all_is_over(FAREWELL_SECONDS)

    async def _until_all_is_over(self, seconds: float) -> None:
        """Wait until nobody is connected and no mail is under way, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if self._conversations:
                    await self._nobody_left.wait()
                await asyncio.gather(*self.sendings, return_exceptions=True)


def _ports(servers: list[asyncio.Server]) -> list[str]:
    names = {socket.getsockname()[:2] for server in servers for socket in server.sockets}
    return sorted(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names)
