"""The table of routes: method, path and handler. Each area of paths has an access rule."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import NamedTuple

from web.auth import Access
from web.context import RequestContext
from web.responses import Response

Handler = Callable[[RequestContext], Awaitable[Response]]


class Area(NamedTuple):
    """The access rule for paths with a common prefix.

    ``has_resend_errors`` says whether errors have the form of Resend's API.
    """

    prefix: str
    access: Access
    has_resend_errors: bool = False


# The first match applies. A prefix without a trailing slash matches only that path. Unknown paths
# have the access rule of their area, so clients without access can't find out which paths exist.
AREAS = (
    Area("/admin/", Access.ADMIN),
    Area("/api/new_address", Access.SITE),
    Area("/api/address_login", Access.SITE),
    Area("/api/", Access.ADDRESS),
    Area("/emails", Access.API_KEY, has_resend_errors=True),
    Area("/emails/", Access.API_KEY, has_resend_errors=True),
    Area("/webhooks", Access.API_KEY, has_resend_errors=True),
    Area("/webhooks/", Access.API_KEY, has_resend_errors=True),
    Area("/open_api/", Access.OPEN),
    Area("/hooks/", Access.OPEN),
    Area("/health_check", Access.OPEN),
    Area("/", Access.SITE),
)


class Route(NamedTuple):
    """A route. ``{name}`` in its path matches one segment.

    ``handler`` is ``module:function`` in the package ``handlers``.
    """

    method: str
    path: str
    handler: str
    sends: bool = False  # the rate limit of the credential applies
    limited: bool = False  # the rate limit of the client applies (RATE_LIMITER)
    large: bool = False  # the body may have 10 MiB instead of 64 KiB


ROUTES = (
    Route("GET", "/health_check", "health_check:check"),
    Route("GET", "/open_api/settings", "open_api.settings:show"),
    Route("POST", "/api/new_address", "new_address:create", limited=True),
    Route("POST", "/api/address_login", "address_login:log_in", limited=True),
    Route("POST", "/api/address_change_password", "address_change_password:change"),
    Route("POST", "/api/rotate_credential", "rotate_credential:rotate"),
    Route("POST", "/open_api/credential_login", "open_api.credential_login:log_in", limited=True),
    Route("POST", "/open_api/site_login", "open_api.site_login:log_in", limited=True),
    Route("POST", "/open_api/admin_login", "open_api.admin_login:log_in", limited=True),
    Route("GET", "/api/usage", "usage:show"),
    Route("GET", "/api/settings", "settings:show"),
    Route("POST", "/api/request_send_mail_access", "request_send_mail_access:request"),
    Route("POST", "/api/send_mail", "send_mail:send_with_header", sends=True, large=True),
    Route("GET", "/api/sendbox", "sendbox:list_messages"),
    Route("GET", "/api/sendbox/{id}", "sendbox:show"),
    Route("DELETE", "/api/sendbox/{id}", "sendbox:delete"),
    Route("DELETE", "/api/clear_sent_items", "clear_sent_items:clear"),
    Route("DELETE", "/api/delete_address", "delete_address:delete"),
    Route("POST", "/api/sendbox/{id}/retry", "sendbox:retry", sends=True),
    Route(
        "POST", "/external/api/send_mail", "send_mail:send_with_body_token", sends=True, large=True
    ),
    Route("POST", "/emails", "resend.emails:send", sends=True, large=True),
    Route("GET", "/emails", "resend.stored_emails:list_emails"),
    Route("POST", "/emails/batch", "resend.emails:send_batch", sends=True, large=True),
    Route("GET", "/emails/{id}", "resend.stored_emails:retrieve"),
    Route("PATCH", "/emails/{id}", "resend.stored_emails:update"),
    Route("POST", "/emails/{id}/cancel", "resend.stored_emails:cancel"),
    Route("POST", "/webhooks", "resend.webhooks:create"),
    Route("GET", "/webhooks", "resend.webhooks:list_webhooks"),
    Route("GET", "/webhooks/{id}", "resend.webhooks:retrieve"),
    Route("PATCH", "/webhooks/{id}", "resend.webhooks:update"),
    Route("DELETE", "/webhooks/{id}", "resend.webhooks:remove"),
    Route("POST", "/webhooks/{id}/rotate_secret", "resend.webhooks:rotate_secret"),
    Route("POST", "/webhooks/{id}/signing-secret/rotate", "resend.webhooks:rotate_signing_secret"),
    Route("POST", "/webhooks/{id}/test", "resend.webhooks:test"),
    Route("GET", "/webhooks/{id}/deliveries", "resend.webhooks:list_deliveries"),
    Route("POST", "/webhooks/{id}/deliveries/{delivery}/replay", "resend.webhooks:replay_delivery"),
    Route("GET", "/webhooks/{id}/events", "resend.webhooks:list_events"),
    Route("GET", "/webhooks/{id}/events/{event}", "resend.webhooks:retrieve_event"),
    Route("POST", "/webhooks/{id}/events/{event}/replay", "resend.webhooks:replay_event"),
    Route("GET", "/webhooks/{id}/events/{event}/attempts", "resend.webhooks:list_attempts"),
    Route("POST", "/admin/new_address", "admin.new_address:create"),
    Route("GET", "/admin/address", "admin.address:list_addresses"),
    Route("DELETE", "/admin/delete_address/{id}", "admin.delete_address:delete"),
    Route("GET", "/admin/show_password/{id}", "admin.show_password:show"),
    Route("POST", "/admin/address/{id}/reset_password", "admin.address:reset_password"),
    Route("DELETE", "/admin/clear_sent_items/{id}", "admin.clear_sent_items:clear"),
    Route("GET", "/admin/address_sender", "admin.address_sender:list_balances"),
    Route("POST", "/admin/address_sender", "admin.address_sender:change"),
    Route("DELETE", "/admin/address_sender", "admin.address_sender:remove_by_query"),
    Route("DELETE", "/admin/address_sender/{id}", "admin.address_sender:remove"),
    Route("GET", "/admin/account_settings", "admin.account_settings:show"),
    Route("POST", "/admin/account_settings", "admin.account_settings:change", large=True),
    Route("POST", "/admin/send_mail", "admin.send_mail:send", large=True),
    Route("POST", "/admin/send_mail_by_binding", "admin.send_mail_by_binding:send", large=True),
    Route("GET", "/admin/sendbox", "admin.sendbox:list_messages"),
    Route("GET", "/admin/sendbox/{id}", "admin.sendbox:show"),
    Route("DELETE", "/admin/sendbox/{id}", "admin.sendbox:delete"),
    Route("GET", "/admin/suppressions", "admin.suppressions:list_suppressions"),
    Route("POST", "/admin/suppressions", "admin.suppressions:add"),
    Route("DELETE", "/admin/suppressions", "admin.suppressions:remove"),
    Route("POST", "/admin/suppressions/import", "admin.suppressions:import_rows"),
    Route("GET", "/admin/suppressions/export", "admin.suppressions:export_rows"),
    Route("GET", "/admin/pauses", "admin.pauses:list_pauses"),
    Route("DELETE", "/admin/pauses/{id}", "admin.pauses:lift"),
    Route("GET", "/admin/usage", "admin.usage:show"),
    Route("GET", "/admin/overview", "admin.overview:show"),
    Route("GET", "/admin/domains", "admin.domains:list_domains"),
    Route("GET", "/admin/domains/{domain}/dns", "admin.domains:check_dns"),
    Route("GET", "/admin/transports", "admin.transports:list_transports"),
    Route("POST", "/admin/transports/{name}/test", "admin.transports:test"),
    Route("POST", "/hooks/resend/{transport}", "hooks.resend:receive"),
    Route("POST", "/hooks/ses/{transport}", "hooks.ses:receive"),
    Route("POST", "/admin/webhooks", "admin.webhooks:create"),
    Route("GET", "/admin/webhooks", "admin.webhooks:list_webhooks"),
    Route("GET", "/admin/webhooks/disabled", "admin.webhooks:list_disabled"),
    Route("GET", "/admin/webhooks/{id}", "admin.webhooks:retrieve"),
    Route("PATCH", "/admin/webhooks/{id}", "admin.webhooks:update"),
    Route("DELETE", "/admin/webhooks/{id}", "admin.webhooks:remove"),
    Route("POST", "/admin/webhooks/{id}/rotate_secret", "admin.webhooks:rotate_secret"),
    Route("POST", "/admin/webhooks/{id}/test", "admin.webhooks:test"),
    Route("GET", "/admin/webhooks/{id}/deliveries", "admin.webhooks:list_deliveries"),
    Route(
        *("POST", "/admin/webhooks/{id}/deliveries/{delivery}/replay"),
        "admin.webhooks:replay_delivery",
    ),
    Route("GET", "/admin/audit", "admin.audit:list_rows"),
)

# The methods of all routes. A CORS preflight response allows these and OPTIONS, for every path.
METHODS = sorted({route.method for route in ROUTES})

_MOST_SLASHES = max(route.path.count("/") for route in ROUTES)
# Ids and domain names are shorter, so a longer parameter matches nothing, even after it is cut off.
_MAX_PARAMETER_CHARACTERS = 300


class Match(NamedTuple):
    """The routes of one path, keyed by method, and the values of the path parameters."""

    routes: dict[str, Route]
    parameters: dict[str, str]


def area_of(path: str) -> Area:
    """The area that ``path`` belongs to."""
    return next(
        area
        for area in AREAS
        if path == area.prefix or (area.prefix.endswith("/") and path.startswith(area.prefix))
    )


def known_path(path: str) -> str:
    """``path`` without a slash at its end, if only the rest has routes; otherwise ``path``.

    Some clients add a slash. Limits and access rules then apply as they do without it.
    """
    shorter = path.removesuffix("/")
    return shorter if shorter != path and match(shorter).routes else path


def load_handler(route: Route) -> Handler:
    """The handler of ``route``. Its module is imported when the route is first used.

    Imports are the most expensive part of a Worker's start. Most requests send mail and need no
    other handlers.
    """
    module, _, function = route.handler.partition(":")
    handler: Handler = getattr(import_module(f"handlers.{module}"), function)
    return handler


def match(path: str) -> Match:
    """The routes of ``path``; empty if the path is unknown. A GET route also handles HEAD.

    If a path without parameters and one with parameters match, the former applies.
    """
    if path in _BY_PATH:
        return Match(_BY_PATH[path], {})
    parts = path.split("/", _MOST_SLASHES + 1)
    for pattern, routes in _BY_PATTERN:
        parameters = _parameters(pattern, parts)
        if parameters is not None:
            return Match(routes, parameters)
    return Match({}, {})


def _parameters(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    parameters = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            parameters[expected[1:-1]] = part[:_MAX_PARAMETER_CHARACTERS]
        elif expected != part:
            return None
    return parameters


def _by_path() -> dict[str, dict[str, Route]]:
    table: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        methods = table.setdefault(route.path, {})
        methods[route.method] = route
        if route.method == "GET":
            methods["HEAD"] = route
    return table


# The paths without parameters, which most requests have, are looked up.
_BY_PATH = _by_path()
_BY_PATTERN = [(path.split("/"), _BY_PATH.pop(path)) for path in list(_BY_PATH) if "{" in path]
