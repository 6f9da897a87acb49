"""Decodes the text of header fields: UTF-8 (RFC 6532) and encoded words (RFC 2047)."""

import binascii
import re

from smtp_relay.message.charsets import decode
from smtp_relay.message.errors import Malformed
from smtp_relay.message.transfer_encodings import from_base64

# More lenient than the grammar: some programs write no space between two encoded words, or write
# spaces inside an encoded word.
_WORD = re.compile(r"=\?([!->@-~]{1,60})\?([BbQq])\?([ -~]*?)\?=")


def raw_text(value: bytes, what: str) -> str:
    """``value`` as text. Encoded words stay encoded; tabs become spaces. ``what`` names the field.

    :raises Malformed: ``value`` is not UTF-8.
    """
    try:
        return value.decode().replace("\t", " ")
    except UnicodeDecodeError as error:
        raise Malformed(f"{what} is neither ASCII nor UTF-8") from error


def decoded_words(text: str, what: str) -> str:
    """``text`` with its encoded words decoded.

    Ignores spaces between two encoded words. Accepts a character whose bytes are split between two
    words: the RFC forbids this, but some programs do it.

    :raises Malformed: a word has an unknown charset, or can't be decoded.
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
    """Adjacent words of one charset, decoded one by one, or together if a character is split."""
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
    """``value`` as text, with its encoded words decoded.

    :raises Malformed: as ``raw_text`` and ``decoded_words`` do.
    """
    return decoded_words(raw_text(value, what), what)


def _word_bytes(encoding: str, text: str, what: str) -> bytes:
    if encoding in "Bb":
        return from_base64(text.encode("ascii"), f"an encoded word of {what}")
    return binascii.a2b_qp(text.encode("ascii"), header=True)
