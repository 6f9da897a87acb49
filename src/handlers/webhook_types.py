"""The bodies of requests and responses of ``/webhooks`` and ``/admin/webhooks``."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mail.webhook_events import WebhookEvent
from store.webhook_log import DeliveryStatus

WebhookStatus = Literal["enabled", "disabled"]
DisabledReason = Literal["owner", "gone", "failing"]

_ABOUT_EVENTS = "The types of the events that the webhook receives."
_ABOUT_ENDPOINT = (
    "The https URL that receives the events: at most 2,048 characters, with the name of a public "
    "host, and the port 443 or one above 1023."
)
_EVENTS, _ENDPOINT = Meta(description=_ABOUT_EVENTS), Meta(description=_ABOUT_ENDPOINT)
_SECRET = Meta(description="The secret with which the receiver verifies the signatures.")


class NewWebhook(Struct, kw_only=True):
    """A webhook to create."""

    endpoint: Annotated[str | None, Meta(description=_ABOUT_ENDPOINT + " Required.")] = None
    events: Annotated[list[WebhookEvent] | None, Meta(description=_ABOUT_EVENTS + " Required.")] = (
        None
    )


class WebhookChange(Struct, kw_only=True):
    """The values of a webhook that change."""

    endpoint: Annotated[str | None, _ENDPOINT] = None
    events: Annotated[list[WebhookEvent] | None, _EVENTS] = None
    status: Annotated[
        WebhookStatus | None,
        Meta(description="The new status, also if the service has disabled the webhook."),
    ] = None


class WebhookSecret(Struct, tag_field="object", tag="webhook"):
    """A webhook and its secret."""

    id: Annotated[str, Meta(description="The id of the webhook. Ids sort by time.")]
    signing_secret: Annotated[str, _SECRET]


class ListedWebhook(Struct, kw_only=True):
    """A webhook in a list."""

    id: Annotated[str, Meta(description="The id of the webhook. Ids sort by time.")]
    endpoint: Annotated[str, _ENDPOINT]
    events: Annotated[list[WebhookEvent], _EVENTS]
    status: Annotated[WebhookStatus, Meta(description="Whether the webhook receives events.")]
    disabled_reason: Annotated[
        DisabledReason | None,
        Meta(
            description="Why the webhook is disabled: by its `owner`, because the endpoint "
            "responded with 410 (`gone`), or because no delivery succeeded for three days "
            "(`failing`)."
        ),
    ]
    failing_since: Annotated[
        str | None,
        Meta(description="The time of the first failure after the last success, in ISO 8601."),
    ]
    created_at: Annotated[str, Meta(description="The time of creation, in ISO 8601 (UTC).")]


class Webhook(ListedWebhook, kw_only=True, tag_field="object", tag="webhook"):
    """A webhook."""

    signing_secret: Annotated[str, _SECRET]


class WebhookList(Struct, kw_only=True, tag_field="object", tag="list"):
    """A page of webhooks, newest first."""

    has_more: Annotated[bool, Meta(description="Whether there are more webhooks.")]
    data: Annotated[list[ListedWebhook], Meta(description="The webhooks of this page.")]


class WebhookObject(Struct, tag_field="object", tag="webhook"):
    """A webhook that was changed."""

    id: Annotated[str, Meta(description="The id of the webhook.")]


class RemovedWebhook(Struct, tag_field="object", tag="webhook"):
    """A webhook that was removed."""

    id: Annotated[str, Meta(description="The id of the webhook.")]
    deleted: Annotated[bool, Meta(description="Always true.")] = True


class NewWebhookTest(Struct, kw_only=True):
    """The event to send as a test."""

    type: Annotated[WebhookEvent, Meta(description="The type. Default: `email.sent`.")] = (
        "email.sent"
    )


class WebhookTest(Struct, kw_only=True):
    """The result of a test."""

    success: Annotated[bool, Meta(description="Whether the receiver responded with a 2xx.")]
    status_code: Annotated[int | None, Meta(description="The status of the response, if any.")]
    milliseconds: Annotated[int, Meta(description="The duration of the request.")]
    response: Annotated[str | None, Meta(description="The first 1,024 bytes of the response.")]
    error: Annotated[str | None, Meta(description="Why there was no response.")]
    payload: Annotated[dict[str, Any], Meta(description="The body that was sent.")]


class DeliveryAttempt(Struct, kw_only=True):
    """An attempt to deliver an event."""

    number: Annotated[int, Meta(description="The number of the attempt, from 1.")]
    sent_at: Annotated[str, Meta(description="The time of the attempt, in ISO 8601 (UTC).")]
    milliseconds: Annotated[int, Meta(description="The duration of the request.")]
    status_code: Annotated[int | None, Meta(description="The status of the response, if any.")]
    response: Annotated[str | None, Meta(description="The first 1,024 bytes of the response.")]
    error: Annotated[str | None, Meta(description="Why there was no response.")]


class Delivery(Struct, kw_only=True):
    """The delivery of an event to a webhook."""

    id: Annotated[str, Meta(description="The id, also in the header `webhook-id`.")]
    type: Annotated[WebhookEvent, Meta(description="The type of the event.")]
    status: Annotated[
        DeliveryStatus,
        Meta(description="`pending` until an attempt succeeds, or the last one has failed."),
    ]
    created_at: Annotated[str, Meta(description="The time of the event, in ISO 8601 (UTC).")]
    next_attempt_at: Annotated[
        str | None, Meta(description="The time of the next attempt, in ISO 8601 (UTC).")
    ]
    attempts: Annotated[
        list[DeliveryAttempt], Meta(description="The last 20 attempts, newest first.")
    ]


class DeliveryPage(Struct):
    """A page of deliveries, newest first. It may be short or empty, and still not be the last."""

    results: Annotated[list[Delivery], Meta(description="The deliveries of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page; null on the last page.")
    ]


class ReplayedDelivery(Struct, tag_field="object", tag="webhook_event"):
    """A delivery that is sent again."""

    id: Annotated[str, Meta(description="The id of the delivery.")]
