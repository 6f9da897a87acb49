"""``/hooks/resend/{transport}``: the webhooks of Resend."""

from errors import NotFound, Unauthorized, Unavailable
from log import log
from sending.delivery_events import record_events
from transport.delivery_events import UnreadableEvent
from transport.resend_events import is_signed, read_webhook
from transport.routing import ResendConfig
from web.context import RequestContext
from web.responses import Response, Success, json_response

_HEADERS = ("svix-id", "svix-timestamp", "svix-signature")


async def receive(context: RequestContext) -> Response:
    """Receive a webhook of Resend.

    Records what became of a mail. The webhook must have a signature made with the `webhook_secret`
    of the transport. Webhooks that report something else are ignored.

    :path transport: The name of the transport. Example: `resend`.
    :header svix-id: The id of the webhook, which stays the same if it is sent again. Example:
        `msg_2Lml4JGqdCTZgIDUsGkFZVlZWuh`.
    :header svix-timestamp: The time of the attempt in Unix seconds, at most five minutes ago.
        Example: `1793707200`.
    :header svix-signature: The signatures, as Standard Webhooks describes them. Example:
        `v1,4sjeHPLlKFUAQm4wlWlQZVvLYv8DuuLhIl0kV8vw3oY=`.
    :response 200 Success: The webhook was recorded or ignored.
    :errors: HOOK
    :operation receiveResendWebhook: Webhooks
    """
    routing, request = context.services.routing, context.request
    body, now = await request.body(), context.now()
    config = routing.transports.get(context.parameters["transport"]) if routing else None
    if not isinstance(config, ResendConfig):
        raise NotFound("transport_not_found")
    headers = {name: request.header(name) for name in _HEADERS}
    if not config.webhook_secret or not is_signed(headers, body, config.webhook_secret, now=now):
        raise Unauthorized("invalid_signature")
    try:
        events = read_webhook(body, webhook_id=headers["svix-id"], now=now)
    except UnreadableEvent as error:
        log("delivery_events_unreadable", problems=[str(error)])
        return json_response(Success(success=True))
    delays = await record_events(dict(enumerate(events)), context.services, now)
    if delays:  # a message of them is being sent; the provider sends the webhook again
        raise Unavailable("events_not_recorded", retry_after=max(delays.values()))
    return json_response(Success(success=True))
