"""Access rules: the credentials that a path requires, checked in the order of the HTTP contract."""

import hmac
from enum import Enum, auto

from accounts.clients import client_key
from accounts.credentials import MAX_TOKEN_CHARACTERS, Credential, verify
from errors import ServerFault, TooManyRequests, Unauthorized
from services import RateLimiter
from setting_parsers import MAX_PASSWORD_CHARACTERS
from settings import Settings
from web.request import Request

_MAX_AUTHORIZATION_CHARACTERS = MAX_TOKEN_CHARACTERS + 100  # for the scheme and spaces

# The binding does not report when its window ends. wrangler.toml sets a window of 60 s, so it is
# always over after 60 s.
_LIMITER_SECONDS = 60


class Access(Enum):
    """The credentials that a path requires."""

    OPEN = auto()  # nothing
    SITE = auto()  # the site password, if the deployment has one
    ADDRESS = auto()  # the site password and an address credential
    API_KEY = auto()  # only an address credential: Resend's SDKs can't send the site password
    ADMIN = auto()  # the site password and an administrator password


def check_site_password(access: Access, request: Request, settings: Settings) -> None:
    """Check the site password, if the deployment has one and ``access`` requires it.

    :raises Unauthorized: ``site_password_required``.
    """
    if access in (Access.OPEN, Access.API_KEY) or not settings.passwords:
        return
    if not is_one_of(request.header("x-custom-auth"), settings.passwords):
        raise Unauthorized("site_password_required")


async def check_client_rate(request: Request, limiter: RateLimiter | None) -> None:
    """Count a request that creates an address or logs in, by the IP address of its client.

    :raises TooManyRequests: ``client_rate_exceeded``.
    """
    # Each path has its own count, so creating addresses leaves the limit of logins as it is.
    key = f"{request.path}|{client_key(request.client_ip)}"
    if limiter and not await limiter.admits(key):
        raise TooManyRequests(
            "client_rate_exceeded", retry_after=_LIMITER_SECONDS, path=request.path
        )


def check_access(
    access: Access, request: Request, settings: Settings, *, has_database: bool
) -> Credential | None:
    """Check the admin password or the address credential, if ``access`` requires one of them.

    Return the address credential; None if ``access`` requires none.

    :raises Unauthorized: the admin password or the credential is missing or wrong.
    :raises ServerFault: the deployment has no database or no JWT secret.
    """
    if not has_database:
        raise ServerFault("binding_missing", name="DB")
    if not settings.jwt_secret:
        raise ServerFault("secret_missing", name="JWT_SECRET")
    is_open = access is not Access.ADMIN or settings.disable_admin_password_check
    if not is_open and not is_one_of(request.header("x-admin-auth"), settings.admin_passwords):
        raise Unauthorized("admin_password_required")
    if access is Access.API_KEY and not request.header("authorization"):
        raise Unauthorized("credential_missing")
    if access in (Access.ADDRESS, Access.API_KEY):
        return verify(_bearer_token(request), secrets=settings.jwt_secrets)
    return None


def _bearer_token(request: Request) -> str:
    given = request.header("authorization")
    if len(given) > _MAX_AUTHORIZATION_CHARACTERS:
        raise Unauthorized("invalid_credential")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("invalid_credential")
    return token.strip()


def is_one_of(given: str, secrets: tuple[str, ...]) -> bool:
    """Whether ``given`` is one of ``secrets``, in constant time."""
    return any(_matches(given, secrets))


def administrator_name(given: str, passwords: tuple[str, ...]) -> str:
    """The name of an administrator in the audit log.

    ``admin#1`` if ``given`` is the first of ``passwords``; ``admin`` if it is none of them.
    """
    matches = _matches(given, passwords)
    return f"admin#{matches.index(True) + 1}" if any(matches) else "admin"


def _matches(given: str, secrets: tuple[str, ...]) -> list[bool]:
    # Compares all entries, each in constant time, so the duration does not reveal which matches.
    if len(given) > MAX_PASSWORD_CHARACTERS:
        return [False] * len(secrets)
    return [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
