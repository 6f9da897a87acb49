"""Make the services of the application from the bindings in the Worker's ``env``."""

from typing import Any

from clock import now
from runtime.bridge import bridge
from runtime.d1 import D1Database
from runtime.hasher import pbkdf2_sha256
from runtime.http import counted_post
from runtime.memory import Room
from runtime.rate_limiter import BindingRateLimiter
from runtime.send_email import SendEmailBinding
from runtime.wakeup_queue import CloudflareQueue
from services import RunInBackground, Services
from settings import cached_settings
from subrequests import Subrequests
from transport.send_email import SendEmailTransport


def services_of(env: Any, run_in_background: RunInBackground) -> Services:
    """The services of one invocation, made from the bindings in ``env``."""
    # Use the JavaScript object without the SDK's wrappers. They convert values one by one, while
    # the bridge converts all at once. They also recognise some values by their attributes, and an
    # RPC stub has every attribute.
    bindings = env._env
    database, mail = getattr(bindings, "DB", None), getattr(bindings, "SEND_MAIL", None)
    queue, limiter = getattr(bindings, "OUTBOX", None), getattr(bindings, "RATE_LIMITER", None)
    variables = bridge().variables(bindings)
    used = Subrequests(lambda: cached_settings(variables).subrequests)
    return Services(
        variables=variables,
        database=D1Database(database, used) if database else None,
        transport=SendEmailTransport(SendEmailBinding(mail, used)) if mail else None,
        wakeup_queue=CloudflareQueue(queue, used) if queue else None,
        rate_limiter=BindingRateLimiter(limiter, used) if limiter else None,
        derive_key=pbkdf2_sha256,
        post=counted_post(used),
        subrequests=used,
        memory=Room(),
        run_in_background=run_in_background,
        clock=now,
    )
