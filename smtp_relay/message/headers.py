"""The fields of a message's header: what becomes of each.

All that is named neither here nor in ``convert.py`` goes to the API as it is, and the API knows
what it takes.
"""

import re

from smtp_relay.message.entity import Entity, Field
from smtp_relay.message.faults import Loop, Malformed, Uncarriable
from smtp_relay.message.header_text import header_text

# The transport makes them anew.
_OF_THE_TRANSPORT = frozenset(
    {"date", "dkim-signature", "message-id", "mime-version", "received", "return-path"}
)
# They say how the message is written, not what.
_OF_THE_CONTENT = frozenset(
    {
        "content-description",
        "content-disposition",
        "content-id",
        "content-length",
        "content-transfer-encoding",
        "content-type",
    }
)
# They are told to the API in other ways.
_TOLD = frozenset(
    {
        "bcc",
        "cc",
        "from",
        "idempotency-key",
        "reply-to",
        "resend-idempotency-key",
        "sender",
        "subject",
        "to",
    }
)
_NOT_AMONG_THE_OTHERS = _OF_THE_TRANSPORT | _OF_THE_CONTENT | _TOLD
# What mail programs say about themselves, and the API takes only as X- fields.
_INFORMATION = frozenset(
    {"accept-language", "content-class", "thread-index", "thread-topic", "user-agent"}
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_hops(message: Entity, limit: int) -> None:
    """Check that ``message`` is no loop (RFC 5321, section 6.3).

    :raises Loop: it has more than ``limit`` Received fields.
    """
    hops = sum(field.key == "received" for field in message.fields)
    if hops > limit:
        raise Loop(f"The message has passed {hops} servers (max {limit}): it goes in a circle")


def other_headers(message: Entity) -> dict[str, str]:
    """The fields that the API is given as ``headers``, in their order.

    :raises Malformed: one is neither ASCII nor UTF-8.
    :raises Uncarriable: one is there twice, which the API has no place for.
    """
    headers: dict[str, str] = {}
    seen: set[str] = set()
    for field in message.fields:
        if field.key in _NOT_AMONG_THE_OTHERS:
            continue
        name = _api_name(field)
        if name.lower() in seen:
            raise Uncarriable(f"{name} is there more than once, and can be carried once only")
        seen.add(name.lower())
        headers[name] = header_text(field.value, name)
    return headers


def idempotency_key(message: Entity) -> str | None:
    """The key that the client has given by itself.

    :raises Malformed: it is empty, neither ASCII nor UTF-8, can't be a header of HTTP, or there
        are two.
    """
    for name in ("Idempotency-Key", "Resend-Idempotency-Key"):
        value = message.value(name.lower())
        if value is not None:
            text = header_text(value, name).strip()
            if not text:
                raise Malformed(f"{name} is empty")
            if _CONTROL.search(text):
                raise Malformed(f"{name} holds a control character")
            return text
    return None


def message_id(message: Entity) -> bytes | None:
    """The Message-ID, None where there is none.

    :raises Malformed: there are two.
    """
    return message.value("message-id") or None


def _api_name(field: Field) -> str:
    return f"X-{field.name}" if field.key in _INFORMATION else field.name
