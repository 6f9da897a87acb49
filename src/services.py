"""The ports: small Protocols for everything external that the application uses.

``entry.py`` builds one ``Services`` per invocation from the Worker's bindings; the tests'
``TestClient`` builds it from SQLite and scripted fakes. All code except ``entry.py`` and
``runtime/`` therefore runs in any Python.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from accounts.passwords import Derive
from settings import Settings, cached_settings
from store.database import Database
from subrequests import Subrequests
from transport.outcome import Transport

if TYPE_CHECKING:
    from transport.routing import Routing, TransportConfig

T = TypeVar("T")

# The current time in Unix milliseconds.
Clock = Callable[[], int]


class HttpResponse(msgspec.Struct, frozen=True):
    """The response of another server, its Retry-After header, and the beginning of its body.

    ``error_type`` is the header X-Amzn-ErrorType of AWS, whose bodies do not name an error.
    """

    status: int
    text: str
    retry_after: str | None = None
    error_type: str | None = None


FETCH_SECONDS = 5
MAX_FETCHED_BYTES = 64 * 1024


class Fetch(Protocol):
    """Sends a request to another server, and follows no redirects."""

    async def __call__(
        self,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        *,
        seconds: int = FETCH_SECONDS,
        most: int = MAX_FETCHED_BYTES,
    ) -> HttpResponse:
        """The response to a POST request, or to a GET request if ``body`` is None.

        :param seconds: how long to wait for the response.
        :param most: the number of bytes of the response's body to read.
        :raises TimeoutError: there was no response. May also raise any other exception.
        """
        ...


class Waiting(Protocol):
    """The ways to wait, beside awaiting the call of a port."""

    async def all(self, works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Run ``works`` concurrently; return their results in order once all have ended.

        If several raise an error, the error of the first one in ``works`` is raised.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        ...

    def run_in_background(self, work: Coroutine[Any, Any, object]) -> None:
        """Start ``work``. It continues after the response, even if the client disconnects.

        It begins after the caller and the coroutines that run with it have been suspended or have
        ended. Its errors are logged. The platform may end it half a minute after the response.
        """
        ...


class MakeTransport(Protocol):
    """Makes a transport other than the binding."""

    def __call__(self, config: "TransportConfig", key: str) -> Transport:
        """The transport with this configuration, for one message.

        :param key: the id of the message, for providers with idempotency keys.
        """
        ...


class WakeupQueue(Protocol):
    """A queue of ids of messages, or of webhooks. Each is attempted after its delay."""

    async def enqueue(self, due: list[tuple[str, int]]) -> None:
        """Enqueue ids with their delays in seconds.

        May raise any exception, and may enqueue an id twice. Both are harmless: the cron enqueues
        every due message and webhook, and their rows decide whether they are due.
        """
        ...


class QueuedEvent(NamedTuple):
    """A message in the queue of delivery events.

    ``content`` is its body as JSON, None if the body is too long or can't be JSON. ``attempts`` is
    the number of attempts to process it, with the present one.
    """

    content: str | None
    attempts: int


class DeliveryEventQueue(Protocol):
    """Puts delivery events of sandbox recipients into the queue of the provider's events."""

    async def enqueue(self, events: list[dict[str, Any]]) -> None:
        """Enqueue events in the provider's form. May raise any exception."""
        ...


class RateLimiter(Protocol):
    """Counts requests by key."""

    async def admits(self, key: str) -> bool:
        """Count a request under ``key``; return False if it exceeds the limit."""
        ...


class Memory(Protocol):
    """The memory of one request or job, which it shares with all others of the Worker."""

    async def take(self, size: int, client: str) -> None:
        """Wait until there is memory for work on ``size`` bytes of content.

        :param client: the client who causes the work. No client can use all the memory.
        :raises Unavailable: ``too_many_large_bodies``: there is too much work.
        """
        ...

    def keep(self, size: int) -> None:
        """The work is done. Until the release, only messages with ``size`` bytes stay in memory.

        Has no effect if no memory was taken.
        """
        ...

    def release(self) -> None:
        """The request or the job has ended, or its content is not in memory any more."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The ports of one invocation.

    A port is None if the deployment lacks its binding. Without ``database`` every request fails.
    ``transport`` is the ``send_email`` binding; without it, only other transports can send. Without
    ``wakeup_queue`` the cron itself attempts due messages. Without ``event_queue`` the dispatcher
    processes the delivery events of sandbox recipients itself. Without ``webhook_queue`` the cron
    itself sends the deliveries of webhooks. Without ``rate_limiter`` the rate of clients is not
    limited.

    :param variables: the Worker's variables and secrets, as a JSON object.
    :param attempts: what the log says of the attempts of this invocation.
    """

    variables: str
    database: Database | None
    transport: Transport | None
    wakeup_queue: WakeupQueue | None
    event_queue: DeliveryEventQueue | None
    webhook_queue: WakeupQueue | None
    rate_limiter: RateLimiter | None
    derive_key: Derive
    fetch: Fetch
    subrequests: Subrequests
    memory: Memory
    waiting: Waiting
    clock: Clock
    make_transport: MakeTransport
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The deployment's settings.

        :raises ServerFault: ``invalid_setting``, with the name of a variable that can't be read.
        """
        return cached_settings(self.variables)

    @property
    def routing(self) -> "Routing | None":
        """The transports and routes; None if the binding is the only transport."""
        routing = self.settings.routing
        return routing and replace(routing, has_binding=self.transport is not None)

    @property
    def can_send(self) -> bool:
        """Whether the deployment has any transport."""
        return self.transport is not None or self.settings.routing is not None
