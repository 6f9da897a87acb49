"""``GET /admin/overview``: whether the deployment is set up, and how full its database is."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from clock import iso_time, utc_day
from services import Services
from settings import VERSION, Settings, has_short_secret
from store.overview import NEWEST_MIGRATION, Facts, has_newest_migration, read_facts
from web.context import RequestContext
from web.responses import Response, json_response

CheckName = Literal[
    "bindings",
    "secrets",
    "migrations",
    "cron",
    "queue",
    "domains",
    "address",
    "balance",
    "mail",
    "events",
]
CheckState = Literal["ok", "waiting", "warning", "missing", "unknown"]

_DAY = 86_400_000

# The cron notes at least every four minutes that it runs.
_CRON_SEEN_MILLISECONDS = 300_000

# The maximum sizes of a D1 database: https://developers.cloudflare.com/d1/platform/limits/
_SIZE_ON_FREE = 500_000_000
_SIZE_ON_PAID = 10_000_000_000
_SUBREQUESTS_ON_FREE = 50


class Check(Struct, kw_only=True):
    """One thing that the deployment needs until its first mail is delivered."""

    name: Annotated[
        CheckName,
        Meta(
            description="`bindings` and `secrets`: those of the Worker. `migrations`: the database "
            "has the tables of this version. `cron`: ran in the last five minutes. `queue`: "
            "messages are attempted when they are due. `domains`: the provider accepts mail from "
            "each sending domain. `address`: there is an address. `balance`: an address can send. "
            "`mail`: mail was sent. `events`: delivery events arrive. Messages to sandbox "
            "recipients do not count."
        ),
    ]
    state: Annotated[
        CheckState,
        Meta(
            description="`ok`; `waiting`: has not happened yet; `warning`: probably a mistake; "
            "`missing`: sending does not work without it; `unknown`: can't be found out."
        ),
    ]
    details: Annotated[
        list[str],
        Meta(
            description="What the state is about: names of bindings, secrets, variables, a "
            "migration, or domains."
        ),
    ]
    at: Annotated[
        str | None,
        Meta(
            description="`cron`: when it was last seen. `mail`: the first day with sent mail. "
            "`events`: the last day whose mail has events. Otherwise null."
        ),
    ] = None
    count: Annotated[
        int | None,
        Meta(
            description="`queue`: the number of messages that should have been attempted five "
            "minutes ago, at most 1000. Otherwise null."
        ),
    ] = None


class DatabaseSize(Struct):
    """The size of the database."""

    size: Annotated[
        int | None, Meta(description="Its size in bytes; null if D1 did not report it.")
    ]
    limit: Annotated[
        int,
        Meta(
            description="The size of D1's largest databases, in bytes: 500 MB on Workers Free, "
            "10 GB on Workers Paid. `SUBREQUESTS` says which plan the deployment has."
        ),
    ]


class Overview(Struct):
    """The state of the deployment."""

    version: Annotated[str, Meta(description="The version of this service.")]
    database: Annotated[DatabaseSize, Meta(description="How full the database is.")]
    checks: Annotated[
        list[Check], Meta(description="What a first mail needs, in the order of setting it up.")
    ]


async def show(context: RequestContext) -> Response:
    """Show the state of the deployment.

    Returns the version, the size of the database, and a checklist: what a deployment needs until
    its first mail is delivered. `GET /admin/domains/{domain}/dns` checks the DNS records of a
    domain.

    :response 200 Overview: The state.
    :operation getOverview: Administration
    """
    services, settings, now = context.services, context.settings, context.now()
    facts = await read_facts(context.database, now=now)
    is_current = await has_newest_migration(context.database)
    checks = [
        _bindings(services),
        _secrets(settings),
        _migrations(is_current=is_current, is_usable=facts is not None),
        *(_facts(services, settings, facts, now) if facts else ()),
    ]
    is_free = settings.subrequests <= _SUBREQUESTS_ON_FREE
    size = DatabaseSize(context.database.size, _SIZE_ON_FREE if is_free else _SIZE_ON_PAID)
    return json_response(Overview(f"v{VERSION}", size, checks))


def _bindings(services: Services) -> Check:
    transport = services.transport or services.routing
    ports = {"SEND_MAIL": transport, "RATE_LIMITER": services.rate_limiter}
    missing = [name for name, port in ports.items() if port is None]
    state: CheckState = "missing" if "SEND_MAIL" in missing else "warning" if missing else "ok"
    return Check(name="bindings", state=state, details=missing)


def _secrets(settings: Settings) -> Check:
    doubtful = {
        "JWT_SECRET": has_short_secret(settings),
        "ADMIN_PASSWORDS": not settings.admin_passwords,
        "DISABLE_ADMIN_PASSWORD_CHECK": settings.disable_admin_password_check,
    }
    names = [name for name, is_doubtful in doubtful.items() if is_doubtful]
    return Check(name="secrets", state="warning" if names else "ok", details=names)


def _migrations(*, is_current: bool | None, is_usable: bool) -> Check:
    if is_current is None and is_usable:
        return Check(name="migrations", state="unknown", details=[NEWEST_MIGRATION])
    is_complete = is_current and is_usable
    details = [] if is_complete else [NEWEST_MIGRATION]
    return Check(name="migrations", state="ok" if is_complete else "missing", details=details)


def _facts(services: Services, settings: Settings, facts: Facts, now: int) -> Iterable[Check]:
    """The checks that need the tables of this version."""
    yield _cron(facts, now)
    yield _queue(services, settings, facts)
    yield _domains(settings, facts)
    yield _check("address", facts.has_address)
    yield _check("balance", facts.has_balance or settings.default_send_balance > 0)
    first = min(facts.sending_since.values(), default=None)
    yield _check("mail", first is not None, at=first)
    # Mail of the days before yesterday is more than a day old, so an event should have arrived.
    is_due = first is not None and first < utc_day(now - _DAY)
    yield _check("events", facts.heard is not None, "warning" if is_due else "waiting", facts.heard)


def _check(
    name: CheckName, is_ok: bool, otherwise: CheckState = "waiting", at: str | None = None
) -> Check:
    return Check(name=name, state="ok" if is_ok else otherwise, details=[], at=at)


def _cron(facts: Facts, now: int) -> Check:
    at = facts.cron_at
    if at is None or at > now + _CRON_SEEN_MILLISECONDS:  # a wrong clock noted it
        return _check("cron", False, "missing")
    return _check("cron", at >= now - _CRON_SEEN_MILLISECONDS, "missing", iso_time(at))


def _queue(services: Services, settings: Settings, facts: Facts) -> Check:
    reasons = {
        "OUTBOX": services.wakeup_queue is None,
        "SENDING_PAUSED": settings.sending_paused,
    }
    names = [name for name, applies in reasons.items() if applies]
    state: CheckState = "warning" if names or facts.overdue else "ok"
    return Check(name="queue", state=state, details=names, count=facts.overdue)


def _domains(settings: Settings, facts: Facts) -> Check:
    domains = settings.send_mail_domains or settings.domains
    unproven = [domain for domain in domains if domain not in facts.sending_since]
    state: CheckState = "missing" if not domains else "waiting" if unproven else "ok"
    return Check(name="domains", state=state, details=unproven)
