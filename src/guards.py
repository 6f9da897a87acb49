"""The guards: who may call what, checked in the order of the HTTP contract."""

import hmac
from enum import Enum, auto

from accounts.credentials import Credential, verify
from refusals import ServerFault, Unauthorized
from resend_errors import is_resend_path
from runtime.request import Request
from settings import Settings


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


def check(
    guard: Guard, request: Request, settings: Settings, *, has_database: bool
) -> Credential | None:
    """Let ``request`` pass ``guard``, and return its address credential where one is asked for.

    :raises Unauthorized: a password or credential is missing or wrong.
    :raises ServerFault: the deployment lacks its database or its secret.
    """
    if guard not in (Guard.OPEN, Guard.API_KEY):
        _check_site_password(request, settings)
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


def _check_site_password(request: Request, settings: Settings) -> None:
    given = request.header("x-custom-auth")
    if settings.passwords and not _is_one_of(given, settings.passwords):
        raise Unauthorized("site_password_required")


def _check_admin_password(request: Request, settings: Settings) -> None:
    if settings.disable_admin_password_check:
        return
    if not _is_one_of(request.header("x-admin-auth"), settings.admin_passwords):
        raise Unauthorized("admin_password_required")


def _is_one_of(given: str, secrets: tuple[str, ...]) -> bool:
    # Every entry is compared, each in constant time, so that time tells nothing about them.
    matches = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    return any(matches)
