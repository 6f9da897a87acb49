"""Bodies and attachments, stored in separate tables, in parts that fit into a D1 value.

Each part is one parameter, because the JSON functions of SQLite cut a text at its first NUL. One
further parameter is JSON with the keys of the parts.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from mail.message import Message, MessageDetails
from store.database import Row, Statement

# Half the limit of a D1 value. A multiple of four, so each part of base64 can be decoded alone.
MAX_PART_BYTES = 1_000_000

_PARTS = 99  # per statement; with the JSON parameter these are D1's 100 parameters

_ROWS = """
SELECT value ->> 0, value ->> 1, value ->> 2, column2
FROM (VALUES {values}) JOIN json_each(?1) ON key = column1
"""
_IS_NEW = """
EXISTS (SELECT 1 FROM messages WHERE id = value ->> 0)
AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = value ->> 0)
"""
_IS_SENDING = "EXISTS (SELECT 1 FROM messages WHERE id = value ->> 0 AND status = 'sending')"

_INSERT_BODIES = f"""
INSERT INTO bodies (message_id, kind, part, content) {_ROWS} WHERE {_IS_NEW}
"""

_INSERT_ATTACHMENTS = f"""
INSERT INTO attachment_parts (message_id, position, part, content) {_ROWS} WHERE {_IS_NEW}
"""

_KEEP_ATTACHMENTS = f"""
INSERT INTO attachment_parts (message_id, position, part, content) {_ROWS} WHERE {_IS_SENDING}
ON CONFLICT DO NOTHING
"""

# The whole bodies of message ?1, if address ?2 sent it and no message retries it. None if the size
# of the message exceeds ?3. Views use SHOWN_BODIES, which cuts large bodies.
BODIES_TO_RETRY = """
SELECT kind, content FROM bodies JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = ?2 AND size <= coalesce(?3, size)
  AND NOT EXISTS (SELECT 1 FROM messages WHERE retry_of = ?1)
ORDER BY kind, part
"""

Messages = Iterable[tuple[str, Message]]  # each message with its id
# The key (message id, kind or position, number of the part) and the content.
_Part = tuple[tuple[str, str | int, int], str]


def body_statements(messages: Messages) -> list[Statement]:
    """The statements of a reserve batch that store the bodies of new messages."""
    parts: list[_Part] = [
        ((message_id, kind, part), content)
        for message_id, message in messages
        for kind, body in message.bodies
        for part, content in enumerate(_text_parts(body))
    ]
    return _statements(_INSERT_BODIES, parts)


def attachment_statements(messages: Messages) -> list[Statement]:
    """The statements of a reserve batch that store the attachments of new messages."""
    return _statements(_INSERT_ATTACHMENTS, _attachment_parts(messages))


def late_attachment_statements(messages: Messages) -> list[Statement]:
    """The statements that store attachments of messages in ``sending`` before they are queued."""
    return _statements(_KEEP_ATTACHMENTS, _attachment_parts(messages))


def most_body_statements(messages: Iterable[Message]) -> int:
    """The maximum number of statements of ``body_statements`` for these messages."""
    # A character has at most four bytes.
    return _most([4 * len(body) for message in messages for _, body in message.bodies])


def most_attachment_statements(messages: Iterable[Message]) -> int:
    """The maximum number of statements that store the attachments of these messages."""
    return _most([2 * one.size for message in messages for one in message.attachments])


def body_of(bodies: list[Row], kind: str) -> str | None:
    """The whole body of this kind from its parts; None if there is none."""
    parts = [row["content"] for row in bodies if row["kind"] == kind]
    return "".join(parts) if parts else None


def contents_of(details: MessageDetails, parts: list[Row]) -> list[bytes]:
    """The contents of a message's attachments from their parts, as ordered in ``details``."""
    contents: list[list[bytes]] = [[] for _ in details.attachments]
    for row in parts:  # a multiple of four base64 characters, so each part can be decoded alone
        contents[row["position"]].append(b64decode(row["content"]))
    return [b"".join(content) for content in contents]


def _most(sizes: list[int]) -> int:
    parts = sum(1 + size // MAX_PART_BYTES for size in sizes)
    return -(-parts // _PARTS)


def _statements(sql: str, parts: list[_Part]) -> list[Statement]:
    chunks = [parts[start : start + _PARTS] for start in range(0, len(parts), _PARTS)]
    return [_statement(sql, chunk) for chunk in chunks]


def _statement(sql: str, parts: list[_Part]) -> Statement:
    keys = msgspec.json.encode([key for key, _ in parts]).decode()
    return Statement(_with_values(sql, len(parts)), (keys, *(content for _, content in parts)))


@cache
def _with_values(sql: str, count: int) -> str:
    return sql.format(values=", ".join(f"({number}, ?{number + 2})" for number in range(count)))


def _text_parts(body: str) -> Iterator[str]:
    if body.isascii() and len(body) <= MAX_PART_BYTES:
        yield body  # not a copy
        return
    data = body.encode()
    start = 0
    while start < len(data):
        end = min(start + MAX_PART_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # a part must not split a character
        yield data[start:end].decode()
        start = end


def _attachment_parts(messages: Messages) -> list[_Part]:
    return [
        ((message_id, position, part), content)
        for message_id, message in messages
        if not message.is_sandbox  # its attachments never leave the Worker
        for position, attachment in enumerate(message.attachments)
        for part, content in enumerate(_base64_parts(attachment.content))
    ]


def _base64_parts(content: bytes) -> list[str]:
    encoded = b64encode(content).decode()
    return [
        encoded[start : start + MAX_PART_BYTES] for start in range(0, len(encoded), MAX_PART_BYTES)
    ]
