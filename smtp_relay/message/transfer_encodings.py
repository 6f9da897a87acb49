"""Content-Transfer-Encoding (RFC 2045, section 6), and uuencode, which older programs use."""

import binascii
import re
from collections.abc import Iterator

from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed, Unsupported

_IDENTITY = ("", "7bit", "8bit", "binary")
_UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_SPACE = b" \t\r\n"
_BASE64 = re.compile(rb"[A-Za-z0-9+/ \t\r\n]*+(?P<padding>=[= \t\r\n]*+)?+")
_CHUNK_BYTES = 64 * 1024
# The lookbehind prevents quadratic time on long runs of blanks.
_BLANK_LINE_END = re.compile(rb"(?<![ \t])[ \t]++(?=\r\n|\Z)")


def encoding_of(entity: Entity) -> str:
    """The name of the transfer encoding in lower case, empty if there is none."""
    value = entity.value("content-transfer-encoding") or b""
    return value.decode("ascii", "replace").partition("(")[0].strip().rstrip(";").lower()


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
    body = entity.body
    try:
        return from_base64(body, f"{entity.place}the content")
    except Malformed as problem:
        base64 = body[: _end_of_base64(body)]
        # Without padding, text could be taken for base64. Text has spaces.
        is_padded = b"=" in base64
        digits = base64.translate(None, _SPACE)
        if not digits or (not is_padded and (len(digits) % 4 or b" " in base64)):
            raise
        decoded = from_base64(base64, f"{entity.place}the content")
        sentence = entity.about("text behind the end of the base64 content left out")
        entity.adaptations.add("left_out", sentence, problem)
        return decoded


def _end_of_base64(body: bytes) -> int:
    """Where ``body`` goes on with text that another program has added, such as a footer."""
    match = _BASE64.match(body)
    assert match
    return match.end() if match["padding"] else body.rfind(b"\n", 0, match.end()) + 1


def from_base64(text: bytes, what: str) -> bytes:
    """The bytes that ``text`` encodes. Ignores spaces, line ends and missing padding.

    :raises Malformed: ``text`` is not base64.
    """
    digits = text.translate(None, _SPACE)
    bare = digits.rstrip(b"=")
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error as error:
        raise Malformed(f"{what} is not base64") from error


def _from_quoted_printable(lines: bytes) -> bytes:
    # Servers may add blanks at the end of a line (section 6.7, rule 3).
    return binascii.a2b_qp(_BLANK_LINE_END.sub(b"", lines))


def _from_uuencode(entity: Entity) -> bytes:
    malformed = Malformed(f"{entity.place}the content is not uuencoded from begin to end")
    body = entity.body
    lines = _lines(body)
    if not any(line.startswith(b"begin ") for line in lines):
        raise malformed
    decoded = bytearray()
    for line in lines:
        if line == b"end":
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
