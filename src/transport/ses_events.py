"""The events of Amazon SES, as a configuration set or an identity publishes them to SNS.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import msgspec

from mail.addresses import comparable
from mail.delivery import DeliveryEvent, DeliveryKind
from transport.delivery_events import (
    MAX_RESPONSE,
    MAX_WORD,
    UnreadableEvent,
    milliseconds_of,
    short_text,
)

# Names of events in configuration sets, and of notifications of identities.
_KINDS: dict[str, DeliveryKind] = {
    "Delivery": "delivered",
    "DeliveryDelay": "delayed",
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "rejected",
}
_PERMANENT = {"Permanent": True, "Transient": False}
_MAX_ID = 200
_MAX_RECIPIENTS = 50


class _Recipient(msgspec.Struct, rename="camel"):
    email_address: str
    status: object = None
    diagnostic_code: object = None


class _Details(msgspec.Struct, rename="camel"):
    """What is special about an event. Each kind has some of the members."""

    timestamp: object = None
    recipients: list[str] = []
    bounced_recipients: list[_Recipient] = []
    complained_recipients: list[_Recipient] = []
    delayed_recipients: list[_Recipient] = []
    smtp_response: object = None
    bounce_type: object = None
    bounce_sub_type: object = None
    delay_type: object = None
    complaint_feedback_type: object = None
    reason: object = None


class _Mail(msgspec.Struct, rename="camel"):
    message_id: str
    source: object = ""
    timestamp: object = None
    destination: list[str] = []


class _Event(msgspec.Struct, rename="camel"):
    mail: _Mail
    event_type: str = ""
    notification_type: str = ""
    delivery: _Details | None = None
    delivery_delay: _Details | None = None
    bounce: _Details | None = None
    complaint: _Details | None = None
    reject: _Details | None = None


def read_event(content: str, *, event_id: str, domain: str, now: int) -> list[DeliveryEvent]:
    """The delivery events in the message of a notification; none if it reports something else.

    :param event_id: the id of the notification.
    :param domain: the domain of the Message-IDs of SES in the region.
    :raises UnreadableEvent: the content has another form.
    """
    try:
        event = msgspec.json.decode(content.encode(), type=_Event)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise UnreadableEvent(type(error).__name__) from error
    kind = _KINDS.get(event.event_type or event.notification_type)
    if kind is None:
        return []
    if not 0 < len(event.mail.message_id) <= _MAX_ID:
        raise UnreadableEvent("length of an id")
    details = event.delivery or event.delivery_delay or event.bounce or event.complaint
    details = details or event.reject or _Details()
    listed = [
        *details.bounced_recipients,
        *details.complained_recipients,
        *details.delayed_recipients,
        *map(_Recipient, details.recipients),
    ]
    recipients = listed or [_Recipient(address) for address in event.mail.destination]
    bare = f"{event.mail.message_id}@{domain}"
    return [
        DeliveryEvent(
            id=f"{event_id}/{place}",
            kind=kind,
            provider_ids=(f"<{bare}>", bare),
            sender=comparable(event.mail.source) if isinstance(event.mail.source, str) else "",
            recipient=comparable(recipient.email_address),
            occurred_at=milliseconds_of(details.timestamp or event.mail.timestamp, now),
            is_permanent=_PERMANENT.get(str(details.bounce_type)),
            enhanced_code=short_text(recipient.status, MAX_WORD),
            response=short_text(recipient.diagnostic_code or details.smtp_response, MAX_RESPONSE),
            reason=short_text(
                details.bounce_sub_type
                or details.delay_type
                or details.complaint_feedback_type
                or details.reason,
                MAX_WORD,
            ),
        )
        for place, recipient in enumerate(recipients[:_MAX_RECIPIENTS])
    ]
