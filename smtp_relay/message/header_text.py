"""The text of header fields: UTF-8 (RFC 6532) and encoded words (RFC 2047)."""

import binascii
import re

from smtp_relay.message.charsets import decode
from smtp_relay.message.faults import Malformed
from smtp_relay.message.transfer_encodings import from_base64

# Looser than the grammar: programs put words next to others, and spaces into them.
_WORD = re.compile(r"=\?([!->@-~]{1,60})\?([BbQq])\?([ -~]*?)\?=")


def raw_text(value: bytes, what: str) -> str:
    """``value`` with its encoded words as they are; tabs, which only fold, are spaces.

    :raises Malformed: it is no UTF-8.
    """
    try:
        return value.decode().replace("\t", " ")
    except UnicodeDecodeError as error:
        raise Malformed(f"{what} is neither ASCII nor UTF-8") from error


def decoded_words(text: str, what: str) -> str:
    """``text`` with its encoded words read.

    Spaces between two of them don't count, and a character may be cut in two by them, which
    the RFC forbids and some programs do.

    :raises Malformed: a word of an unknown charset, or one that can't be decoded.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    charset, group = "", list[bytes]()
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        own_charset = match[1].partition("*")[0]  # RFC 2231, section 5: a language may follow
        follows = bool(group) and not between.strip(" ")
        if not follows or own_charset.lower() != charset.lower():
            pieces += (_decoded_group(group, charset, what), "" if follows else between)
            group = []
        charset = own_charset
        group.append(_word_bytes(match[2], match[3], what))
        end = match.end()
    pieces += (_decoded_group(group, charset, what), text[end:])
    return "".join(pieces)


def _decoded_group(group: list[bytes], charset: str, what: str) -> str:
    """Words of one charset that follow each other: each for itself, or with the next ones."""
    text, held = "", b""
    for index, content in enumerate(group, 1):
        held += content
        try:
            text += decode(held, charset, what)
        except Malformed:
            if index == len(group):
                raise
        else:
            held = b""
    return text


def header_text(value: bytes, what: str) -> str:
    """``value`` as text, its encoded words read.

    :raises Malformed: as ``raw_text`` and ``decoded_words`` do.
    """
    return decoded_words(raw_text(value, what), what)


def _word_bytes(encoding: str, text: str, what: str) -> bytes:
    if encoding in "Bb":
        return from_base64(text.encode("ascii"), f"an encoded word of {what}")
    return binascii.a2b_qp(text.encode("ascii"), header=True)
