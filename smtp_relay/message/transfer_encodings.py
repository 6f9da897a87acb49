"""Content-Transfer-Encoding (RFC 2045, section 6), and uuencode, which older programs use."""

import binascii
import re

from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed, Unsupported

_IDENTITY = ("", "7bit", "8bit", "binary")
_UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_SPACE = b" \t\r\n"
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
    :raises Unsupported: the encoding is unknown.
    """
    encoding = encoding_of(entity)
    if encoding in _IDENTITY:
        return entity.body
    if encoding == "base64":
        return from_base64(entity.body, f"{entity.place}the content")
    if encoding == "quoted-printable":
        # Servers may add blanks at the end of a line (section 6.7, rule 3).
        return binascii.a2b_qp(_BLANK_LINE_END.sub(b"", entity.body))
    if encoding in _UUENCODE:
        return _from_uuencode(entity)
    name = encoding[:40].encode("ascii", "backslashreplace").decode()
    raise Unsupported(f"{entity.place}unknown Content-Transfer-Encoding: {name}")


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


def _from_uuencode(entity: Entity) -> bytes:
    malformed = Malformed(f"{entity.place}the content is not uuencoded from begin to end")
    lines = iter(entity.body.split(b"\r\n"))
    if not any(line.startswith(b"begin ") for line in lines):
        raise malformed
    decoded: list[bytes] = []
    for line in lines:
        if line == b"end":
            return b"".join(decoded)
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error as error:
            raise malformed from error
    raise malformed
