"""``/webhooks``: the webhooks of an address, as in Resend's API, and their deliveries."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from clock import iso_time
from errors import field_error
from handlers import webhook_views as views
from mail.webhook_bodies import body_of
from mail.webhook_events import WebhookEvent
from store.webhook_log import DeliveryStatus, delivery_page, find_delivery
from web.context import RequestContext
from web.query import cursor_of_resend, page_limit
from web.responses import Response, json_response

# The number of an attempt. None has the last one.
_NUMBER = re.compile("[0-9]{1,10}")
_AFTER_ALL = "9999999999"


class WebhookEventLog(Struct, kw_only=True):
    """A delivery in a list."""

    id: Annotated[str, Meta(description="The id of the delivery.")]
    type: Annotated[WebhookEvent, Meta(description="The type of the event.")]
    created_at: Annotated[str, Meta(description="The time of the event, in ISO 8601 (UTC).")]
    status: Annotated[DeliveryStatus, Meta(description="The status of the delivery.")]


class WebhookEventList(Struct, kw_only=True, tag_field="object", tag="list"):
    """A page of deliveries, newest first."""

    has_more: Annotated[bool, Meta(description="Whether there are more deliveries.")]
    data: Annotated[list[WebhookEventLog], Meta(description="The deliveries of this page.")]


class WebhookEventDetail(WebhookEventLog, kw_only=True, tag_field="object", tag="webhook_event"):
    """A delivery and its body."""

    next_attempt_at: Annotated[
        str | None, Meta(description="The time of the next attempt, in ISO 8601 (UTC).")
    ]
    payload: Annotated[
        dict[str, Any] | None,
        Meta(description="The body; null if it was removed, a week after the delivery succeeded."),
    ]


class WebhookEventAttempt(Struct, kw_only=True):
    """An attempt in a list."""

    id: Annotated[str, Meta(description="The number of the attempt, from 1.")]
    http_status_code: Annotated[
        int, Meta(description="The status of the response; 0 if there was no response.")
    ]
    response: Annotated[
        str, Meta(description="The first 1,024 bytes of the response, or why there was none.")
    ]
    sent_at: Annotated[str, Meta(description="The time of the attempt, in ISO 8601 (UTC).")]


class WebhookEventAttemptList(Struct, kw_only=True, tag_field="object", tag="list"):
    """The attempts of a delivery, newest first."""

    has_more: Annotated[bool, Meta(description="Whether there are older attempts.")]
    data: Annotated[list[WebhookEventAttempt], Meta(description="The attempts.")]


async def create(context: RequestContext) -> Response:
    """Create a webhook.

    From now on, the endpoint receives the chosen events of the address's messages. An address has
    at most 10 webhooks.

    :body NewWebhook:
    :response 200 WebhookSecret: The webhook was created.
    :errors: required_field_missing, invalid_endpoint, too_many_webhooks, too_many_webhook_calls
    :operation createWebhook: Webhooks
    """
    return await views.create(context, context.credential, context.owner)


async def list_webhooks(context: RequestContext) -> Response:
    """List webhooks.

    Returns the webhooks of the address, newest first.

    :query limit:
    :query after: The id of the webhook that precedes the page: the last one of the previous page.
    :query before: The id of the webhook that follows the page. Not together with `after`.
    :response 200 WebhookList: A page of webhooks.
    :errors: invalid_limit, invalid_cursor, two_cursors
    :operation listWebhooks: Webhooks
    """
    return await views.list_webhooks(context, context.credential)


async def retrieve(context: RequestContext) -> Response:
    """Get a webhook.

    Returns a webhook with its secret.

    :path id: The id of a webhook.
    :response 200 Webhook: The webhook.
    :errors: webhook_not_found
    :operation getWebhook: Webhooks
    """
    return await views.show(context, context.credential, context.parameters["id"])


async def update(context: RequestContext) -> Response:
    """Change a webhook.

    Changes the endpoint, the events or the status. A disabled webhook receives no new events, and
    its waiting deliveries end as `failed`.

    :path id: The id of a webhook.
    :body WebhookChange:
    :response 200 WebhookObject: The webhook was changed.
    :errors: required_field_missing, invalid_endpoint, webhook_not_found, too_many_webhook_calls
    :operation updateWebhook: Webhooks
    """
    return await views.update(context, context.credential, context.owner, context.parameters["id"])


async def remove(context: RequestContext) -> Response:
    """Remove a webhook.

    Its waiting deliveries are not sent, and its log is removed.

    :path id: The id of a webhook.
    :response 200 RemovedWebhook: The webhook was removed.
    :errors: webhook_not_found
    :operation removeWebhook: Webhooks
    """
    return await views.remove(context, context.credential, context.owner, context.parameters["id"])


async def rotate_secret(context: RequestContext) -> Response:
    """Replace the secret of a webhook.

    For 24 hours, deliveries are also signed with the previous secret.

    :path id: The id of a webhook.
    :response 200 WebhookSecret: The webhook and its new secret.
    :errors: webhook_not_found, too_many_webhook_calls
    :operation rotateWebhookSecret: Webhooks
    """
    return await views.rotate(context, context.credential, context.owner, context.parameters["id"])


async def rotate_signing_secret(context: RequestContext) -> Response:
    """Replace the secret of a webhook, as Resend's SDKs do.

    Does the same as `POST /webhooks/{id}/rotate_secret`.

    :path id: The id of a webhook.
    :response 200 WebhookSecret: The webhook and its new secret.
    :errors: webhook_not_found, too_many_webhook_calls
    :operation rotateWebhookSigningSecret: Webhooks
    """
    return await views.rotate(context, context.credential, context.owner, context.parameters["id"])


async def test(context: RequestContext) -> Response:
    """Test a webhook.

    Sends an example of an event at once, and returns what the receiver responded. The example is
    not repeated, and is not in the log.

    :path id: The id of a webhook.
    :body NewWebhookTest: Optional.
    :response 200 WebhookTest: The result, also if the receiver did not respond.
    :errors: webhook_not_found, too_many_webhook_calls
    :operation testWebhook: Webhooks
    """
    return await views.test(context, context.credential, context.parameters["id"])


async def list_deliveries(context: RequestContext) -> Response:
    """List the deliveries of a webhook.

    Returns what was sent in the last 30 days, and what the receiver responded, newest first.

    :path id: The id of a webhook.
    :query limit:
    :query status: Return only deliveries with this status: `pending`, `attempting`, `success` or
        `failed`. Example: `failed`.
    :query type: Return only deliveries of this type of event.
    :query cursor:
    :response 200 DeliveryPage: A page of deliveries.
    :errors: invalid_limit, invalid_status, invalid_type, invalid_cursor, webhook_not_found
    :operation listWebhookDeliveries: Webhooks
    """
    return await views.list_deliveries(context, context.credential, context.parameters["id"])


async def replay_delivery(context: RequestContext) -> Response:
    """Send a delivery again.

    Sends it at once, with the same id and body, and then repeats it as a new one.

    :path id: The id of a webhook.
    :path delivery: The id of a delivery. Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :response 200 ReplayedDelivery: The delivery is sent again.
    :errors: WEBHOOK_REPLAY, too_many_webhook_calls
    :operation replayWebhookDelivery: Webhooks
    """
    these = context.parameters["id"], context.parameters["delivery"]
    return await views.replay(context, context.credential, context.owner, *these)


async def list_events(context: RequestContext) -> Response:
    """List the deliveries of a webhook, as Resend's SDKs do.

    Returns the deliveries of the last 30 days, newest first.

    :path id: The id of a webhook.
    :query limit:
    :query after: The id of the delivery that precedes the page.
    :response 200 WebhookEventList: A page of deliveries.
    :errors: invalid_limit, invalid_cursor, webhook_not_found
    :operation listWebhookEvents: Webhooks
    """
    query = context.request.query
    limit = page_limit(query)
    after = cursor_of_resend(query, "after")
    rows, following = await delivery_page(
        context.database, context.credential, context.parameters["id"], after=after, limit=limit
    )
    data = [
        WebhookEventLog(
            id=row["id"],
            type=row["type"],
            created_at=iso_time(row["created_at"]),
            status=row["status"],
        )
        for row in rows
    ]
    return json_response(WebhookEventList(has_more=following is not None, data=data))


async def retrieve_event(context: RequestContext) -> Response:
    """Get a delivery with its body, as Resend's SDKs do.

    Returns one delivery of the webhook.

    :path id: The id of a webhook.
    :path event: The id of a delivery. Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :response 200 WebhookEventDetail: The delivery.
    :errors: webhook_not_found, webhook_delivery_not_found
    :operation getWebhookEvent: Webhooks
    """
    row, _ = await find_delivery(
        context.database, context.credential, context.parameters["id"], context.parameters["event"]
    )
    body = row["body"] or (body_of(row["type"], row["facts"]) if row["facts"] else "null")
    detail = WebhookEventDetail(
        id=row["id"],
        type=row["type"],
        created_at=iso_time(row["created_at"]),
        status=row["status"],
        next_attempt_at=iso_time(row["next_attempt_at"]) if row["status"] == "pending" else None,
        payload=msgspec.json.decode(body),
    )
    return json_response(detail)


async def replay_event(context: RequestContext) -> Response:
    """Send a delivery again, as Resend's SDKs do.

    Does the same as `POST /webhooks/{id}/deliveries/{delivery}/replay`.

    :path id: The id of a webhook.
    :path event: The id of a delivery. Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :response 200 ReplayedDelivery: The delivery is sent again.
    :errors: WEBHOOK_REPLAY, too_many_webhook_calls
    :operation replayWebhookEvent: Webhooks
    """
    these = context.parameters["id"], context.parameters["event"]
    return await views.replay(context, context.credential, context.owner, *these)


async def list_attempts(context: RequestContext) -> Response:
    """List the attempts of a delivery, as Resend's SDKs do.

    Returns what the receiver responded, newest first.

    :path id: The id of a webhook.
    :path event: The id of a delivery. Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :query limit:
    :query after: The id of the attempt that precedes the page. Example: `2`.
    :response 200 WebhookEventAttemptList: The attempts.
    :errors: invalid_limit, invalid_cursor, webhook_not_found, webhook_delivery_not_found
    :operation listWebhookEventAttempts: Webhooks
    """
    query = context.request.query
    limit = page_limit(query)
    after = query.get("after", _AFTER_ALL)
    if not _NUMBER.fullmatch(after):
        raise field_error("invalid_cursor", "after")
    _, rows = await find_delivery(
        context.database, context.credential, context.parameters["id"], context.parameters["event"]
    )
    older = [row for row in rows if row["number"] < int(after)]
    data = [
        WebhookEventAttempt(
            id=str(row["number"]),
            http_status_code=row["code"] or 0,
            response=row["response"] or row["error"] or "",
            sent_at=iso_time(row["started_at"]),
        )
        for row in older[:limit]
    ]
    return json_response(WebhookEventAttemptList(has_more=len(older) > limit, data=data))
