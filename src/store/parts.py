"""Bodies and attachments: kept apart from their message, in parts that fit into a D1 value.

Contents are bound as they are, a value a part: the JSON functions of SQLite cut a text at its
first NUL. Whose parts they are is one JSON parameter beside them.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from mail.message import Attachment, Message
from store.database import Row, Statement

# Half of a D1 value at most.
MAX_PART_BYTES = 1_000_000

_PARTS = 99  # with that JSON a statement's hundred parameters

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

Messages = Iterable[tuple[str, Message]]
_Part = tuple[tuple[str, str | int, int], str]  # what it is a part of, and its content


def body_statements(messages: Messages) -> list[Statement]:
    """What keeps the bodies of new messages, given with their ids, in a reserve batch."""
    parts: list[_Part] = [
        ((message_id, kind, part), content)
        for message_id, message in messages
        for kind, body in (("text", message.text), ("html", message.html))
        for part, content in enumerate(_text_parts(body or ""))
    ]
    return _statements(_INSERT_BODIES, parts)


def attachment_statements(messages: Messages) -> list[Statement]:
    """What keeps the attachments of new messages in a reserve batch."""
    return _statements(_INSERT_ATTACHMENTS, _attachment_parts(messages))


def late_attachment_statements(messages: Messages) -> list[Statement]:
    """What keeps the attachments of messages that are being sent, before they are queued."""
    return _statements(_KEEP_ATTACHMENTS, _attachment_parts(messages))


def body_of(bodies: list[Row], kind: str) -> str | None:
    """The whole body of this kind from its parts, or None where there is none."""
    parts = [row["content"] for row in bodies if row["kind"] == kind]
    return "".join(parts) if parts else None


def stored_attachments(described: list[Row], parts: list[Row]) -> tuple[Attachment, ...]:
    """Attachments from what their message's row says of them and from their parts, in order."""
    contents: list[list[bytes]] = [[] for _ in described]
    for row in parts:  # each ends where four characters of base64 do
        contents[row["position"]].append(b64decode(row["content"]))
    return tuple(
        Attachment(
            filename=about["filename"],
            content_type=about["content_type"],
            content=b"".join(content),
            sha256=about["sha256"],
            content_id=about["content_id"],
        )
        for about, content in zip(described, contents, strict=True)
    )


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
    data = body.encode()
    start = 0
    while start < len(data):
        end = min(start + MAX_PART_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1  # a part does not end inside of a character
        yield data[start:end].decode()
        start = end


def _attachment_parts(messages: Messages) -> list[_Part]:
    return [
        ((message_id, position, part), content)
        for message_id, message in messages
        for position, attachment in enumerate(message.attachments)
        for part, content in enumerate(_base64_parts(attachment.content))
    ]


def _base64_parts(content: bytes) -> list[str]:
    encoded = b64encode(content).decode()
    return [
        encoded[start : start + MAX_PART_BYTES] for start in range(0, len(encoded), MAX_PART_BYTES)
    ]
