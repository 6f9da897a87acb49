"""The table of routes: method, path, guard, handler."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from answers import Answer
from call import Call
from guards import Guard
from handlers import health, logins, new_address, send_mail, sendbox, settings
from handlers.admin import new_address as admin_new_address


class Route(NamedTuple):
    method: str
    path: str
    guard: Guard
    handler: Callable[[Call], Awaitable[Answer]]


ROUTES = (
    Route("GET", "/health_check", Guard.OPEN, health.check),
    Route("GET", "/open_api/settings", Guard.OPEN, settings.of_the_site),
    Route("POST", "/open_api/credential_login", Guard.OPEN, logins.with_credential),
    Route("POST", "/api/new_address", Guard.SITE, new_address.create),
    Route("GET", "/api/settings", Guard.ADDRESS, settings.of_the_address),
    Route("POST", "/api/send_mail", Guard.ADDRESS, send_mail.with_header),
    Route("GET", "/api/sendbox", Guard.ADDRESS, sendbox.page),
    Route("POST", "/external/api/send_mail", Guard.SITE, send_mail.with_body_token),
    Route("POST", "/admin/new_address", Guard.ADMIN, admin_new_address.create),
)

_BY_PATH: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    _BY_PATH.setdefault(_route.path, {})[_route.method] = _route

# CORS tells browsers these, whatever the path.
METHODS = sorted({route.method for route in ROUTES})


def routes_at(path: str) -> dict[str, Route]:
    """The routes at ``path`` by method, HEAD answered by GET; empty where there is none."""
    found = _BY_PATH.get(path, {})
    return {**found, "HEAD": found["GET"]} if "GET" in found else found
