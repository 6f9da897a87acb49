"""The header of a message: which fields the relay omits or renames.

All other fields go to the API unchanged. The API rejects the ones that it does not accept.
"""

import re

from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Loop, Malformed, Unsupported
from smtp_relay.message.header_text import header_text

# The provider writes these fields itself.
_OMITTED = {"date", "dkim-signature", "message-id", "mime-version", "received", "return-path"}
# These describe how the message is encoded. The API chooses its own encoding.
_OMITTED |= {"content-description", "content-disposition", "content-id", "content-length"}
_OMITTED |= {"content-transfer-encoding", "content-type"}
# These have their own fields in the request.
_OMITTED |= {"bcc", "cc", "from", "idempotency-key", "reply-to", "resend-idempotency-key"}
_OMITTED |= {"sender", "subject", "to"}
# These describe the mail program. The API accepts them only with the prefix X-.
_RENAMED = {"accept-language", "content-class", "thread-index", "thread-topic", "user-agent"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_hops(message: Entity, limit: int) -> None:
    """Check that ``message`` is not in a mail loop (RFC 5321, section 6.3).

    :raises Loop: it has more than ``limit`` Received fields.
    """
    hops = sum(field.key == "received" for field in message.fields)
    if hops > limit:
        raise Loop(f"Mail loop: the message has passed {hops} servers (max {limit})")


def other_headers(message: Entity) -> dict[str, str]:
    """The fields that the request passes on in ``headers``, in the order of the message.

    :raises Malformed: a field can't be decoded.
    :raises Unsupported: a field is repeated, which the API does not support.
    """
    headers: dict[str, str] = {}
    seen: set[str] = set()
    for field in message.fields:
        if field.key in _OMITTED:
            continue
        name = f"X-{field.name}" if field.key in _RENAMED else field.name
        if name.lower() in seen:
            raise Unsupported(f"More than one {name} field is not supported")
        seen.add(name.lower())
        headers[name] = header_text(field.value, name)
    return headers


def idempotency_key(message: Entity) -> str | None:
    """The idempotency key in the header, None if there is none.

    :raises Malformed: the key is empty or repeated, can't be decoded, or has a control character.
    """
    for name in ("Idempotency-Key", "Resend-Idempotency-Key"):
        value = message.value(name.lower())
        if value is not None:
            text = header_text(value, name).strip()
            if not text:
                raise Malformed(f"{name} is empty")
            if _CONTROL.search(text):
                raise Malformed(f"{name} contains a control character")
            return text
    return None
