"""The relay: creates its parts, listens, and stops."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from smtp_relay.api import Api, ApiSilent, ApiUnavailable
from smtp_relay.auth import Authenticator
from smtp_relay.auth_mechanisms import AuthMechanisms
from smtp_relay.certificate import Certificate
from smtp_relay.handler import Handler
from smtp_relay.health import health_protocol
from smtp_relay.implicit_tls import ImplicitTls
from smtp_relay.log import log
from smtp_relay.login_failures import LoginFailures
from smtp_relay.memory import MessageMemory
from smtp_relay.memory_limit import message_memory
from smtp_relay.metrics import Metrics
from smtp_relay.session import FAREWELL_SECONDS, SessionContext, SmtpSession
from smtp_relay.session_registry import SessionRegistry
from smtp_relay.settings import Settings, SettingsError
from smtp_relay.submission import Submitter

_BACKLOG = 512
_PORTS = ("SMTP_PORT", "SMTP_TLS_PORT", "STATUS_PORT")  # in the order in which the relay listens


class Relay:
    """One relay. Only this class knows all parts; each part receives what it uses."""

    def __init__(self, settings: Settings, api: Api, metrics: Metrics) -> None:
        """Create the parts, without listening.

        :raises SettingsError: the certificate can't be used, or there is too little memory.
        """
        self._settings = settings
        self._api = api
        self._metrics = metrics
        cert, key = settings.smtp_tls_cert, settings.smtp_tls_key
        self._certificate = Certificate(cert, key) if cert and key else None
        self._registry = SessionRegistry(
            metrics,
            max_sessions=settings.smtp_max_connections,
            max_per_client=settings.smtp_max_connections_per_client,
        )
        authenticator = Authenticator(api)
        self._submitter = Submitter(
            api,
            authenticator,
            metrics,
            max_hops=settings.smtp_max_hops,
            is_strict=settings.smtp_strict,
        )
        self._sessions = SessionContext(
            settings,
            Handler(
                self._submitter,
                AuthMechanisms(authenticator, metrics),
                max_recipients=settings.smtp_max_recipients,
            ),
            self._registry,
            LoginFailures(),
            MessageMemory(
                message_memory(settings), metrics, connections=settings.smtp_max_connections
            ),
            self._certificate.context if self._certificate else None,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set. Then finish open transactions, and return.

        :raises SettingsError: the relay can't listen on a port.
        """
        settings = self._settings
        sessions = self._sessions
        smtp = await self._listen(
            "SMTP_PORT",
            *(settings.smtp_host, settings.smtp_port),
            lambda: SmtpSession(sessions, is_tls=False),
        )
        tls = await self._listen(
            "SMTP_TLS_PORT",
            *(settings.smtp_host, settings.smtp_tls_port),
            lambda: ImplicitTls(sessions),
        )
        health = await self._listen(
            "STATUS_PORT",
            *(settings.status_host, settings.status_port),
            lambda: health_protocol(self._metrics, self._registry),
        )
        log(
            "started",
            smtp=_ports(smtp),
            smtp_tls=_ports(tls),
            status=_ports(health),
            api=settings.api_url,
        )
        async with contextlib.AsyncExitStack() as stack:
            for work in self._background_work():
                stack.callback(asyncio.ensure_future(work).cancel)
            await stop.wait()
            await self._stop([*smtp, *tls])
        for server in health:
            server.close()
        log("stopped")

    async def _listen(
        self,
        name: str,
        host: str,
        port: int | None,
        make_protocol: Callable[[], asyncio.BaseProtocol],
    ) -> list[asyncio.Server]:
        """Listen on ``port``, the value of the setting ``name``. Without a port, return []."""
        if port is None:
            return []
        loop = asyncio.get_running_loop()
        try:
            return [await loop.create_server(make_protocol, host=host, port=port, backlog=_BACKLOG)]
        except OSError as error:
            equal = [one for one in _PORTS if port == getattr(self._settings, one.lower())]
            problem = _listen_problem(error, name, host, first=equal[0])
            raise SettingsError(f"{name}={port}: {problem}") from error

    def _background_work(self) -> list[Coroutine[Any, Any, None]]:
        work = [self._report_unhealthy_api(), self._api.close_idle_connections()]
        return [*work, self._certificate.follow()] if self._certificate else work

    async def _report_unhealthy_api(self) -> None:
        """Log an error if the API does not respond, for example because of a wrong API_URL."""
        api_url = self._settings.api_url
        try:
            response = await self._api.health()
        except (ApiUnavailable, ApiSilent) as error:
            log("api_unreachable", api=api_url, problem=str(error))
        else:
            if response.status != 200:
                log("api_unhealthy", api=api_url, status=response.status)

    async def _stop(self, servers: list[asyncio.Server]) -> None:
        log("stopping", connections=len(self._registry))
        for server in servers:
            server.close()
        self._registry.end_idle_sessions()
        await self._wait(self._settings.smtp_stop_seconds)
        self._registry.end_unfinished_sessions()
        self._submitter.give_up()
        await self._wait(FAREWELL_SECONDS)

    async def _wait(self, seconds: float) -> None:
        """Wait until all sessions and submissions have ended, at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._registry.wait_until_empty()
                await self._submitter.wait_until_done()


def _listen_problem(error: OSError, name: str, host: str, *, first: str) -> str:
    """Why the relay can't listen on the port of ``name``.

    :param first: the first setting with this port. The relay listens on its port already, unless it
        is ``name``.
    """
    if isinstance(error, socket.gaierror):
        setting = "STATUS_HOST" if name == "STATUS_PORT" else "SMTP_HOST"
        return f"there is no host {host!r} to listen on; correct {setting}"
    if error.errno == errno.EADDRINUSE and first != name:
        return f"{first} is the same port; set {name} to another port"
    if error.errno == errno.EADDRINUSE:
        return f"another program uses this port; stop it, or set {name} to another port"
    if error.errno == errno.EACCES:
        return f"the system does not allow this port; set {name} to one from 1024 on"
    return f"can't listen on {host}: {error.strerror}"


def _ports(servers: list[asyncio.Server]) -> list[str]:
    names = {listener.getsockname()[:2] for server in servers for listener in server.sockets}
    return sorted(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names)
