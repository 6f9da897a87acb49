"""The digest of a message: equal for a repeated request, different for any other message."""

import hashlib

import msgspec
from msgspec.structs import replace

from mail.message import Message, encode_details


def message_digest(message: Message) -> str:
    """The SHA-256 of all fields of ``message``, in hex.

    Instead of the content of an attachment, it covers the digest of the content. It ignores
    ``Recipient.field``, and ``size``, which the other fields determine. It also ignores
    ``adaptations``: another version of the relay, which repeats the request, may describe the same
    changes in other words.
    """
    if message.adaptations:
        message = replace(message, adaptations=())
    recipients = [(one.kind, one.address, one.name) for one in message.recipients]
    columns = (
        message.sender,
        message.sender_name,
        recipients,
        message.subject,
        message.text,
        message.html,
        message.scheduled_at,
    )
    digest = hashlib.sha256(msgspec.json.encode(columns))
    digest.update(encode_details(message))
    return digest.hexdigest()
