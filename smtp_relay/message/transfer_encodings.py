"""Transfer encodings: what stands in the mail into the bytes that it stands for (RFC 2045, 6)."""

import binascii
import re

from smtp_relay.message.entity import Entity
from smtp_relay.message.faults import Malformed, Uncarriable

_IDENTITY = ("", "7bit", "8bit", "binary")
_UUENCODE = ("x-uuencode", "uuencode", "x-uue", "uue")
_SPACE = b" \t\r\n"
# Looked for only where blanks begin, so that many of them are not counted again and again.
_BLANK_LINE_END = re.compile(rb"(?<![ \t])[ \t]++(?=\r\n|\Z)")


def encoding_of(entity: Entity) -> str:
    """The name of the transfer encoding in lower case, empty where there is none."""
    value = entity.value("content-transfer-encoding") or b""
    return value.decode("ascii", "replace").partition("(")[0].strip().rstrip(";").lower()


def is_identity(entity: Entity) -> bool:
    """Whether the body stands there as it is, as that of a multipart must."""
    return encoding_of(entity) in _IDENTITY


def decoded_body(entity: Entity) -> bytes:
    """The bytes that the body of ``entity``, which is no multipart, stands for.

    :raises Malformed: they are not what the encoding makes.
    :raises Uncarriable: nobody knows the encoding.
    """
    encoding = encoding_of(entity)
    if encoding in _IDENTITY:
        return entity.body
    if encoding == "base64":
        return from_base64(entity.body, f"{entity.place}the content")
    if encoding == "quoted-printable":
        # What is blank at the end of a line was added on the way (section 6.7, rule 3).
        return binascii.a2b_qp(_BLANK_LINE_END.sub(b"", entity.body))
    if encoding in _UUENCODE:
        return _from_uuencode(entity)
    name = encoding[:40].encode("ascii", "backslashreplace").decode()
    raise Uncarriable(f"{entity.place}unknown Content-Transfer-Encoding: {name}")


def from_base64(text: bytes, what: str) -> bytes:
    """The bytes that ``text`` stands for; spaces and line ends don't count, nor does padding.

    :raises Malformed: it is no base64.
    """
    digits = text.translate(None, _SPACE)
    bare = digits.rstrip(b"=")
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except binascii.Error as error:
        raise Malformed(f"{what} is not base64") from error


def _from_uuencode(entity: Entity) -> bytes:
    lines = iter(entity.body.split(b"\r\n"))
    for line in lines:
        if line.startswith(b"begin "):
            break
    else:
        raise Malformed(f"{entity.place}the content is not uuencoded")
    decoded: list[bytes] = []
    for line in lines:
        if line == b"end":
            return b"".join(decoded)
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error as error:
            raise Malformed(f"{entity.place}the content is not uuencoded") from error
    raise Malformed(f"{entity.place}the uuencoded content has no end")
