"""The guards: who may call what, checked in the order of the HTTP contract."""

import hmac
from enum import Enum, auto

from accounts.clients import client_key
from accounts.credentials import Credential, verify
from refusals import ServerFault, TooManyRequests, Unauthorized
from resend_errors import is_resend_path
from runtime.rate_limiter import RateLimiter
from runtime.request import Request
from settings import Settings

# The binding does not tell when there is room again; wrangler.toml counts by minutes.
_LIMITER_SECONDS = 60


class Guard(Enum):
    """Who is let through to a route."""

    OPEN = auto()  # nobody is asked for anything
    SITE = auto()  # the site password, where the site has one
    ADDRESS = auto()  # that, and an address credential
    API_KEY = auto()  # an address credential alone: its clients can't send the site password
    ADMIN = auto()  # the site password, and an admin password


def guard_of_unknown(path: str) -> Guard:
    """The guard in front of a path that no route takes, so that nobody can probe for routes."""
    if path.startswith("/admin/"):
        return Guard.ADMIN
    if path.startswith("/api/"):
        return Guard.ADDRESS
    if is_resend_path(path):
        return Guard.API_KEY
    return Guard.OPEN if path.startswith("/open_api/") else Guard.SITE


def check_site_password(guard: Guard, request: Request, settings: Settings) -> None:
    """Ask for the site password, where the site has one and ``guard`` asks for it.

    :raises Unauthorized: ``site_password_required``.
    """
    if guard in (Guard.OPEN, Guard.API_KEY) or not settings.passwords:
        return
    if not is_one_of(request.header("x-custom-auth"), settings.passwords):
        raise Unauthorized("site_password_required")


async def check_client_rate(request: Request, limiter: RateLimiter | None) -> None:
    """Count the request for its client, on a path that makes addresses or logs in.

    :raises TooManyRequests: ``client_rate_exceeded``.
    """
    # Each path counts apart, so that making addresses uses up no logins.
    key = f"{request.path}|{client_key(request.client_ip)}"
    if limiter and not await limiter.admits(key):
        raise TooManyRequests(
            "client_rate_exceeded", retry_after=_LIMITER_SECONDS, path=request.path
        )


def check(
    guard: Guard, request: Request, settings: Settings, *, has_database: bool
) -> Credential | None:
    """Let ``request`` pass ``guard``, and return its address credential where one is asked for.

    :raises Unauthorized: the admin password or the credential is missing or wrong.
    :raises ServerFault: the deployment lacks its database or its secret.
    """
    if not has_database:
        raise ServerFault("binding_missing", name="DB")
    if not settings.jwt_secret:
        raise ServerFault("secret_missing", name="JWT_SECRET")
    if guard is Guard.ADMIN:
        _check_admin_password(request, settings)
    if guard is Guard.API_KEY and not request.header("authorization"):
        raise Unauthorized("credential_missing")
    if guard in (Guard.ADDRESS, Guard.API_KEY):
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("invalid_credential")
        return verify(token.strip(), secrets=settings.jwt_secrets)
    return None


def _check_admin_password(request: Request, settings: Settings) -> None:
    if settings.disable_admin_password_check:
        return
    if not is_one_of(request.header("x-admin-auth"), settings.admin_passwords):
        raise Unauthorized("admin_password_required")


def is_one_of(given: str, secrets: tuple[str, ...]) -> bool:
    """Whether ``given`` is one of ``secrets``."""
    # Every entry is compared, each in constant time, so that time tells nothing about them.
    matches = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    return any(matches)
