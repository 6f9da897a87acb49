"""The types of the events of webhooks. ``mail/webhook_bodies.py`` makes their bodies."""

from typing import Literal, get_args

WebhookEvent = Literal[
    "email.queued",
    "email.scheduled",
    "email.sent",
    "email.failed",
    "email.suppressed",
    "email.unknown",
    "email.cancelled",
    "email.delivered",
    "email.delivery_delayed",
    "email.bounced",
    "email.complained",
    "suppression.added",
    "suppression.removed",
    "address.paused",
]
EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
