"""The worker's ``env``: its variables as ``Settings``, its bindings as what the house uses."""

from functools import cached_property, lru_cache
from typing import Any

import msgspec

from refusals import ServerFault
from runtime.bridge import bridge
from runtime.d1 import D1Database
from runtime.log import log
from runtime.outbox import Outbox
from runtime.rate_limiter import RateLimiter
from settings import Settings, read_settings
from transport.send_email import SendEmailTransport

_GOOD_SECRET_BYTES = 32  # RFC 7518, section 3.2


@lru_cache(maxsize=1)
def _settings(variables: str) -> Settings:
    # The variables of a deployment never change, and reading them costs more than a lookup.
    settings = read_settings(msgspec.json.decode(variables))
    if settings.disable_admin_password_check:
        log("WARNING", problem="DISABLE_ADMIN_PASSWORD_CHECK is on: everybody is administrator")
    if any(len(secret.encode()) < _GOOD_SECRET_BYTES for secret in settings.jwt_secrets):
        log("WARNING", problem="JWT_SECRET or JWT_SECRET_PREVIOUS is shorter than 32 bytes")
    if bool(settings.cf_turnstile_site_key) != bool(settings.cf_turnstile_secret_key):
        log("WARNING", problem="Turnstile is off: of its two keys only one is set")
    return settings


class Bindings:
    """What one request finds in ``env``."""

    def __init__(self, env: Any) -> None:
        # The JavaScript object: the SDK's wrappers convert value by value what the bridge
        # converts at once, and an RPC stub answers to any attribute they look for.
        self._env = env._env

    @cached_property
    def settings(self) -> Settings:
        """:raises ServerFault: ``invalid_setting``, naming a variable that can't be read."""
        return _settings(bridge().variables(self._env))

    @property
    def default_language(self) -> str:
        try:
            return self.settings.default_lang
        except ServerFault:
            return "en"

    @cached_property
    def database(self) -> D1Database | None:
        binding = getattr(self._env, "DB", None)
        return D1Database(binding) if binding else None

    @cached_property
    def alarm(self) -> Outbox | None:
        binding = getattr(self._env, "OUTBOX", None)
        return Outbox(binding) if binding else None

    @cached_property
    def rate_limiter(self) -> RateLimiter | None:
        binding = getattr(self._env, "RATE_LIMITER", None)
        return RateLimiter(binding) if binding else None

    @cached_property
    def transport(self) -> SendEmailTransport | None:
        binding = getattr(self._env, "SEND_MAIL", None)
        return SendEmailTransport(binding) if binding else None
