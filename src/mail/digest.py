"""The digest of a message, by which a repeated request is told from another one."""

import hashlib

import msgspec

from mail.message import Message


def message_digest(message: Message, *, retry_of: str | None = None) -> str:
    """The SHA-256, as hex, of all that ``message`` says, and of the id of what it repeats."""
    return hashlib.sha256(msgspec.json.encode((message, retry_of))).hexdigest()
