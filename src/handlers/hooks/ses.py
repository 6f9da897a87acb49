"""``/hooks/ses/{transport}``: the events of Amazon SES, which SNS sends."""

from errors import NotFound, Unauthorized, Unavailable
from log import log
from sending.delivery_events import record_events
from transport.delivery_events import UnreadableEvent
from transport.routing import SesConfig, ses_message_id_domain
from transport.ses_events import read_event
from transport.sns import (
    SnsMessage,
    is_certificate_url,
    is_signed,
    is_subscribe_url,
    read_message,
)
from web.context import RequestContext
from web.responses import Response, Success, json_response

_RETRY_SECONDS = 30


async def receive(context: RequestContext) -> Response:
    """Receive a message of Amazon SNS.

    Records what became of a mail, or accepts the subscription to the topic. The message must be
    from the `topic` of the transport, with a signature of SNS.

    :path transport: The name of the transport. Example: `amazon`.
    :response 200 Success: The message was recorded or ignored.
    :errors: HOOK
    :operation receiveSnsMessage: Webhooks
    """
    body, routing = await context.request.body(), context.services.routing
    config = routing.transports.get(context.parameters["transport"]) if routing else None
    if not isinstance(config, SesConfig):
        raise NotFound("transport_not_found")
    try:
        message = read_message(body)
    except UnreadableEvent as error:
        raise Unauthorized("invalid_signature") from error
    # Checked before the certificate is requested, so that others can't cause requests.
    if config.topic is None or message.topic_arn != config.topic:
        raise Unauthorized("invalid_signature")
    if not is_certificate_url(message.certificate_url):
        raise Unauthorized("invalid_signature")
    if not is_signed(message, await _get(context, message.certificate_url)):
        raise Unauthorized("invalid_signature")
    match message.type:
        case "SubscriptionConfirmation":
            await _subscribe(context, message)
        case "Notification":
            await _record(context, message, config)
    return json_response(Success(success=True))


async def _subscribe(context: RequestContext, message: SnsMessage) -> None:
    if message.subscribe_url is None or not is_subscribe_url(message.subscribe_url):
        raise Unauthorized("invalid_signature")
    await _get(context, message.subscribe_url)
    log("sns_subscribed", topic=message.topic_arn)


async def _record(context: RequestContext, message: SnsMessage, config: SesConfig) -> None:
    now = context.now()
    try:
        events = read_event(
            message.message,
            event_id=message.message_id,
            domain=ses_message_id_domain(config.region),
            now=now,
        )
    except UnreadableEvent as error:
        log("delivery_events_unreadable", problems=[str(error)])
        return
    delays = await record_events(dict(enumerate(events)), context.services, now)
    if delays:  # a message of them is being sent; SNS sends the notification again
        raise Unavailable("events_not_recorded", retry_after=max(delays.values()))


async def _get(context: RequestContext, url: str) -> str:
    """The body of the response; SNS sends its message again if there is none."""
    try:
        response = await context.services.fetch(url, {}, None)
    except Exception as error:  # as the port says
        raise Unavailable("events_not_recorded", retry_after=_RETRY_SECONDS) from error
    if response.status >= 300:
        raise Unavailable("events_not_recorded", retry_after=_RETRY_SECONDS)
    return response.text
