"""The digest of a message, by which a repeated request is told from another one."""

import hashlib

import msgspec

from mail.message import Message


def message_digest(message: Message) -> str:
    """The SHA-256 of all that ``message`` says, as hex."""
    return hashlib.sha256(msgspec.json.encode(message)).hexdigest()
