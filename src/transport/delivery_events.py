"""The delivery events of Cloudflare Email Service, as its queue subscription delivers them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from clock import iso_time
from mail.addresses import comparable
from mail.delivery import CLOCK_ERROR_MILLISECONDS, DeliveryEvent, DeliveryKind

_PREFIX = "cf.email.sending.message."
_KINDS: dict[str, DeliveryKind] = {
    "deferred": "delayed",
    "delivered": "delivered",
    "rejected": "rejected",
    "failed": "failed",
    "bounced": "bounced",
    "complained": "complained",
}
_WORDS = {kind: word for word, kind in _KINDS.items()}

# The maximum lengths in characters. An id that is longer makes an event unreadable; other texts are
# cut.
_MAX_ID = 1000
MAX_RESPONSE = 500
MAX_WORD = 100

# The maximum number of objects and lists. An event has about eight. Python in the runtime does not
# detect a stack overflow: deep recursion crashes the Worker, and with it all events of the batch.
# So the content is checked before it is decoded.
_MAX_OBJECTS = 500

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]+")

# Also matches an unterminated string, so every character is scanned only once.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


class UnreadableEvent(Exception):
    """The content of a queue message is no delivery event."""


class _Payload(msgspec.Struct, rename="camel"):
    event_id: str
    message_id: str
    recipient: str
    sender: object = None
    delivery: object = None
    bounce: object = None
    failure: object = None
    rejection: object = None
    complaint: object = None


class _Event(msgspec.Struct):
    type: str
    payload: _Payload
    metadata: object = None


_decode = msgspec.json.Decoder(_Event).decode


def read_event(content: str, *, now: int) -> DeliveryEvent:
    """The event in ``content``, which is JSON.

    Members that describe the event may be missing or of another type. Without a time, the event
    occurred ``now``.

    :raises UnreadableEvent: the content is no event of a known kind.
    """
    if _has_many_objects(content):
        raise UnreadableEvent("too many objects")
    try:
        event = _decode(content.encode())
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise UnreadableEvent(type(error).__name__) from error
    payload, kind = event.payload, _KINDS.get(event.type.removeprefix(_PREFIX))
    if kind is None or not event.type.startswith(_PREFIX):
        raise UnreadableEvent("unknown type")
    if not 0 < len(payload.event_id) <= _MAX_ID or not 0 < len(payload.message_id) <= _MAX_ID:
        raise UnreadableEvent("length of an id")
    delivery = payload.delivery
    cause = payload.bounce or payload.failure or payload.rejection or payload.complaint
    return DeliveryEvent(
        id=payload.event_id,
        kind=kind,
        provider_ids=_forms(payload.message_id),
        sender=comparable(payload.sender) if isinstance(payload.sender, str) else "",
        recipient=comparable(payload.recipient),
        occurred_at=milliseconds_of(_member(event.metadata, "eventTimestamp"), now),
        is_permanent={"hard": True, "soft": False}.get(str(_member(cause, "type"))),
        smtp_code=short_text(_member(delivery, "smtpStatusCode"), MAX_WORD),
        enhanced_code=short_text(_member(delivery, "smtpEnhancedStatusCode"), MAX_WORD),
        response=short_text(_member(delivery, "smtpResponse"), MAX_RESPONSE)
        or short_text(_member(cause, "detail"), MAX_RESPONSE),
        reason=short_text(_member(cause, "reason"), MAX_WORD)
        or short_text(_member(cause, "classification"), MAX_WORD),
        provider=short_text(_member(delivery, "provider"), MAX_WORD),
    )


def event_form(
    kind: DeliveryKind,
    *,
    event_id: str,
    message_id: str,
    sender: str,
    recipient: str,
    occurred_at: int,
    delivery: Mapping[str, Any] | None = None,
    **cause: Mapping[str, Any],
) -> dict[str, Any]:
    """An event in the documented form, for sandbox recipients, tests and development.

    :param message_id: the Message-ID that the provider assigned.
    :param delivery: further members of ``delivery``, for example ``smtpStatusCode``.
    :param cause: ``bounce``, ``failure``, ``rejection`` or ``complaint``.
    """
    word = _WORDS[kind]
    return {
        "type": f"{_PREFIX}{word}",
        "source": {"type": "email.sending", "domain": sender.rpartition("@")[2]},
        "payload": {
            "eventId": event_id,
            "messageId": message_id,
            "sender": sender,
            "recipient": recipient,
            "terminal": kind != "delayed",
            "delivery": {"status": word, **(delivery or {})},
            **cause,
        },
        "metadata": {"eventSchemaVersion": 1, "eventTimestamp": iso_time(occurred_at)},
    }


def _has_many_objects(content: str) -> bool:
    # The first count includes brackets within strings, so it is never too small.
    return _brackets(content) > _MAX_OBJECTS < _brackets(_STRING.sub("", content))


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{")


def _forms(message_id: str) -> tuple[str, str]:
    bare = message_id.removeprefix("<").removesuffix(">")
    return f"<{bare}>", bare


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def milliseconds_of(time: object, now: int) -> int:
    """The Unix milliseconds of a time in ISO 8601; ``now`` if it can't be read.

    A time after ``now`` counts as that of a clock that is a little fast.
    """
    try:
        moment = datetime.fromisoformat(str(time))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        milliseconds = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return now
    return max(0, min(milliseconds, now + CLOCK_ERROR_MILLISECONDS))


def short_text(value: object, limit: int) -> str | None:
    """``value`` as a text of at most ``limit`` characters, None if it is empty or no text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return _CONTROL_CHARACTERS.sub(" ", str(value)).strip()[:limit] or None
