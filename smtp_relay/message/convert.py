"""One mail, as SMTP carried it, into one request of the API."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smtp_relay import addresses
from smtp_relay.message.entity import Entity, read_entity
from smtp_relay.message.faults import Malformed, Uncarriable
from smtp_relay.message.header_text import header_text
from smtp_relay.message.headers import check_hops, idempotency_key, message_id, other_headers
from smtp_relay.message.mailboxes import Mailbox, read_mailboxes
from smtp_relay.message.parts import read_content

# What two servers could take for the end of a line, and so of a message, in two ways
# (RFC 5321, section 2.3.8), and what no message may hold (section 4.5.2).
_FORBIDDEN = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_FORBIDDEN_NAMES = {b"\n": "a bare LF", b"\r": "a bare CR", b"\x00": "a NUL"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the API is asked to send. ``key`` is the idempotency key, None where there is none.

    ``body`` is JSON; ``labels`` are names for its fields that people can understand: of
    ``attachments[0]`` the filename, of ``to[1]`` the address.
    """

    body: bytes
    key: str | None
    labels: dict[str, str]


def convert(content: bytes, recipients: Iterable[str], *, sender: str, max_hops: int) -> Request:
    """The request for the mail ``content``.

    :param recipients: those of the envelope; nobody else gets the mail.
    :param sender: the address of the credential, which the mail is sent from.
    :raises Unsendable: the mail is malformed, holds what is not carried, or is a loop.
    """
    _check_characters(content)
    message = read_entity(content)
    check_hops(message, max_hops)
    envelope = {addresses.key(address): address for address in recipients}
    to = _taken(message, "to", envelope)
    cc = _taken(message, "cc", envelope)
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
    encoded = json.dumps(body, ensure_ascii=False).encode()
    return Request(encoded, _key(message, sender, encoded), _labels(body))


def _check_characters(content: bytes) -> None:
    line_ends = content.count(b"\r\n")
    # Counting is ten times as quick as searching, and nearly all mails are right.
    if content.count(b"\n") == content.count(b"\r") == line_ends and b"\0" not in content:
        return
    forbidden = _FORBIDDEN.search(content)
    assert forbidden
    line = content.count(b"\r\n", 0, forbidden.start()) + 1
    raise Malformed(f"Line {line} holds {_FORBIDDEN_NAMES[forbidden[0]]}")


def _taken(message: Entity, name: str, envelope: dict[str, str]) -> list[dict[str, str]]:
    """The mailboxes of the field ``name`` that are in ``envelope``, and no longer there then."""
    found = []
    for mailbox in _mailboxes(message, name):
        address = envelope.pop(addresses.key(mailbox.address), None)
        if address is not None:
            found.append(_field(Mailbox(mailbox.name, address)))
    return found


def _mailboxes(message: Entity, name: str) -> list[Mailbox]:
    # There should be one such field, but some programs write one for each recipient.
    values = [field.value for field in message.fields if field.key == name]
    return [mailbox for value in values for mailbox in read_mailboxes(value, name.title())]


def _originators(message: Entity, sender: str) -> dict[str, Any]:
    """The display name, and who gets the answers: the sender can't be chosen."""
    for name in ("from", "sender", "reply-to"):
        message.value(name)  # of two nobody knows which one counts
    senders = _mailboxes(message, "from")
    if len(senders) > 1:
        raise Uncarriable("From names more than one sender")
    known = {addresses.key(mailbox.address) for mailbox in senders} | {addresses.key(sender)}
    if any(addresses.key(agent.address) not in known for agent in _mailboxes(message, "sender")):
        raise Uncarriable("Sender can't be carried: it names somebody else than From")
    answers = _mailboxes(message, "reply-to") or [
        mailbox
        for mailbox in senders
        if "@" in mailbox.address and addresses.key(mailbox.address) != addresses.key(sender)
    ]
    names = [mailbox.name for mailbox in senders if mailbox.name]
    return {
        "from_name": names[0] if names else None,
        "reply_to": [_field(mailbox) for mailbox in answers],
    }


def _field(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


def _key(message: Entity, sender: str, body: bytes) -> str | None:
    """The client's own key, or one that only the same mail to the same recipients has again.

    Without a Message-ID nothing tells a repetition from a second mail that says the same.
    """
    own = idempotency_key(message)
    name = message_id(message)
    if own is not None or name is None:
        return own
    # Who gets it stands in the body, in an order that does not depend on the envelope's.
    digest = hashlib.sha256()
    for part in (name, sender.encode(), body):
        digest.update(b"%d:%s" % (len(part), part))
    return f"smtp-{digest.hexdigest()}"


def _labels(body: dict[str, Any]) -> dict[str, str]:
    labels = {}
    for field, member in (
        ("to", "email"),
        ("cc", "email"),
        ("bcc", "email"),
        ("reply_to", "email"),
        ("attachments", "filename"),
    ):
        for index, item in enumerate(body.get(field, ())):
            labels[f"{field}[{index}]"] = item[member]
    return labels
