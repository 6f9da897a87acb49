"""The webhooks of Resend: their signatures, and the delivery events that they report.

The signatures are those of Standard Webhooks 1.0.0, in the headers of Svix.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from mail.addresses import InvalidAddress, comparable
from mail.delivery import DeliveryEvent, DeliveryKind
from mail.mailbox import split_mailbox
from transport.delivery_events import (
    MAX_RESPONSE,
    MAX_WORD,
    UnreadableEvent,
    milliseconds_of,
    short_text,
)

_KINDS: dict[str, DeliveryKind] = {
    "email.delivered": "delivered",
    "email.delivery_delayed": "delayed",
    "email.bounced": "bounced",
    "email.complained": "complained",
    "email.failed": "failed",
    "email.suppressed": "rejected",
}
# The events that suppress a recipient, or that say that a recipient got no mail. If one names
# several recipients, it does not say which one it is about.
_OF_ONE = frozenset({"bounced", "complained", "failed", "rejected"})

_PERMANENT = {"Permanent": True, "Transient": False}
_SECRET_PREFIX = "whsec_"
_TOLERANCE_SECONDS = 5 * 60
_MAX_ID = 200
_MAX_SIGNATURES = 20
_MAX_RECIPIENTS = 50


class _Data(msgspec.Struct):
    email_id: str
    to: list[str]
    sender: object = msgspec.field(default="", name="from")
    bounce: object = None
    failed: object = None
    suppressed: object = None


class _Event(msgspec.Struct):
    type: str
    data: msgspec.Raw
    created_at: object = None


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, *, now: int) -> bool:
    """Whether ``body`` has a valid signature, at most five minutes old.

    :param headers: ``svix-id``, ``svix-timestamp`` and ``svix-signature``.
    :param secret: the signing secret, ``whsec_`` and base64.
    :param now: the present time in Unix milliseconds.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    id_, timestamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
    if not 0 < len(id_) <= _MAX_ID or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if len(timestamp) > 12 or abs(int(timestamp) - now / 1000) > _TOLERANCE_SECONDS:
        return False
    signed = f"{id_}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    given = headers.get("svix-signature", "").split(" ", _MAX_SIGNATURES)[:_MAX_SIGNATURES]
    return any(hmac.compare_digest(expected, one.encode()) for one in given)


def read_webhook(body: bytes, *, webhook_id: str, now: int) -> list[DeliveryEvent]:
    """The delivery events in a webhook, one per recipient; none if it reports something else.

    :raises UnreadableEvent: the body has another form.
    """
    try:
        event = msgspec.json.decode(body, type=_Event)
        kind = _KINDS.get(event.type)
        if kind is None:
            return []
        data = msgspec.json.decode(event.data, type=_Data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise UnreadableEvent(type(error).__name__) from error
    if not 0 < len(data.email_id) <= _MAX_ID:
        raise UnreadableEvent("length of an id")
    if len(data.to) > (1 if kind in _OF_ONE else _MAX_RECIPIENTS):
        raise UnreadableEvent("number of recipients")
    cause = data.bounce or data.failed or data.suppressed
    return [
        DeliveryEvent(
            id=f"{webhook_id}/{place}",
            kind=kind,
            provider_ids=(data.email_id, data.email_id),
            sender=_address(data.sender),
            recipient=_address(recipient),
            occurred_at=milliseconds_of(event.created_at, now),
            is_permanent=_PERMANENT.get(str(_member(cause, "type"))),
            response=short_text(_member(cause, "message"), MAX_RESPONSE),
            reason="suppressed"
            if kind == "rejected"
            else short_text(_member(cause, "reason") or _member(cause, "subType"), MAX_WORD),
        )
        for place, recipient in enumerate(data.to)
    ]


def _address(mailbox: object) -> str:
    if not isinstance(mailbox, str):
        return ""
    try:
        return comparable(split_mailbox(mailbox)[1])
    except InvalidAddress:
        return ""


def _member(value: Any, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
