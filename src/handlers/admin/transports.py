"""``/admin/transports``: the ways by which mail leaves, and their states."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from accounts.credentials import Credential
from clock import iso_time
from errors import NotFound
from handlers.send_mail import submission_response
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import SendMail
from sending.submission import submit
from settings import Settings
from store.database import Row
from store.sendbox_generation import ADMINISTRATION
from store.transports import transport_states
from transport.outcome import BINDING
from transport.routing import ANY_DOMAIN, Routing, kind_of
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response, json_response

_SUBJECT = "Test of the transport {name}"
_TEXT = "This mail was sent through the transport {name}, to test it."


class TransportState(Struct, kw_only=True):
    """A transport: what sends through it, and whether it works."""

    name: Annotated[str, Meta(description="The name of the transport.")]
    type: Annotated[
        Literal["send_email", "resend", "smtp", "ses"],
        Meta(description="The kind of provider. `send_email` is the binding `SEND_MAIL`."),
    ]
    domains: Annotated[
        list[str],
        Meta(
            description="The sender domains of the deployment whose route has this transport, and "
            "`*` if the route of all other domains has it."
        ),
    ]
    state: Annotated[
        Literal["ok", "failing", "skipped"],
        Meta(
            description="`skipped`: it failed for all mail, so other transports of the route are "
            "used until `skipped_until`. `failing`: this time is over, and the next mail tries it."
        ),
    ]
    skipped_until: Annotated[
        str | None, Meta(description="The end of this time, in ISO 8601 (UTC); null otherwise.")
    ]
    sent_today: Annotated[
        int,
        Meta(description="The attempts that the provider accepted, for today's messages (UTC)."),
    ]
    rejected_today: Annotated[
        int,
        Meta(description="The attempts that the provider rejected, for today's messages (UTC)."),
    ]
    last_error: Annotated[
        str | None, Meta(description="The last error for which it failed for all mail, if any.")
    ]
    last_error_at: Annotated[
        str | None, Meta(description="The time of this error, in ISO 8601 (UTC).")
    ]


class TransportList(Struct):
    """The transports of the deployment."""

    results: Annotated[list[TransportState], Meta(description="The transports.")]


class TestMail(Struct, kw_only=True):
    """The addresses of a test mail."""

    __test__ = False

    from_mail: Annotated[
        str | None, Meta(description="The sender address, in a domain of the deployment. Required.")
    ] = None
    to_mail: Annotated[str | None, Meta(description="The recipient. Required.")] = None


async def list_transports(context: RequestContext) -> Response:
    """List transports.

    Returns the ways by which mail leaves the deployment, with their states. A transport that failed
    for all mail is tried again by itself.

    :response 200 TransportList: The transports.
    :operation listTransports: Administration
    """
    now, settings = context.now(), context.settings
    routing = _routing(context)
    states, today = await transport_states(context.database, now=now)
    by_name = {row["name"]: row for row in states}
    counts = {row["transport"]: row for row in today}
    names = [*([BINDING] if routing.has_binding else []), *routing.transports]
    return json_response(
        TransportList(
            [
                _state(
                    name, routing, _domains(settings, routing), by_name.get(name), counts, now=now
                )
                for name in names
            ]
        )
    )


async def test(context: RequestContext) -> Response:
    """Send a test mail.

    Sends a short mail through one transport, even if it is skipped at present. No other transport
    is tried, and the mail is not retried. The result is recorded as the state of the transport.

    :path name: The name of a transport. Example: `send_email`.
    :body TestMail:
    :response 200 SendResponse: The provider accepted the mail.
    :response 202 SendResponse: The outcome is not known, and the provider is asked again.
    :errors: transport_not_found, required_field_missing, required_field_missing.422, MESSAGE,
        SENDING, OUTCOME
    :operation testTransport: Administration
    """
    body = await read_json(context.request, TestMail)
    name = context.parameters["name"]
    if not _routing(context).has(name):
        raise NotFound("transport_not_found")
    mail = SendMail(
        to_mail=required(body.to_mail, "to_mail"),
        subject=_SUBJECT.format(name=name),
        content=_TEXT.format(name=name),
    )
    policy = SenderPolicy(context.settings.domains, ())
    sender = Origin(address=required(body.from_mail, "from_mail"))
    message = compose(mail, sender, policy)
    result = await submit(
        context,
        Credential(str(message.sender), ADMINISTRATION, 0),
        message,
        administrator=context.administrator,
        transport=name,
    )
    return submission_response(result)


def _routing(context: RequestContext) -> Routing:
    services, settings = context.services, context.settings
    return services.routing or Routing(
        transports={},
        routes={},
        binding_domains=settings.send_mail_domains,
        has_binding=services.transport is not None,
    )


def _domains(settings: Settings, routing: Routing) -> list[str]:
    return sorted({*settings.domains, *settings.send_mail_domains, *routing.routes} - {ANY_DOMAIN})


def _state(
    name: str,
    routing: Routing,
    domains: Iterable[str],
    failed: Row | None,
    counts: dict[str, Row],
    *,
    now: int,
) -> TransportState:
    config, count = routing.transports.get(name), counts.get(name, {})
    skipped_until = failed["skipped_until"] if failed else 0
    is_failing = failed is not None and failed["failures"] > 0
    served = [domain for domain in domains if name in routing.route(domain)]
    if name in routing.routes.get(ANY_DOMAIN, ()):
        served.append(ANY_DOMAIN)
    return TransportState(
        name=name,
        type=kind_of(config) if config else "send_email",
        domains=served,
        state="skipped" if skipped_until > now else "failing" if is_failing else "ok",
        skipped_until=iso_time(skipped_until) if skipped_until > now else None,
        sent_today=count.get("sent", 0),
        rejected_today=count.get("rejected", 0),
        last_error=failed["last_error"] if failed else None,
        last_error_at=iso_time(failed["failed_at"]) if failed else None,
    )
