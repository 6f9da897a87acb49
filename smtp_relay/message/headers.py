"""The header of a message: what the relay itself reads of it, and what it passes on."""

import hashlib
import re
from collections.abc import Iterable

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Loop, Malformed, Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.hidden_recipients import addresses_in, may_name_hidden
from smtp_relay.message.rules.headers import Header, adapted, header_of

# The provider writes these fields itself.
OMITTED = {"date", "dkim-signature", "message-id", "mime-version", "received", "return-path"}
# These describe how the message is encoded. The API chooses its own encoding.
OMITTED |= {"content-disposition", "content-id", "content-length", "content-transfer-encoding"}
OMITTED |= {"content-type"}
# These have their own fields in the request.
OMITTED |= {"cc", "from", "idempotency-key", "reply-to", "resend-idempotency-key", "sender"}
OMITTED |= {"subject", "to"}

ORIGINAL_MESSAGE_ID = "X-Original-Message-ID"
MAX_KEY_CHARACTERS = 256  # of the API

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_hops(message: Entity, limit: int) -> None:
    """Check that ``message`` is not in a mail loop (RFC 5321, section 6.3).

    :raises Loop: it has more than ``limit`` Received fields.
    """
    hops = sum(field.key == "received" for field in message.fields)
    if hops > limit:
        raise Loop(f"Mail loop: the message has passed {hops} servers (max {limit})")


def other_headers(
    message: Entity, added: list[Header], hidden: Iterable[str] = ()
) -> dict[str, str]:
    """What the request passes on in ``headers``: the fields of the message, and then ``added``.

    A field that names one of the recipients ``hidden``, other than an originator, is left out.

    :raises CannotRelay: the relay is strict, and a field can't be decoded or a rule applies.
    """
    adaptations = message.adaptations
    headers = []
    private = _private(message, hidden)
    for field in message.fields:
        if field.key in OMITTED:
            continue
        noted = adaptations.apart()
        text = header_text(field.value, field.name, noted)
        if private and not may_name_hidden(field.key) and private & addresses_in(text):
            problem = Unsupported(f"{field.name} names a hidden recipient")
            sentence = f"{field.name} left out: it names a hidden recipient"
            adaptations.add("left_out", sentence, problem)
        else:
            headers.append(header_of(field.name, text, noted))
    # The provider replaces the Message-ID. With the original, programs can match replies.
    name = message.value("message-id")
    if name and not adaptations.is_strict:
        noted = adaptations.apart()
        text = header_text(name, "Message-ID", noted)
        headers.append(header_of(ORIGINAL_MESSAGE_ID, text, noted))
    return {one.name: one.value for one in adapted([*headers, *added], adaptations)}


def _private(message: Entity, hidden: Iterable[str]) -> set[str]:
    """The addresses ``hidden``, in all forms, except those that From or Reply-To show."""
    unnoted = Adaptations()
    fields = [field for field in message.fields if field.key in ("from", "reply-to", "sender")]
    texts = (header_text(field.value, field.name, unnoted) for field in fields)
    shown = {address for text in texts for address in addresses_in(text)}
    forms = (addresses.forms(address) for address in hidden)
    return {form for same in forms if not same & shown for form in same}


def idempotency_key(message: Entity) -> str | None:
    """The idempotency key in the header, None if there is none.

    A key that the API does not accept is replaced by its hash, which identifies it too.

    :raises Malformed: the relay is strict, and the key is empty, can't be decoded, or has a control
        character.
    """
    adaptations = message.adaptations
    for name in ("Idempotency-Key", "Resend-Idempotency-Key"):
        value = message.value(name.lower())
        if value is None:
            continue
        text = header_text(value, name, adaptations).strip()
        if not text:
            adaptations.add_unnoted(Malformed(f"{name} is empty"))
            continue
        if _CONTROL.search(text):
            problem = Malformed(f"{name} contains a control character")
        elif len(text) > MAX_KEY_CHARACTERS or "\ufffd" in text:
            problem = Malformed(f"{name} is too long or contains invalid characters")
        else:
            return text
        adaptations.add("shortened", f"{name} replaced by its hash", problem)
        return f"smtp-key-{hashlib.sha256(value).hexdigest()}"
    return None
