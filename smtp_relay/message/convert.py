"""Converts one message, as received by SMTP, to one request to the API."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity, read_entity
from smtp_relay.message.errors import Malformed
from smtp_relay.message.header_text import header_text
from smtp_relay.message.headers import check_hops, idempotency_key, other_headers
from smtp_relay.message.json_body import json_body
from smtp_relay.message.mailboxes import Mailbox
from smtp_relay.message.parts import read_content
from smtp_relay.message.rules import texts
from smtp_relay.message.rules.originators import read_originators
from smtp_relay.message.rules.recipients import read_recipients
from smtp_relay.message.rules.repeated import with_each_field_once

# Servers disagree on whether a bare CR or LF ends a line, and therefore on where a message ends
# (SMTP smuggling; RFC 5321, section 2.3.8). NUL is not allowed in a message (section 4.5.2).
_FORBIDDEN = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_FORBIDDEN_NAMES = {b"\n": "a bare LF", b"\r": "a bare CR", b"\x00": "a NUL"}
# Some programs write the same value in each message: ``none``, ``<>`` or ``<@localhost>``.
_MESSAGE_ID = re.compile(rb"<[^<>@]++@[^<>]++>")


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
    message = read_entity(content, adaptations)
    check_hops(message, max_hops)
    message = with_each_field_once(message)
    body = _body(message, sender, recipients)
    # The sentences are not part of the message. A newer relay may tell the same change otherwise.
    encoded = json_body(body)
    key = _key(message, sender, encoded)
    if sentences := adaptations.sentences():
        encoded = encoded[:-1] + b", " + json_body({"adaptations": sentences})[1:]
    return Request(encoded, key, _labels(body), adaptations)


def _body(message: Entity, sender: str, recipients: Iterable[str]) -> dict[str, Any]:
    originators = read_originators(message, sender)
    read = read_recipients(message, recipients)
    fields: dict[str, Any] = {
        "from_name": originators.from_name,
        "reply_to": [_field(originators.reply_to)] if originators.reply_to else [],
        "to": [_field(mailbox) for mailbox in read.to],
        "cc": [_field(mailbox) for mailbox in read.cc],
        "bcc": [_field(mailbox) for mailbox in read.bcc],
        "subject": _subject(message),
        **read_content(message),
        "headers": other_headers(message, originators.headers, read.hidden),
    }
    return {name: value for name, value in fields.items() if value or name in ("subject", "text")}


def _check_characters(content: bytes) -> None:
    line_ends = content.count(b"\r\n")
    # Counting is ten times as fast as searching, and nearly all messages pass this check.
    if content.count(b"\n") == content.count(b"\r") == line_ends and b"\0" not in content:
        return
    forbidden = _FORBIDDEN.search(content)
    assert forbidden
    line = content.count(b"\r\n", 0, forbidden.start()) + 1
    raise Malformed(f"Line {line} contains {_FORBIDDEN_NAMES[forbidden[0]]}")


def _subject(message: Entity) -> str:
    adaptations = message.adaptations
    text = header_text(message.value("subject") or b"", "Subject", adaptations)
    return texts.apply(texts.SUBJECT, text, "Subject", adaptations)


def _field(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


def _key(message: Entity, sender: str, body: bytes) -> str | None:
    """The idempotency key in the header, or one derived from the message and its recipients.

    None if the header has neither a key nor a Message-ID with an ``@``. In this case a retry looks
    the same as a second message with the same content.
    """
    own = idempotency_key(message)
    name = message.value("message-id") or b""
    if own is not None or not _MESSAGE_ID.search(name):
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
