"""Entities: messages and parts of a multipart, each with a header and a body (RFC 2045).

``email.parser`` compares every line with the boundaries of all enclosing multiparts, so a small
hostile message keeps it busy for minutes. This parser reads the bytes once per level of nesting,
and ``parts.py`` limits the number of levels. All entities share the bytes of the message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from re import Match, Pattern
from typing import NamedTuple

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.errors import Malformed
from smtp_relay.message.hidden_recipients import has_hidden_field

_MAX_ALL_HEADERS_BYTES = 512 * 1024  # of a message and all its parts
_MAX_FIELDS = 10_000  # of a message and all its parts
MAX_BOUNDARY_BYTES = 200  # RFC 2046 allows 70; some programs use more

# A line that begins with a blank continues a field.
_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+)(?:\r\n|\Z)")
_FIELDS = re.compile(rb"(?:%b)*+" % _FIELD.pattern)
_LINE = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+\n?+")
_DELIMITER_TAIL = re.compile(rb"(--)?+[ \t]*+(?=\r\n|\Z)")
_EMPTY_LINES = re.compile(rb"(?:\r\n)*+")
# At least one of these is in the header of every message, and in that of most parts.
_USUAL = re.compile(
    rb"^(?:from|to|cc|bcc|subject|date|message-id|mime-version|content-type)[ \t]*+:",
    re.IGNORECASE | re.MULTILINE,
)
_BYTE_ORDER_MARK = "\ufeff".encode()
# The line before a message in a mailbox file (RFC 4155).
_MBOX_LINES = (b"From ", b">From ")


class Field(NamedTuple):
    """One header field. ``value`` is unfolded and stripped, but still encoded.

    ``key`` is the name in lower case, for comparisons.
    """

    name: str
    key: str
    value: bytes


@dataclass(slots=True)
class HeaderBudget:
    """How many bytes and fields the headers that are not read yet may have, over all parts.

    The number of fields is limited too, because a small message can have a million fields.
    """

    bytes_left: int = _MAX_ALL_HEADERS_BYTES
    fields_left: int = _MAX_FIELDS

    def spend(self, size: int) -> None:
        """Count one field, or a line that is not one, with ``size`` bytes before its line end.

        :raises Malformed: it is one too many.
        """
        self.bytes_left -= size
        self.fields_left -= 1
        if self.bytes_left < 0:
            raise Malformed(
                f"The headers of all parts have more than {_MAX_ALL_HEADERS_BYTES} bytes"
            )
        if self.fields_left < 0:
            raise Malformed(f"The headers have more than {_MAX_FIELDS} fields")


@dataclass(frozen=True, slots=True)
class Entity:
    """A message, or a part of one.

    ``message`` is the whole message. The body of the entity is ``message[start:end]``.
    ``number`` is the position of a part, ``2.1`` for the first part of the second part. It is empty
    for the message itself. ``adaptations`` are those of the whole message.
    """

    fields: tuple[Field, ...]
    message: bytes
    start: int
    end: int
    budget: HeaderBudget
    number: str
    adaptations: Adaptations

    @property
    def body(self) -> bytes:
        """A copy of the body, still encoded."""
        return self.message[self.start : self.end]

    def value(self, key: str) -> bytes | None:
        """The value of the first field with the lower-case name ``key``, None without one."""
        return next((field.value for field in self.fields if field.key == key), None)

    @property
    def place(self) -> str:
        """The prefix of errors about this part: ``Part 2.1: ``. Empty for the message itself."""
        return f"Part {self.number}: " if self.number else ""

    @property
    def rest_of_header(self) -> bytes:
        """The first lines of the body, if no empty line divides them from the header."""
        if self.fields and self.message.endswith(b"\r\n\r\n", 0, self.start):
            return b""
        start = _match(_EMPTY_LINES, self.message, self.start, self.end).end()
        end = self.message.find(b"\r\n\r\n", start, self.end)
        return self.message[start : self.end if end < 0 else end]

    def about(self, what: str) -> str:
        """``what`` as a sentence, or the beginning of one, about this part."""
        return self.place + what if self.number else what[:1].upper() + what[1:]


def read_entity(content: bytes, adaptations: Adaptations) -> Entity:
    """Split the message ``content`` into header and body.

    :raises Malformed: the header is too large or has too many fields. A line is not a field, and
        the relay is strict.
    """
    end = len(content)
    start = _match(_EMPTY_LINES, content, 0, end).end()
    if start and not _begins_with_header(content, start, end):
        start = 0
    if start:
        problem = Malformed("The message begins with an empty line")
        adaptations.add("left_out", "Empty lines before the header left out", problem)
    if content.startswith(_MBOX_LINES, start) and not _FIELD.match(content, start, end):
        problem = _no_field(content, start, "")
        adaptations.add("left_out", "The From line of a mailbox file left out", problem)
        start = _match(_LINE, content, start, end).end()
    whole = Entity((), content, start, len(content), HeaderBudget(), "", adaptations)
    return _entity(whole, start, len(content), "")


def parts(entity: Entity, boundary: bytes) -> Iterator[Entity]:
    """The parts of a multipart, without its preamble and epilogue (RFC 2046, section 5.1).

    :raises Malformed: there are no parts, the boundary is missing or too long, or a part has
        an invalid header (see ``read_entity``).
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise Malformed(f"{entity.place}the multipart has no boundary")
    end = entity.end
    start: int | None = None
    count = 0

    def part(until: int) -> Entity:
        assert start is not None
        number = f"{entity.number}.{count}" if entity.number else str(count)
        return _entity(entity, start, max(start, until), number)

    for position, tail in delimiters(entity, boundary):
        if start is not None:
            count += 1
            yield part(position)
        start = min(tail.end() + 2, end)
        if tail[1]:
            break
    else:
        if start is None:
            raise Malformed(f"{entity.place}the boundary of the multipart does not occur")
        count += 1  # the closing delimiter is missing
        yield part(end)
    if not count:
        raise Malformed(f"{entity.place}the multipart has no parts")


def delimiters(entity: Entity, boundary: bytes) -> Iterator[tuple[int, Match[bytes]]]:
    """The lines with ``boundary``: where each begins, and what follows the boundary.

    Two dashes follow it in the line that closes the multipart.
    """
    # An expression with the boundary would have to be compiled for each message.
    line = b"\r\n--" + boundary
    # A body may begin with a delimiter. The CR LF of this delimiter is before the body.
    position = max(0, entity.start - 2)
    while (position := entity.message.find(line, position, entity.end)) >= 0:
        if tail := _DELIMITER_TAIL.match(entity.message, position + len(line), entity.end):
            yield position, tail
        position += 2


def _entity(whole: Entity, start: int, end: int, number: str) -> Entity:
    """The entity from ``start`` to ``end`` in the same message as ``whole``."""
    content, budget = whole.message, whole.budget
    fields: list[Field] = []
    position = start
    while True:
        while match := _FIELD.match(content, position, end):
            budget.spend(match.end(2) - position)
            name, value = match[1].decode("ascii"), match[2].replace(b"\r\n", b"")
            fields.append(Field(name, name.lower(), value.strip(b" \t")))
            position = match.end()
        if position == end or content.startswith(b"\r\n", position, end):
            position = min(position + 2, end)
            break
        entity = replace(whole, number=number)
        next_field = _behind_odd_line(entity, position, end, is_first=not fields)
        if next_field is None:
            break
        budget.spend(next_field - position - len("\r\n"))
        position = next_field
    return Entity(tuple(fields), content, position, end, budget, number, whole.adaptations)


def _behind_odd_line(entity: Entity, start: int, end: int, *, is_first: bool) -> int | None:
    """Where the header goes on behind the line at ``start``, which is not a field.

    None if the body begins at this line.

    :raises Malformed: the relay is strict.
    """
    content = entity.message
    problem = _no_field(content, start, entity.place)
    behind_mark = start + len(_BYTE_ORDER_MARK)
    if content.startswith(_BYTE_ORDER_MARK, start) and _FIELD.match(content, behind_mark, end):
        sentence = entity.about("a byte order mark in the header left out")
        entity.adaptations.add("left_out", sentence, problem)
        return behind_mark
    next_line = _match(_LINE, content, start, end).end()
    has_colon = content.find(b":", start, next_line) != -1
    is_header = _begins_with_header if is_first else _FIELD.match
    if has_colon and is_header(content, next_line, end):
        sentence = entity.about("a line of the header that is not a field left out")
        entity.adaptations.add("left_out", sentence, problem)
        return next_line
    sentence = entity.about("the body begins at a line that is not a header field")
    entity.adaptations.add("repaired", sentence, problem)
    return None


def _begins_with_header(content: bytes, start: int, end: int) -> bool:
    """Whether only fields are before the next empty line, one of which most headers have."""
    fields = _match(_FIELDS, content, start, end)
    if fields.end() < end and not content.startswith(b"\r\n", fields.end()):
        return False
    return bool(_USUAL.search(content, start, fields.end())) or has_hidden_field(fields[0])


def _match(pattern: Pattern[bytes], content: bytes, start: int, end: int) -> Match[bytes]:
    match = pattern.match(content, start, end)
    assert match  # the pattern matches nothing, too
    return match


def _no_field(content: bytes, start: int, place: str) -> Malformed:
    shown = content[start : start + 40].partition(b"\r\n")[0].decode("ascii", "backslashreplace")
    return Malformed(f"{place}not a header field, and no empty line before the body: {shown}")
