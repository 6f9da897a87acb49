"""Entities: messages and parts of a multipart, each with a header and a body (RFC 2045).

``email.parser`` compares every line with the boundaries of all enclosing multiparts, so a small
hostile message keeps it busy for minutes. This parser reads the bytes once per level of nesting,
and ``parts.py`` limits the number of levels.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smtp_relay.message.errors import Malformed

_MAX_HEADER_BYTES = 128 * 1024  # per entity
_MAX_BOUNDARY_BYTES = 200  # RFC 2046 allows 70; some programs use more

_FIELD_END = re.compile(rb"\r\n(?![ \t])")  # a line that begins with a blank continues a field
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. ``value`` is unfolded and stripped, but still encoded."""

    name: str
    value: bytes

    @property
    def key(self) -> str:
        """The name in lower case, for comparisons."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Entity:
    """A message, or a part of one.

    ``number`` is the position of a part, ``2.1`` for the first part of the second part. It is empty
    for the message itself.
    """

    fields: tuple[Field, ...]
    body: bytes
    number: str = ""

    def value(self, key: str) -> bytes | None:
        """The value of the field with the lower-case name ``key``, None without such a field.

        :raises Malformed: the field is repeated.
        """
        values = [field.value for field in self.fields if field.key == key]
        if len(values) > 1:
            raise Malformed(f"{self.place}{key.title()} occurs {len(values)} times")
        return values[0] if values else None

    @property
    def place(self) -> str:
        """The prefix of errors about this part: ``Part 2.1: ``. Empty for the message itself."""
        return f"Part {self.number}: " if self.number else ""


def read_entity(content: bytes, number: str = "") -> Entity:
    """Split ``content`` into header and body.

    :raises Malformed: the header is too large, or a line of it is not a field.
    """
    if content.startswith(b"\r\n"):
        return Entity((), content[2:], number)
    end = content.find(b"\r\n\r\n")
    head = content if end < 0 else content[:end]
    place = f"Part {number}: " if number else ""
    if len(head) > _MAX_HEADER_BYTES:
        raise Malformed(f"{place}the header has more than {_MAX_HEADER_BYTES} bytes")
    fields = tuple(_fields(head.removesuffix(b"\r\n"), place))
    return Entity(fields, b"" if end < 0 else content[end + 4 :], number)


def parts(entity: Entity, boundary: bytes) -> Iterator[Entity]:
    """The parts of a multipart, without its preamble and epilogue (RFC 2046, section 5.1).

    :raises Malformed: there are no parts, or the boundary is missing or too long.
    """
    if not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise Malformed(f"{entity.place}the multipart has no boundary")
    delimiter = re.compile(rb"\r\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    body = b"\r\n" + entity.body
    start: int | None = None
    count = 0
    for match in delimiter.finditer(body):
        if start is not None:
            count += 1
            yield read_entity(body[start : match.start()], _number(entity, count))
        start = match.end() + 2
        if match[1]:
            break
    else:
        if start is None:
            raise Malformed(f"{entity.place}the boundary of the multipart does not occur")
        count += 1  # the closing delimiter is missing
        yield read_entity(body[start:], _number(entity, count))
    if not count:
        raise Malformed(f"{entity.place}the multipart has no parts")


def _number(entity: Entity, count: int) -> str:
    return f"{entity.number}.{count}" if entity.number else str(count)


def _fields(head: bytes, place: str) -> Iterator[Field]:
    for folded in _FIELD_END.split(head) if head else ():
        match = _FIELD.fullmatch(folded.replace(b"\r\n", b""))
        if match is None:
            shown = folded.partition(b"\r\n")[0][:40].decode("ascii", "backslashreplace")
            raise Malformed(
                f"{place}not a header field, and no empty line before the body: {shown}"
            )
        yield Field(match[1].decode("ascii"), match[2].strip(b" \t"))
