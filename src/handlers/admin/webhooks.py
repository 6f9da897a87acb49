"""``/admin/webhooks``: webhooks that receive the events of all addresses, and their deliveries."""

from typing import Annotated

from msgspec import Meta, Struct

from handlers import webhook_views as views
from handlers.webhook_types import ListedWebhook
from handlers.webhook_views import shown
from store.webhooks import disabled_webhooks
from web.context import RequestContext
from web.query import cursor, page_limit
from web.responses import Response, json_response


class DisabledWebhook(ListedWebhook, kw_only=True):
    """A disabled webhook of any owner."""

    address: Annotated[
        str | None, Meta(description="The address that owns the webhook; null for administrators.")
    ]


class DisabledWebhookPage(Struct):
    """A page of disabled webhooks, newest first."""

    results: Annotated[list[DisabledWebhook], Meta(description="The webhooks of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page; null on the last page.")
    ]


async def create(context: RequestContext) -> Response:
    """Create a webhook for all addresses.

    From now on, the endpoint receives the chosen events of all messages. There are at most 20 such
    webhooks.

    :body NewWebhook:
    :response 200 WebhookSecret: The webhook was created.
    :errors: required_field_missing, invalid_endpoint, too_many_webhooks
    :operation createWebhookAsAdmin: Administration
    """
    return await views.create(context, None, context.administrator)


async def list_webhooks(context: RequestContext) -> Response:
    """List the webhooks for all addresses.

    Returns the webhooks of administrators, newest first.

    :query limit:
    :query after: The id of the webhook that precedes the page: the last one of the previous page.
    :query before: The id of the webhook that follows the page. Not together with `after`.
    :response 200 WebhookList: A page of webhooks.
    :errors: invalid_limit, invalid_cursor, two_cursors
    :operation listWebhooksAsAdmin: Administration
    """
    return await views.list_webhooks(context, None)


async def list_disabled(context: RequestContext) -> Response:
    """List disabled webhooks.

    Returns the disabled webhooks of all addresses and of administrators, newest first.

    :query limit:
    :query cursor:
    :response 200 DisabledWebhookPage: A page of disabled webhooks.
    :errors: invalid_limit, invalid_cursor
    :operation listDisabledWebhooks: Administration
    """
    query = context.request.query
    limit, after = page_limit(query), cursor(query.get("cursor", ""), 0)
    rows, has_more = await disabled_webhooks(context.database, after=after, limit=limit)
    results = [DisabledWebhook(**shown(row), address=row["address"]) for row in rows]
    following = rows[-1]["id"] if has_more else None
    return json_response(DisabledWebhookPage(results, following))


async def retrieve(context: RequestContext) -> Response:
    """Get a webhook for all addresses.

    Returns a webhook with its secret.

    :path id: The id of a webhook.
    :response 200 Webhook: The webhook.
    :errors: webhook_not_found
    :operation getWebhookAsAdmin: Administration
    """
    return await views.show(context, None, context.parameters["id"])


async def update(context: RequestContext) -> Response:
    """Change a webhook for all addresses.

    Changes the endpoint, the events or the status.

    :path id: The id of a webhook.
    :body WebhookChange:
    :response 200 WebhookObject: The webhook was changed.
    :errors: required_field_missing, invalid_endpoint, webhook_not_found
    :operation updateWebhookAsAdmin: Administration
    """
    return await views.update(context, None, context.administrator, context.parameters["id"])


async def remove(context: RequestContext) -> Response:
    """Remove a webhook for all addresses.

    Its waiting deliveries are not sent, and its log is removed.

    :path id: The id of a webhook.
    :response 200 RemovedWebhook: The webhook was removed.
    :errors: webhook_not_found
    :operation removeWebhookAsAdmin: Administration
    """
    return await views.remove(context, None, context.administrator, context.parameters["id"])


async def rotate_secret(context: RequestContext) -> Response:
    """Replace the secret of a webhook for all addresses.

    For 24 hours, deliveries are also signed with the previous secret.

    :path id: The id of a webhook.
    :response 200 WebhookSecret: The webhook and its new secret.
    :errors: webhook_not_found
    :operation rotateWebhookSecretAsAdmin: Administration
    """
    return await views.rotate(context, None, context.administrator, context.parameters["id"])


async def test(context: RequestContext) -> Response:
    """Test a webhook for all addresses.

    Sends an example of an event at once, and returns what the receiver responded. The example is
    not repeated, and is not in the log.

    :path id: The id of a webhook.
    :body NewWebhookTest: Optional.
    :response 200 WebhookTest: The result, also if the receiver did not respond.
    :errors: webhook_not_found
    :operation testWebhookAsAdmin: Administration
    """
    return await views.test(context, None, context.parameters["id"])


async def list_deliveries(context: RequestContext) -> Response:
    """List the deliveries of a webhook for all addresses.

    Returns what was sent in the last 30 days, and what the receiver responded, newest first.

    :path id: The id of a webhook.
    :query limit:
    :query status: Return only deliveries with this status: `pending`, `attempting`, `success` or
        `failed`. Example: `failed`.
    :query type: Return only deliveries of this type of event.
    :query cursor:
    :response 200 DeliveryPage: A page of deliveries.
    :errors: invalid_limit, invalid_status, invalid_type, invalid_cursor, webhook_not_found
    :operation listWebhookDeliveriesAsAdmin: Administration
    """
    return await views.list_deliveries(context, None, context.parameters["id"])


async def replay_delivery(context: RequestContext) -> Response:
    """Send a delivery of a webhook for all addresses again.

    Sends it at once, with the same id and body, and then repeats it as a new one.

    :path id: The id of a webhook.
    :path delivery: The id of a delivery. Example: `019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f`.
    :response 200 ReplayedDelivery: The delivery is sent again.
    :errors: WEBHOOK_REPLAY
    :operation replayWebhookDeliveryAsAdmin: Administration
    """
    these = context.parameters["id"], context.parameters["delivery"]
    return await views.replay(context, None, context.administrator, *these)
