"""Content-Transfer-Encoding (RFC 2045, section 6), and uuencode, which older programs use."""

import binascii
import re
from collections.abc import Iterator

from smtp_relay.message.base64_text import decoded_base64
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed, Unsupported

_IDENTITY = ("", "7bit", "8bit", "binary")
_UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_NAME_END = re.compile("[(;]")
_CHUNK_BYTES = 64 * 1024
# The lookbehind prevents quadratic time on long runs of blanks.
_BLANK_LINE_END = re.compile(rb"(?<![ \t])[ \t]++(?=\r\n|\Z)")


def encoding_of(entity: Entity) -> str:
    """The name of the transfer encoding in lower case, empty if there is none."""
    value = (entity.value("content-transfer-encoding") or b"").decode("ascii", "replace")
    # Some programs write quotes, or a parameter.
    return _NAME_END.split(value, maxsplit=1)[0].strip(" \t\"'").lower()


def is_identity(entity: Entity) -> bool:
    """Whether the body is not encoded. The body of a multipart must not be encoded."""
    return encoding_of(entity) in _IDENTITY


def decoded_body(entity: Entity) -> bytes:
    """The decoded body of ``entity``, which must not be a multipart.

    :raises Malformed: the body is invalid in its encoding.
    :raises Unsupported: the encoding is unknown, and the relay is strict.
    """
    encoding = encoding_of(entity)
    if encoding in _IDENTITY:
        return entity.body
    if encoding == "base64":
        return _from_base64(entity)
    if encoding == "quoted-printable":
        return b"".join(map(_from_quoted_printable, _chunks(entity.body)))
    if encoding in _UUENCODE:
        return _from_uuencode(entity)
    name = encoding[:40].encode("ascii", "backslashreplace").decode()
    problem = Unsupported(f"{entity.place}unknown Content-Transfer-Encoding: {name}")
    sentence = entity.about("unknown Content-Transfer-Encoding read as 8bit")
    entity.adaptations.add("guessed", sentence, problem)
    return entity.body


def _from_base64(entity: Entity) -> bytes:
    what = f"{entity.place}the content"
    content, changes = decoded_base64(entity.body, what)
    for kind, sentence in changes:
        problem = Malformed(f"{what} is not base64")
        entity.adaptations.add(kind, entity.about(sentence), problem)
    return content


def _from_quoted_printable(lines: bytes) -> bytes:
    # Servers may add blanks at the end of a line (section 6.7, rule 3).
    return binascii.a2b_qp(_BLANK_LINE_END.sub(b"", lines))


def _from_uuencode(entity: Entity) -> bytes:
    malformed = Malformed(f"{entity.place}the content is not uuencoded from begin to end")
    body = entity.body
    lines = _lines(body)
    has_text = False
    for line in lines:
        if line.startswith(b"begin "):
            break
        has_text = has_text or bool(line.strip())
    decoded = bytearray()
    for line in lines:
        if line == b"end":
            if has_text or any(rest.strip() for rest in lines):
                problem = Malformed(f"{entity.place}text before or after the uuencoded content")
                sentence = entity.about("text before or after the uuencoded content left out")
                entity.adaptations.add("left_out", sentence, problem)
            return bytes(decoded)
        try:
            decoded += binascii.a2b_uu(line) if line else b""
        except binascii.Error as error:
            raise malformed from error
        if len(decoded) > len(body):
            break  # a2b_uu adds zeros to a line that is shorter than its declared length
    raise malformed


def _lines(content: bytes) -> Iterator[bytes]:
    for chunk in _chunks(content):
        yield from chunk.removesuffix(b"\r\n").split(b"\r\n")


def _chunks(content: bytes) -> Iterator[bytes]:
    """``content`` in pieces of whole lines. A list of all lines would take too much memory."""
    start = 0
    while start < len(content):
        line_end = content.find(b"\r\n", start + _CHUNK_BYTES)
        end = len(content) if line_end < 0 else line_end + 2
        yield content[start:end]
        start = end
