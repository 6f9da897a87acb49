"""Which transport makes the next attempt of a message."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mail.submission import Attempt
from transport.outcome import ABOUT_TRANSPORT, BINDING, FAILS_FOR_ALL, Outcome, Rejected, Sent

if TYPE_CHECKING:
    from store.transports import States
    from transport.routing import Routing


def with_route(attempt: Attempt, routing: "Routing | None", only: str | None = None) -> Attempt:
    """The first attempt of a message, with the transports that it may use.

    :param only: the name of the only transport to use; None to choose by the sender's domain.
    """
    if attempt.message.is_sandbox:
        return attempt
    if only is not None or routing is None:
        name = only or BINDING
        route: tuple[str, ...] = (name,) if routing else ()
        one = replace(attempt, transport=name, route=route, retries=only is None)
    else:
        domain = attempt.message.sender.domain
        route, verified_route = routing.route(domain), routing.verified_route(domain)
        one = replace(attempt, route=route, verified_route=verified_route)
    # If this worker dies, another one asks the provider again, with the same content.
    is_keyed = routing is not None and not {*one.route, *one.verified_route}.isdisjoint(
        routing.keyed
    )
    return replace(one, keeps_attachments=True) if is_keyed else one


def chosen(attempt: Attempt, name: str | None) -> Attempt:
    """``attempt`` by the transport ``name``, which the reserve batch has chosen."""
    if not attempt.route or attempt.transport is not None:
        return attempt
    # The binding is in the other route only if it sends to verified recipients.
    route = attempt.route if name in attempt.route else attempt.verified_route
    return replace(attempt, transport=name, route=route)


def with_waiting_route(attempt: Attempt, routing: "Routing | None") -> Attempt:
    """A claimed attempt, with the transports that it may use."""
    if routing is None or attempt.message.is_sandbox:
        return attempt
    domain = attempt.message.sender.domain
    route = routing.route(domain)
    # The binding is only in the other route if all recipients are verified.
    if attempt.transport == BINDING and BINDING not in route:
        route = routing.verified_route(domain)
    return replace(attempt, route=route)


def transport_states(ended: Iterable[tuple[Attempt, Outcome]]) -> "States":
    """The errors of the transports that have failed for all mail, None for those that work."""
    states: States = {}
    for attempt, outcome in ended:
        name = attempt.transport
        if name is None:
            continue
        if isinstance(outcome, Sent):
            states[name] = None
        elif isinstance(outcome, Rejected) and outcome.reason in FAILS_FOR_ALL:
            states.setdefault(name, outcome.detail or outcome.provider_code)
    return states


def next_transport(attempt: Attempt, outcome: Outcome) -> str | None:
    """The transport that is tried after this outcome; None if there is none.

    There is one only after a definite rejection that concerns the transport.
    """
    if not isinstance(outcome, Rejected) or outcome.reason not in ABOUT_TRANSPORT:
        return None
    tried = {*attempt.tried, attempt.transport}
    return next((name for name in attempt.route if name not in tried), None)


def replacement(attempt: Attempt, routing: "Routing | None") -> str | None:
    """The transport that replaces the one of a waiting message; None if that one stays.

    It is replaced if the deployment does not have it any more, or if it is skipped and the route
    has one that is not. If the outcome of an earlier attempt is not known, it is never replaced.
    """
    present, skipped = attempt.transport, attempt.skipped
    if attempt.asks_again or attempt.message.is_sandbox:
        return None
    if routing is None:
        return BINDING if present not in (BINDING, None) else None
    usable = [name for name in attempt.route if name not in skipped]
    if present is not None and routing.has(present) and (present not in skipped or not usable):
        return None
    return next(iter(usable or attempt.route), None)
