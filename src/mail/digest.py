"""The digest of a message, by which a repeated request is told from another one."""

import hashlib

import msgspec

from mail.message import Message


def message_digest(message: Message) -> str:
    """The SHA-256 of all that ``message`` says, as hex; of an attachment its own digest says it."""
    said: dict[str, object] = {
        "sender": message.sender,
        "sender_name": message.sender_name,
        "recipients": [
            {"kind": recipient.kind, "address": recipient.address, "name": recipient.name}
            for recipient in message.recipients
        ],
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
    }
    # What is not there is left out, so that a digest outlives the adding of fields.
    others = {
        "reply_to": message.reply_to,
        "headers": message.headers,
        "attachments": [
            (file.filename, file.content_type, file.sha256, file.content_id)
            for file in message.attachments
        ],
        "tags": message.tags,
        "scheduled_at": message.scheduled_at,
    }
    said |= {name: value for name, value in others.items() if value}
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
