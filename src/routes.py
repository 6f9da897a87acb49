"""The table of routes: method, path, guard, handler."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from answers import Answer
from call import Call
from guards import Guard
from handlers import health, logins, new_address, send_mail, sendbox, settings
from handlers.admin import new_address as admin_new_address
from handlers.emails import reading as emails_reading
from handlers.emails import schedule as emails_schedule
from handlers.emails import sending as emails_sending


class Route(NamedTuple):
    """One line of the table; ``{name}`` in a path stands for one segment of it."""

    method: str
    path: str
    guard: Guard
    handler: Callable[[Call], Awaitable[Answer]]
    sends: bool = False  # counted by the rate limit


ROUTES = (
    Route("GET", "/health_check", Guard.OPEN, health.check),
    Route("GET", "/open_api/settings", Guard.OPEN, settings.of_the_site),
    Route("POST", "/open_api/credential_login", Guard.OPEN, logins.with_credential),
    Route("POST", "/api/new_address", Guard.SITE, new_address.create),
    Route("GET", "/api/settings", Guard.ADDRESS, settings.of_the_address),
    Route("POST", "/api/send_mail", Guard.ADDRESS, send_mail.with_header, sends=True),
    Route("GET", "/api/sendbox", Guard.ADDRESS, sendbox.page),
    Route("GET", "/api/sendbox/{id}", Guard.ADDRESS, sendbox.one),
    Route("POST", "/api/sendbox/{id}/retry", Guard.ADDRESS, sendbox.retry, sends=True),
    Route("POST", "/external/api/send_mail", Guard.SITE, send_mail.with_body_token, sends=True),
    Route("POST", "/emails", Guard.API_KEY, emails_sending.one, sends=True),
    Route("GET", "/emails", Guard.API_KEY, emails_reading.page),
    Route("POST", "/emails/batch", Guard.API_KEY, emails_sending.batch, sends=True),
    Route("GET", "/emails/{id}", Guard.API_KEY, emails_reading.one),
    Route("PATCH", "/emails/{id}", Guard.API_KEY, emails_schedule.reschedule),
    Route("POST", "/emails/{id}/cancel", Guard.API_KEY, emails_schedule.cancel),
    Route("POST", "/admin/new_address", Guard.ADMIN, admin_new_address.create),
)

# CORS tells browsers these, whatever the path.
METHODS = sorted({route.method for route in ROUTES})


class Match(NamedTuple):
    """The routes at a path by method, and the named parts of that path."""

    routes: dict[str, Route]
    parameters: dict[str, str]


def match(path: str) -> Match:
    """What there is at ``path``, HEAD answered by GET; no routes where there is nothing.

    Of two patterns that match, the one with fewer names counts.
    """
    parts = path.split("/")
    for pattern, routes in _BY_PATTERN.items():
        parameters = _parameters(pattern, parts)
        if parameters is not None:
            return Match(routes, parameters)
    return Match({}, {})


def _parameters(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    parameters = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            parameters[expected[1:-1]] = part
        elif expected != part:
            return None
    return parameters


def _by_pattern() -> dict[tuple[str, ...], dict[str, Route]]:
    table: dict[tuple[str, ...], dict[str, Route]] = {}
    for route in ROUTES:
        methods = table.setdefault(tuple(route.path.split("/")), {})
        methods[route.method] = route
        if route.method == "GET":
            methods["HEAD"] = route
    return dict(sorted(table.items(), key=lambda entry: _names_in(entry[0])))


def _names_in(pattern: tuple[str, ...]) -> int:
    return sum(segment.startswith("{") for segment in pattern)


_BY_PATTERN = _by_pattern()
