"""The table of routes: method, path, guard, handler."""

from typing import NamedTuple

from guards import Guard
from handlers import health, logins, new_address, send_mail, sendbox, settings
from handlers.emails import reading as emails_reading
from handlers.emails import schedule as emails_schedule
from handlers.emails import sending as emails_sending
from later import Handler, Later

admin_account_settings = Later("handlers.admin.account_settings")
admin_addresses = Later("handlers.admin.addresses")
admin_audit = Later("handlers.admin.audit")
admin_balances = Later("handlers.admin.balances")
admin_new_address = Later("handlers.admin.new_address")
admin_pauses = Later("handlers.admin.pauses")
admin_sendbox = Later("handlers.admin.sendbox")
admin_sending = Later("handlers.admin.sending")
admin_suppressions = Later("handlers.admin.suppressions")
access = Later("handlers.access")
address_passwords = Later("handlers.address_passwords")
credentials = Later("handlers.credentials")
deletion = Later("handlers.deletion")
usage = Later("handlers.usage")


class Route(NamedTuple):
    """One line of the table; ``{name}`` in a path stands for one segment of it."""

    method: str
    path: str
    guard: Guard
    handler: Handler
    sends: bool = False  # counted by the rate limit of the credential
    limited: bool = False  # counted by the rate limit of the client


ROUTES = (
    Route("GET", "/health_check", Guard.OPEN, health.check),
    Route("GET", "/open_api/settings", Guard.OPEN, settings.of_the_site),
    Route("POST", "/open_api/credential_login", Guard.OPEN, logins.with_credential, limited=True),
    Route("POST", "/open_api/site_login", Guard.OPEN, logins.with_site_password, limited=True),
    Route("POST", "/open_api/admin_login", Guard.OPEN, logins.with_admin_password, limited=True),
    Route("POST", "/api/new_address", Guard.SITE, new_address.create, limited=True),
    Route("POST", "/api/address_login", Guard.SITE, address_passwords.login, limited=True),
    Route("POST", "/api/address_change_password", Guard.ADDRESS, address_passwords.change),
    Route("POST", "/api/rotate_credential", Guard.ADDRESS, credentials.rotate),
    Route("GET", "/api/usage", Guard.ADDRESS, usage.of_the_address),
    Route("GET", "/api/settings", Guard.ADDRESS, settings.of_the_address),
    Route("POST", "/api/request_send_mail_access", Guard.ADDRESS, access.request),
    Route("POST", "/api/send_mail", Guard.ADDRESS, send_mail.with_header, sends=True),
    Route("GET", "/api/sendbox", Guard.ADDRESS, sendbox.page),
    Route("GET", "/api/sendbox/{id}", Guard.ADDRESS, sendbox.one),
    Route("DELETE", "/api/sendbox/{id}", Guard.ADDRESS, deletion.message),
    Route("DELETE", "/api/clear_sent_items", Guard.ADDRESS, deletion.messages),
    Route("DELETE", "/api/delete_address", Guard.ADDRESS, deletion.address),
    Route("POST", "/api/sendbox/{id}/retry", Guard.ADDRESS, sendbox.retry, sends=True),
    Route("POST", "/external/api/send_mail", Guard.SITE, send_mail.with_body_token, sends=True),
    Route("POST", "/emails", Guard.API_KEY, emails_sending.one, sends=True),
    Route("GET", "/emails", Guard.API_KEY, emails_reading.page),
    Route("POST", "/emails/batch", Guard.API_KEY, emails_sending.batch, sends=True),
    Route("GET", "/emails/{id}", Guard.API_KEY, emails_reading.one),
    Route("PATCH", "/emails/{id}", Guard.API_KEY, emails_schedule.reschedule),
    Route("POST", "/emails/{id}/cancel", Guard.API_KEY, emails_schedule.cancel),
    Route("POST", "/admin/new_address", Guard.ADMIN, admin_new_address.create),
    Route("GET", "/admin/address", Guard.ADMIN, admin_addresses.page),
    Route("DELETE", "/admin/delete_address/{id}", Guard.ADMIN, admin_addresses.delete),
    Route("GET", "/admin/show_password/{id}", Guard.ADMIN, admin_addresses.show_credential),
    Route("POST", "/admin/address/{id}/reset_password", Guard.ADMIN, admin_addresses.set_password),
    Route("DELETE", "/admin/clear_sent_items/{id}", Guard.ADMIN, admin_addresses.clear),
    Route("GET", "/admin/address_sender", Guard.ADMIN, admin_balances.page),
    Route("POST", "/admin/address_sender", Guard.ADMIN, admin_balances.change),
    Route("DELETE", "/admin/address_sender", Guard.ADMIN, admin_balances.remove),
    Route("DELETE", "/admin/address_sender/{id}", Guard.ADMIN, admin_balances.remove_one),
    Route("GET", "/admin/account_settings", Guard.ADMIN, admin_account_settings.show),
    Route("POST", "/admin/account_settings", Guard.ADMIN, admin_account_settings.change),
    Route("POST", "/admin/send_mail", Guard.ADMIN, admin_sending.send_mail),
    Route("POST", "/admin/send_mail_by_binding", Guard.ADMIN, admin_sending.by_binding),
    Route("GET", "/admin/sendbox", Guard.ADMIN, admin_sendbox.page),
    Route("DELETE", "/admin/sendbox/{id}", Guard.ADMIN, admin_sendbox.delete),
    Route("GET", "/admin/suppressions", Guard.ADMIN, admin_suppressions.page),
    Route("POST", "/admin/suppressions", Guard.ADMIN, admin_suppressions.add),
    Route("DELETE", "/admin/suppressions", Guard.ADMIN, admin_suppressions.remove),
    Route("GET", "/admin/pauses", Guard.ADMIN, admin_pauses.page),
    Route("DELETE", "/admin/pauses/{id}", Guard.ADMIN, admin_pauses.lift),
    Route("GET", "/admin/usage", Guard.ADMIN, usage.of_all),
    Route("GET", "/admin/audit", Guard.ADMIN, admin_audit.page),
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
