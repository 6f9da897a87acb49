"""Subscribe the queue of delivery events to each sending domain.

The provider reports what became of a mail only to the subscriptions of its sending domain. A
subscription that can't be created stops nothing: mail is sent without events. So each problem is a
sentence that says what is missing, why, and what to do.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# The queue of the delivery events. `src/runtime/event_queue.py` has the same name.
EVENTS_QUEUE = "send-mail-api-events"
_SOURCE = "email.sending"
_KINDS = ("delivered", "deferred", "bounced", "failed", "rejected", "complained")
_EVENTS = ",".join(f"message.{kind}" for kind in _KINDS)
_PAGE = 100

# A row of the table that wrangler prints: the zone and its id.
_ZONE = re.compile(r"([a-z0-9.-]+)[^a-z0-9.-]+([0-9a-f]{32})\b")

# Runs wrangler with these arguments.
Run = Callable[..., subprocess.CompletedProcess[str]]


def subscribe(domains: Iterable[str], run: Run) -> Iterator[str]:
    """Create one subscription for each of ``domains`` that has none, and print its domain.

    :returns: a sentence about each domain whose events will not, or not all, arrive.
    """
    wanted = sorted(set(domains))
    if not wanted:
        return
    existing = _subscriptions(run)
    if isinstance(existing, str):
        yield (
            "The subscriptions to delivery events can't be listed, so none was created: the "
            "service will not know what becomes of its mail. The login may lack the permission "
            f"to edit queues. Wrangler says:\n{existing}"
        )
        return
    zones: dict[str, str] | None = None
    for domain in wanted:
        if domain in existing:
            yield from _incomplete(domain, existing[domain])
            continue
        problem = _not_onboarded(domain, run)
        if problem is None:
            zones = zones if zones is not None else _zones(run)
            problem = _create(domain, _zone_of(domain, zones), run)
        if problem is not None:
            yield f"No delivery events will arrive for mail from {domain}. {problem}"


def _subscriptions(run: Run) -> dict[str, dict[str, Any]] | str:
    """The subscriptions of the queue by their domains; the output of wrangler if it fails."""
    found: dict[str, dict[str, Any]] = {}
    page = 1
    while True:
        pages = ("--page", str(page), "--per-page", str(_PAGE))
        result = run("queues", "subscription", "list", EVENTS_QUEUE, "--json", *pages)
        try:
            rows = json.loads(result.stdout[result.stdout.index("[") :])
        except ValueError:
            return _output(result)
        if result.returncode != 0:
            return _output(result)
        for row in rows:
            source = row.get("source", {})
            if source.get("type") == _SOURCE:
                found[str(source.get("domain")).lower()] = row
        if len(rows) < _PAGE:
            return found
        page += 1


def _incomplete(domain: str, subscription: dict[str, Any]) -> Iterator[str]:
    given = {str(event).rpartition(".")[2] for event in subscription.get("events", ())}
    missing = [kind for kind in _KINDS if kind not in given]
    if subscription.get("enabled") is False:
        fault = "is disabled"
    elif missing:
        fault = f"lacks the events {', '.join(missing)}"
    else:
        return
    yield (
        f"The subscription to the delivery events of {domain} {fault}. To change it, run `npx "
        f"wrangler queues subscription update {EVENTS_QUEUE} --id {subscription.get('id')} "
        f"--enabled --events {_EVENTS}`."
    )


def _not_onboarded(domain: str, run: Run) -> str | None:
    """Why the provider does not send for ``domain``; None if it does."""
    result = run("email", "sending", "settings", domain)
    if result.returncode == 0:
        return None
    output = _output(result)
    if "Could not find a zone" in output:
        return (
            "The domain is not in this Cloudflare account. Add it to the account, or remove it "
            "from DOMAINS."
        )
    if "No sending subdomain found" in output:
        return (
            f"Email Sending is not enabled for it. Run `npx wrangler email sending enable {domain}`"
            ", then `make deploy` again. Until then, the provider sends no mail from it either. "
            "Sending to any recipient, and delivery events, need the Workers Paid plan."
        )
    return (
        "Its settings can't be read. The login may lack the permission for Email Sending. "
        f"Wrangler says:\n{output}"
    )


def _zones(run: Run) -> dict[str, str]:
    """The ids of the zones in the account, by their names."""
    return dict(_ZONE.findall(run("email", "routing", "list").stdout.lower()))


def _zone_of(domain: str, zones: dict[str, str]) -> str | None:
    labels = domain.split(".")
    names = (".".join(labels[start:]) for start in range(len(labels)))
    return next((zones[name] for name in names if name in zones), None)


def _create(domain: str, zone: str | None, run: Run) -> str | None:
    """Create the subscription; return the reason if there is none afterwards."""
    options = ("--source", _SOURCE, "--domain", domain, "--events", _EVENTS)
    command = ("queues", "subscription", "create", EVENTS_QUEUE, *options)
    if zone is None:
        return (
            "Wrangler does not list the id of its zone. The overview of the domain in the "
            f"dashboard shows it. Then run `npx wrangler {' '.join(command)} --zone-id ZONE_ID`."
        )
    result = run(*command, "--name", f"{EVENTS_QUEUE} {domain}", "--zone-id", zone)
    if result.returncode == 0:
        print(f"Subscribed to the delivery events of {domain}.", flush=True)
        return None
    return (
        "Cloudflare rejected the subscription. On Workers Free there are no delivery events; "
        "otherwise the login may lack the permission to edit queues. Wrangler says:\n"
        f"{_output(result)}"
    )


def _output(result: subprocess.CompletedProcess[str]) -> str:
    return f"{result.stdout}\n{result.stderr}".strip()
