"""The work of ``/webhooks`` and ``/admin/webhooks``. Only the owners differ."""

from typing import get_args

import msgspec

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.webhook_endpoints import checked_endpoint
from accounts.webhook_secrets import shown_secret, signing_key
from clock import iso_time
from handlers.webhook_types import (
    Delivery,
    DeliveryAttempt,
    DeliveryPage,
    ListedWebhook,
    NewWebhook,
    NewWebhookTest,
    RemovedWebhook,
    ReplayedDelivery,
    Webhook,
    WebhookChange,
    WebhookList,
    WebhookObject,
    WebhookSecret,
    WebhookTest,
)
from ids import new_id
from mail.webhook_events import EVENTS, WebhookEvent
from mail.webhook_examples import example_body
from sending.enqueue import wake_webhooks
from sending.webhooks import send_signed
from store import webhook_log, webhooks
from store.database import Row
from store.webhook_calls import count_webhook_call
from store.webhook_log import DeliveryStatus
from web.body import read_json, read_optional_json
from web.context import RequestContext
from web.query import after_and_before, cursor, one_of, page_limit, required
from web.responses import Response, json_response

Owner = Credential | None


async def create(context: RequestContext, owner: Owner, by: Actor) -> Response:
    """Create the webhook in the body of the request."""
    body = await read_json(context.request, NewWebhook)
    endpoint = _endpoint(context, required(body.endpoint, "endpoint"))
    events = _events(body.events)
    await _count_call(context, owner)
    row = await webhooks.create_webhook(
        context.database, owner, endpoint=endpoint, events=events, by=by, now=context.now()
    )
    return json_response(WebhookSecret(row["id"], _secret(context, row)))


async def list_webhooks(context: RequestContext, owner: Owner) -> Response:
    """A page of webhooks."""
    query = context.request.query
    limit = page_limit(query)
    after, before = after_and_before(query)
    rows, has_more = await webhooks.webhook_page(
        context.database, owner, limit=limit, after=after, before=before
    )
    data = [ListedWebhook(**shown(row)) for row in rows]
    return json_response(WebhookList(has_more=has_more, data=data))


async def show(context: RequestContext, owner: Owner, webhook_id: str) -> Response:
    """A webhook."""
    row = await webhooks.find_webhook(context.database, owner, webhook_id)
    return json_response(Webhook(**shown(row), signing_secret=_secret(context, row)))


async def update(context: RequestContext, owner: Owner, by: Actor, webhook_id: str) -> Response:
    """Change a webhook."""
    body = await read_json(context.request, WebhookChange)
    endpoint = None if body.endpoint is None else _endpoint(context, body.endpoint)
    events = None if body.events is None else _events(body.events)
    await _count_call(context, owner)
    await webhooks.update_webhook(
        context.database,
        owner,
        webhook_id,
        endpoint=endpoint,
        events=events,
        status=body.status,
        by=by,
        now=context.now(),
    )
    return json_response(WebhookObject(webhook_id))


async def remove(context: RequestContext, owner: Owner, by: Actor, webhook_id: str) -> Response:
    """Remove a webhook."""
    await webhooks.remove_webhook(context.database, owner, webhook_id, by=by, now=context.now())
    return json_response(RemovedWebhook(webhook_id))


async def rotate(context: RequestContext, owner: Owner, by: Actor, webhook_id: str) -> Response:
    """Replace the secret of a webhook."""
    await _count_call(context, owner)
    version = await webhooks.rotate_secret(
        context.database, owner, webhook_id, by=by, now=context.now()
    )
    row = {"id": webhook_id, "secret_version": version}
    return json_response(WebhookSecret(webhook_id, _secret(context, row)))


async def test(context: RequestContext, owner: Owner, webhook_id: str) -> Response:
    """Send an example to a webhook, and show the response."""
    body = await read_optional_json(context.request, NewWebhookTest)
    await _count_call(context, owner)
    row = await webhooks.find_webhook(context.database, owner, webhook_id)
    payload = example_body(body.type, now=context.now())
    outcome = await send_signed(row, new_id(context.now()), payload, context.services)
    result = WebhookTest(
        success=outcome.result == "success",
        status_code=outcome.code,
        milliseconds=outcome.milliseconds,
        response=outcome.response,
        error=outcome.error,
        payload=msgspec.json.decode(payload),
    )
    return json_response(result)


async def list_deliveries(context: RequestContext, owner: Owner, webhook_id: str) -> Response:
    """A page of deliveries of a webhook."""
    query = context.request.query
    limit = page_limit(query)
    status = one_of(query, "status", ("", *get_args(DeliveryStatus)), "")
    kind = one_of(query, "type", ("", *EVENTS), "")
    rows, following = await webhook_log.delivery_page(
        context.database,
        owner,
        webhook_id,
        status=status or None,
        kind=kind or None,
        after=cursor(query.get("cursor", ""), 0),
        limit=limit,
    )
    return json_response(DeliveryPage([_delivery(row) for row in rows], following))


async def replay(
    context: RequestContext, owner: Owner, by: Actor, webhook_id: str, delivery_id: str
) -> Response:
    """Send a delivery of a webhook again."""
    await _count_call(context, owner)
    await webhook_log.replay_delivery(
        context.database, owner, webhook_id, delivery_id, by=by, now=context.now()
    )
    wake_webhooks(context.services, [webhook_id])
    return json_response(ReplayedDelivery(delivery_id))


async def _count_call(context: RequestContext, owner: Owner) -> None:
    most_a_day = context.settings.max_webhook_calls_per_day
    await count_webhook_call(context.database, owner, most_a_day=most_a_day, now=context.now())


def _endpoint(context: RequestContext, given: str) -> str:
    return checked_endpoint(given, allow_loopback=context.settings.enable_local_webhooks)


def _events(given: list[WebhookEvent] | None) -> list[WebhookEvent]:
    """The events in their usual order, each once."""
    asked = set(required(given, "events"))
    return [event for event in EVENTS if event in asked]


def _secret(context: RequestContext, row: Row) -> str:
    secret = context.settings.webhook_secrets[0]
    return shown_secret(signing_key(secret, row["id"], row["secret_version"]))


def shown(row: Row) -> Row:
    """The fields of ``ListedWebhook`` from a row of ``store.webhooks``."""
    failing_since = row["failing_since"]
    return {
        "id": row["id"],
        "endpoint": row["endpoint"],
        "events": msgspec.json.decode(row["events"]),
        "status": "disabled" if row["disabled_by"] else "enabled",
        "disabled_reason": row["disabled_by"],
        "failing_since": None if failing_since is None else iso_time(failing_since),
        "created_at": iso_time(row["created_at"]),
    }


def _delivery(row: Row) -> Delivery:
    next_at = row["next_attempt_at"]
    return Delivery(
        id=row["id"],
        type=row["type"],
        status=row["status"],
        created_at=iso_time(row["created_at"]),
        next_attempt_at=iso_time(next_at) if row["status"] == "pending" else None,
        attempts=[_attempt(one) for one in msgspec.json.decode(row["attempts"])],
    )


def _attempt(row: Row) -> DeliveryAttempt:
    return DeliveryAttempt(
        number=row["number"],
        sent_at=iso_time(row["started_at"]),
        milliseconds=row["milliseconds"],
        status_code=row["code"],
        response=row["response"],
        error=row["error"],
    )
