"""``/admin/domains``: what became of the mail of each sending domain, and its DNS records."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from clock import utc_day
from errors import field_error
from mail.addresses import InvalidAddress, ascii_domain
from mail.delivery import KINDS
from mail.sending_dns import (
    DnsRecord,
    RecordKind,
    RecordState,
    bounce_name,
    dkim_name,
    dkim_record,
    dmarc_names,
    dmarc_record,
    mx_record,
    spf_record,
    text_of,
)
from store.domains import domain_page
from web.context import RequestContext
from web.dns import look_up
from web.query import limit_and_offset
from web.responses import Response, json_response

# Cloudflare's marks for senders: the rates stay below them.
_BOUNCE_MARK = 0.02
_COMPLAINT_MARK = 0.001

_DAY = 86_400_000

DomainState = Literal["unused", "too_early", "heard", "never_heard", "silent"]


class DomainNumbers(Struct, kw_only=True):
    """Numbers of recipients. A recipient counts once for each kind of event that has arrived."""

    accepted: Annotated[
        int, Meta(description="The number of recipients of messages that the provider accepted.")
    ] = 0
    delivered: Annotated[int, Meta(description="Their server accepted the mail.")] = 0
    delayed: Annotated[
        int, Meta(description="Their server rejected the mail for a while; the provider retries.")
    ] = 0
    bounced: Annotated[int, Meta(description="Their server finally rejected the mail.")] = 0
    failed: Annotated[int, Meta(description="The provider could not deliver the mail.")] = 0
    rejected: Annotated[
        int, Meta(description="The provider rejected the mail after it had accepted it.")
    ] = 0
    complained: Annotated[int, Meta(description="They reported the mail as spam.")] = 0


class DomainDay(DomainNumbers, kw_only=True):
    """The recipients of the messages that were accepted on one UTC day."""

    day: Annotated[str, Meta(description="The day, `YYYY-MM-DD`.")]


class DomainPeriod(DomainNumbers, kw_only=True):
    """The sums of the last days, and the rates."""

    bounce_rate: Annotated[
        float | None,
        Meta(
            description="`bounced` divided by `accepted`, without the days whose recipients were "
            "not counted yet; null without recipients."
        ),
    ] = None
    complaint_rate: Annotated[
        float | None,
        Meta(description="`complained` divided by `accepted`, in the same way."),
    ] = None


class Domain(Struct, kw_only=True):
    """What became of the mail of a sending domain."""

    domain: Annotated[str, Meta(description="The domain, in lower case.")]
    state: Annotated[
        DomainState,
        Meta(
            description="Whether delivery events arrive. `unused`: no mail was sent. `too_early`: "
            "the first mail may be less than a day old. `heard`: events arrive. `never_heard`: no "
            "event has arrived. `silent`: events arrived, but none for the mail of later days."
        ),
    ]
    last_heard: Annotated[
        str | None,
        Meta(description="The last day whose mail has any event, `YYYY-MM-DD`; null without one."),
    ]
    last_7_days: Annotated[DomainPeriod, Meta(description="The last 7 UTC days, with today.")]
    last_30_days: Annotated[DomainPeriod, Meta(description="The last 30 UTC days, with today.")]
    days: Annotated[
        list[DomainDay],
        Meta(description="Those of the last 90 UTC days that have numbers, oldest first."),
    ]


class DomainMarks(Struct):
    """The rates below which Cloudflare wants its senders to stay."""

    bounce_rate: Annotated[float, Meta(description="The mark for `bounce_rate`.")]
    complaint_rate: Annotated[float, Meta(description="The mark for `complaint_rate`.")]


class DomainPage(Struct):
    """A page of sending domains."""

    results: Annotated[list[Domain], Meta(description="The domains of this page.")]
    count: Annotated[int, Meta(description="The total number of domains.")]
    marks: Annotated[DomainMarks, Meta(description="The rates to stay below.")]


class DomainRecord(Struct, kw_only=True):
    """A DNS record that a sending domain needs."""

    kind: Annotated[
        RecordKind,
        Meta(
            description="`spf`: the provider's servers may send for the domain. `dkim`: the key "
            "that checks the provider's signatures. `dmarc`: what receivers do with mail that is "
            "not authentic. `mx`: where bounces go."
        ),
    ]
    name: Annotated[str, Meta(description="The name of the record.")]
    type: Annotated[Literal["TXT", "MX"], Meta(description="The type of the record.")]
    state: Annotated[
        RecordState,
        Meta(
            description="`ok`; `weak`: the DMARC policy is `none`, so receivers accept forged "
            "mail, or holds for only some of the mail (`pct`), or is only tested (`t=y`); "
            "`missing`; `wrong`: another content, several records, or a revoked key; "
            "`unknown`: the resolver did not respond."
        ),
    ]
    found: Annotated[list[str], Meta(description="The contents of the present records.")]
    expected: Annotated[
        list[str],
        Meta(
            description="The contents to set, one per record. Empty for `dkim`, because the "
            "provider makes the key: `npx wrangler email sending dns get DOMAIN` prints the record."
        ),
    ]
    policy: Annotated[
        str | None,
        Meta(description="The DMARC policy: `none`, `quarantine` or `reject`; otherwise null."),
    ]


class DomainDns(Struct):
    """The DNS records of a sending domain."""

    domain: Annotated[str, Meta(description="The domain, in lower case.")]
    records: Annotated[
        list[DomainRecord], Meta(description="The records `spf`, `dkim`, `dmarc` and `mx`.")
    ]


async def list_domains(context: RequestContext) -> Response:
    """List sending domains.

    Returns the domains of the settings, and all others that have sent mail in the last 90 days,
    with the numbers of recipients by day. The provider sends no delivery events on Workers Free,
    and none for verified destination addresses.

    :query limit:
    :query offset:
    :response 200 DomainPage: A page of domains, in alphabetical order.
    :errors: PAGING
    :operation listDomains: Administration
    """
    limit, offset = limit_and_offset(context.request.query)
    settings, now = context.settings, context.now()
    configured = {*settings.domains, *settings.send_mail_domains}
    rows, count = await domain_page(
        context.database, configured, now=now, limit=limit, offset=offset
    )
    results = [
        _domain(name, msgspec.convert(days, list[DomainDay]), now) for name, days in rows.items()
    ]
    return json_response(DomainPage(results, count, DomainMarks(_BOUNCE_MARK, _COMPLAINT_MARK)))


async def check_dns(context: RequestContext) -> Response:
    """Check the DNS records of a sending domain.

    Looks up the records that mail from this domain needs, by DNS over HTTPS. A lookup takes at most
    five seconds. Without a DMARC record of the domain, the record of a parent domain counts.

    :path domain: A sending domain. Example: `example.com`.
    :response 200 DomainDns: The records.
    :errors: invalid_domain
    :operation checkDomain: Administration
    """
    try:
        domain = ascii_domain(context.parameters["domain"])
    except InvalidAddress as error:
        raise field_error("invalid_domain", "domain") from error
    lookups = [one(context, domain) for one in (_spf, _dkim, _dmarc, _mx)]
    found = await context.services.waiting.all(lookups)
    records = msgspec.convert(found, list[DomainRecord], from_attributes=True)
    return json_response(DomainDns(domain, records))


async def _spf(context: RequestContext, domain: str) -> DnsRecord:
    return spf_record(domain, await _texts(context, bounce_name(domain)))


async def _dkim(context: RequestContext, domain: str) -> DnsRecord:
    return dkim_record(domain, await _texts(context, dkim_name(domain)))


async def _dmarc(context: RequestContext, domain: str) -> DnsRecord:
    for name in dmarc_names(domain):
        record = dmarc_record(domain, name, await _texts(context, name))
        if record.state != "missing":
            break
    return record


async def _mx(context: RequestContext, domain: str) -> DnsRecord:
    return mx_record(domain, await look_up(context, bounce_name(domain), "MX"))


async def _texts(context: RequestContext, name: str) -> list[str] | None:
    data = await look_up(context, name, "TXT")
    return None if data is None else [text_of(one) for one in data]


def _domain(name: str, days: list[DomainDay], now: int) -> Domain:
    heard = [one.day for one in days if any(getattr(one, kind) for kind in KINDS)]
    return Domain(
        domain=name,
        state=_state(days, heard, now),
        last_heard=max(heard, default=None),
        last_7_days=_period(days, utc_day(now - 6 * _DAY)),
        last_30_days=_period(days, utc_day(now - 29 * _DAY)),
        days=days,
    )


def _state(days: Sequence[DomainDay], heard: Sequence[str], now: int) -> DomainState:
    """Whether events arrive. All mail of the days before yesterday is more than a day old."""
    used = [one.day for one in days if one.accepted]
    due = [day for day in used if day < utc_day(now - _DAY)]
    if not heard:
        return "never_heard" if due else "too_early" if used else "unused"
    return "silent" if any(day > max(heard) for day in due) else "heard"


def _period(days: Sequence[DomainDay], since: str) -> DomainPeriod:
    names = DomainNumbers.__struct_fields__
    sums = {name: sum(getattr(one, name) for one in days if one.day >= since) for name in names}
    period = DomainPeriod(**sums)
    # Recipients are counted since migration 0002, so the rate of an earlier day is not known.
    counted = [
        one
        for one in days
        if one.day >= since and one.accepted >= max(1, one.bounced, one.complained)
    ]
    if accepted := sum(one.accepted for one in counted):
        period.bounce_rate = round(sum(one.bounced for one in counted) / accepted, 6)
        period.complaint_rate = round(sum(one.complained for one in counted) / accepted, 6)
    return period
