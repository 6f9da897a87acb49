"""Make the services of the application from the Worker's bindings, variables and secrets."""

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from clock import now
from runtime.bridge import bridge
from runtime.coroutines import JsWaiting
from runtime.d1 import D1Database
from runtime.event_queue import CloudflareEventQueue
from runtime.hasher import pbkdf2_sha256
from runtime.http import counted_fetch
from runtime.memory import Room
from runtime.rate_limiter import BindingRateLimiter
from runtime.send_email import SendEmailBinding
from runtime.wakeup_queue import CloudflareQueue
from runtime.webhook_queue import WebhookQueue
from services import MakeTransport, Services
from settings import cached_settings
from subrequests import Subrequests
from transport.outcome import Transport
from transport.send_email import SendEmailTransport

if TYPE_CHECKING:
    from transport.routing import TransportConfig


class _Environment(msgspec.Struct):
    """The variables and secrets as JSON, and the names of the bindings."""

    variables: str
    bindings: frozenset[str]


@cache  # the platform starts new isolates for a changed environment
def _environment() -> _Environment:
    return msgspec.json.decode(bridge().environment(), type=_Environment)


def services(memory: Room) -> Services:
    """The services of one invocation, which has this memory."""
    environment = _environment()
    variables, bindings = environment.variables, environment.bindings
    used = Subrequests(lambda: cached_settings(variables).subrequests)
    return Services(
        variables=variables,
        database=D1Database(used) if "DB" in bindings else None,
        transport=SendEmailTransport(SendEmailBinding(used)) if "SEND_MAIL" in bindings else None,
        wakeup_queue=CloudflareQueue(used, "OUTBOX") if "OUTBOX" in bindings else None,
        event_queue=CloudflareEventQueue(used) if "EVENTS" in bindings else None,
        webhook_queue=WebhookQueue(used, "WEBHOOKS") if "WEBHOOKS" in bindings else None,
        rate_limiter=BindingRateLimiter(used) if "RATE_LIMITER" in bindings else None,
        derive_key=pbkdf2_sha256,
        fetch=counted_fetch(used),
        subrequests=used,
        memory=memory,
        waiting=JsWaiting(),
        clock=now,
        make_transport=_maker(used),
    )


def _maker(used: Subrequests) -> MakeTransport:
    """Makes the transports of one invocation, which counts their requests in ``used``."""

    def make(config: "TransportConfig", key: str) -> Transport:
        # Imported here, because most deployments have only the binding.
        from runtime.sockets import counted_connect
        from transport.factory import make_transport

        fetch, connect = counted_fetch(used), counted_connect(used)
        return make_transport(config, key, fetch=fetch, connect=connect, clock=now)

    return make
