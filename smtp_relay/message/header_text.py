"""The text of header fields: UTF-8 (RFC 6532) and encoded words (RFC 2047)."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smtp_relay.message.charsets import decode
from smtp_relay.message.errors import Malformed
from smtp_relay.message.transfer_encodings import from_base64

# More lenient than the grammar: programs put words next to others, and spaces into words.
_PRINTABLE = re.compile(r"[ -~]++")
_WORD_START = re.compile(r"=\?([!->@-~]{1,60}+)\?([BbQq])\?")
_WORD_END = "?="
# Of adjacent words that end within a character each. Decoding them takes quadratic time.
_MAX_SPLIT_BYTES = 2048


@dataclass(frozen=True, slots=True)
class _Word:
    """An encoded word, and where it is in the text."""

    start: int
    end: int
    charset: str
    content: bytes


def raw_text(value: bytes, what: str) -> str:
    """``value`` as text, with encoded words unchanged, and tabs from folding as spaces.

    :raises Malformed: it is not UTF-8.
    """
    try:
        return value.decode().replace("\t", " ")
    except UnicodeDecodeError as error:
        raise Malformed(f"{what} is neither ASCII nor UTF-8") from error


def decoded_words(text: str, what: str) -> str:
    """``text`` with its encoded words decoded.

    Ignores spaces between two encoded words. Accepts characters that are split between two words:
    the RFC forbids them, and some programs write them.

    :raises Malformed: a word has an unknown charset, or can't be decoded.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    charset, group = "", list[bytes]()
    end = 0
    for word in _words(text, what):
        between = text[end : word.start]
        follows = bool(group) and not between.strip(" ")
        if not follows or word.charset.lower() != charset.lower():
            pieces += (_decoded_group(group, charset, what), "" if follows else between)
            group = []
        charset = word.charset
        group.append(word.content)
        end = word.end
    pieces += (_decoded_group(group, charset, what), text[end:])
    return "".join(pieces)


def _words(text: str, what: str) -> Iterator[_Word]:
    """The encoded words in ``text``. Looks at each character once.

    One expression for a whole word would search its end from every start again.
    """
    for printable in _PRINTABLE.finditer(text):
        position = printable.start()
        while start := _WORD_START.search(text, position, printable.end()):
            close = text.find(_WORD_END, start.end(), printable.end())
            if close < 0:
                break
            position = close + len(_WORD_END)
            charset = start[1].partition("*")[0]  # RFC 2231, section 5: a language may follow
            content = _word_bytes(start[2], text[start.end() : close], what)
            yield _Word(start.start(), position, charset, content)


def _decoded_group(group: list[bytes], charset: str, what: str) -> str:
    """Adjacent words of one charset, decoded one by one, or together if a character is split."""
    texts, held = list[str](), b""
    for index, content in enumerate(group, 1):
        held += content
        try:
            texts.append(decode(held, charset, what))
        except Malformed:
            if index == len(group) or len(held) > _MAX_SPLIT_BYTES:
                raise
        else:
            held = b""
    return "".join(texts)


def header_text(value: bytes, what: str) -> str:
    """``value`` as text, with its encoded words decoded.

    :raises Malformed: as ``raw_text`` and ``decoded_words`` do.
    """
    return decoded_words(raw_text(value, what), what)


def _word_bytes(encoding: str, text: str, what: str) -> bytes:
    if encoding in "Bb":
        return from_base64(text.encode("ascii"), f"an encoded word of {what}")
    return binascii.a2b_qp(text.encode("ascii"), header=True)
