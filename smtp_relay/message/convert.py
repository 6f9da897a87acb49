"""Converts one message, as received by SMTP, to one request to the API."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity, read_entity
from smtp_relay.message.errors import Malformed, Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.headers import check_hops, idempotency_key, other_headers
from smtp_relay.message.json_body import json_body
from smtp_relay.message.mailboxes import Mailbox, read_mailboxes
from smtp_relay.message.parts import read_content

# Servers disagree on whether a bare CR or LF ends a line, and therefore on where a message ends
# (SMTP smuggling; RFC 5321, section 2.3.8). NUL is not allowed in a message (section 4.5.2).
_FORBIDDEN = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_FORBIDDEN_NAMES = {b"\n": "a bare LF", b"\r": "a bare CR", b"\x00": "a NUL"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the API. ``key`` is its idempotency key, or None.

    ``body`` is JSON. ``labels`` are readable names for its fields: the filename for
    ``attachments[0]``, the address for ``to[1]``, the header field for ``reply_to``.
    ``adaptations`` are the changes that the body does not have in common with the message.
    """

    body: bytes
    key: str | None
    labels: dict[str, str]
    adaptations: Adaptations


def convert(
    content: bytes,
    recipients: Iterable[str],
    *,
    sender: str,
    max_hops: int,
    is_strict: bool = False,
) -> Request:
    """The request for the message ``content``.

    :param recipients: the recipients in the envelope. The message is sent to no others.
    :param sender: the address of the credential. The message is sent from this address.
    :param max_hops: the maximum number of Received fields.
    :param is_strict: reject a message that the relay would have to change.
    :raises CannotRelay: the message is malformed, not supported, too large, or in a mail loop.
    """
    _check_characters(content)
    adaptations = Adaptations(is_strict=is_strict)
    message = read_entity(content)
    check_hops(message, max_hops)
    envelope = {addresses.key(address): address for address in recipients}
    to = _pop_recipients(message, "to", envelope)
    cc = _pop_recipients(message, "cc", envelope)
    fields: dict[str, Any] = {
        **_originators(message, sender),
        "to": to,
        "cc": cc,
        "bcc": [{"email": envelope[key]} for key in sorted(envelope)],
        "subject": header_text(message.value("subject") or b"", "Subject"),
        **read_content(message).fields(),
        "headers": other_headers(message),
    }
    body = {name: value for name, value in fields.items() if value or name in ("subject", "text")}
    # The sentences are not part of the message. A newer relay may tell the same change otherwise.
    encoded = json_body(body)
    key = _key(message, sender, encoded)
    if sentences := adaptations.sentences():
        encoded = encoded[:-1] + b", " + json_body({"adaptations": sentences})[1:]
    return Request(encoded, key, _labels(body), adaptations)


def _check_characters(content: bytes) -> None:
    line_ends = content.count(b"\r\n")
    # Counting is ten times as fast as searching, and nearly all messages pass this check.
    if content.count(b"\n") == content.count(b"\r") == line_ends and b"\0" not in content:
        return
    forbidden = _FORBIDDEN.search(content)
    assert forbidden
    line = content.count(b"\r\n", 0, forbidden.start()) + 1
    raise Malformed(f"Line {line} contains {_FORBIDDEN_NAMES[forbidden[0]]}")


def _pop_recipients(message: Entity, name: str, envelope: dict[str, str]) -> list[dict[str, str]]:
    """The mailboxes of the field ``name`` that are in ``envelope``. Removes those from it."""
    found = []
    for mailbox in _mailboxes(message, name):
        address = envelope.pop(addresses.key(mailbox.address), None)
        if address is not None:
            found.append(_field(Mailbox(mailbox.name, address)))
    return found


def _mailboxes(message: Entity, name: str) -> list[Mailbox]:
    # RFC 5322 allows only one field of this name. Some programs write one for each recipient.
    values = [field.value for field in message.fields if field.key == name]
    return [mailbox for value in values for mailbox in read_mailboxes(value, name.title())]


def _originators(message: Entity, sender: str) -> dict[str, Any]:
    """The display name and the Reply-To addresses. The credential determines the sender."""
    for name in ("from", "sender", "reply-to"):
        message.value(name)  # raises if the field is repeated
    senders = _mailboxes(message, "from")
    if len(senders) > 1:
        raise Unsupported("More than one sender in From is not supported")
    known = {addresses.key(mailbox.address) for mailbox in senders} | {addresses.key(sender)}
    if any(addresses.key(agent.address) not in known for agent in _mailboxes(message, "sender")):
        raise Unsupported("A Sender other than From is not supported")
    reply_to = _mailboxes(message, "reply-to") or [
        mailbox
        for mailbox in senders
        if "@" in mailbox.address and addresses.key(mailbox.address) != addresses.key(sender)
    ]
    names = [mailbox.name for mailbox in senders if mailbox.name]
    return {
        "from_name": names[0] if names else None,
        "reply_to": [_field(mailbox) for mailbox in reply_to],
    }


def _field(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


def _key(message: Entity, sender: str, body: bytes) -> str | None:
    """The idempotency key in the header, or one derived from the message and its recipients.

    None if the header has neither a key nor a Message-ID. In this case a retry looks the same as a
    second message with the same content.
    """
    own = idempotency_key(message)
    name = message.value("message-id")
    if own is not None or not name:
        return own
    # The body includes the recipients, in an order that does not depend on the envelope.
    digest = hashlib.sha256()
    for part in (name, sender.encode(), body):
        digest.update(b"%d:%s" % (len(part), part))
    return f"smtp-{digest.hexdigest()}"


def _labels(body: dict[str, Any]) -> dict[str, str]:
    return {"reply_to": "Reply-To"} | {
        f"{field}[{index}]": item["filename" if field == "attachments" else "email"]
        for field in ("to", "cc", "bcc", "reply_to", "attachments")
        for index, item in enumerate(body.get(field, ()))
    }
