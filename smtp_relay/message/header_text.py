"""Decodes the text of header fields: UTF-8 (RFC 6532) and encoded words (RFC 2047)."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.base64_text import from_base64
from smtp_relay.message.charsets import decode, decode_leniently, guessed
from smtp_relay.message.errors import Malformed

# More lenient than the grammar: some programs write no space between two encoded words, or write
# spaces inside an encoded word.
_PRINTABLE = re.compile(r"[ -~]++")
_WORD_START = re.compile(r"=\?([!->@-~]{1,60}+)\?([BbQq])\?")
_WORD_END = "?="
_ENCODED = re.compile(r"(?:=\?[!->@-~]{1,60}+\?[BbQq]\?[^?]*+\?= *+)++")
_NOT_BASE64 = re.compile("[^A-Za-z0-9+/]")
# The limit for adjacent words that each end within a character. Such words are decoded together
# again for each further word, which takes quadratic time.
_MAX_SPLIT_BYTES = 2048


@dataclass(frozen=True, slots=True)
class _Word:
    """An encoded word, and its position in the text."""

    start: int
    end: int
    charset: str
    content: bytes


def raw_text(value: bytes, what: str, adaptations: Adaptations) -> str:
    """``value`` as text. Encoded words stay encoded; tabs become spaces. ``what`` names the field.

    :raises Malformed: ``value`` is not UTF-8, and the relay is strict.
    """
    text, charset = guessed(value)
    if charset != "UTF-8":
        problem = Malformed(f"{what} is neither ASCII nor UTF-8, but {charset}")
        adaptations.add("guessed", f"{what} read as {charset}", problem)
    return text.replace("\t", " ")


def structured_text(value: bytes, what: str, adaptations: Adaptations, *, mark: str = "") -> str:
    """The text of a field with a syntax, such as a list of mailboxes, as ``raw_text`` reads it.

    Python's programs encode the whole value if a name in it is not ASCII. Such a value is decoded,
    if the text then contains ``mark``.

    :raises Malformed: as ``raw_text`` does. Or the whole value is encoded, and the relay is strict.
    """
    text = raw_text(value, what, adaptations)
    if not _ENCODED.fullmatch(text):
        return text
    decoded = decoded_words(text, what, adaptations)
    if mark not in decoded:
        return text
    problem = Malformed(f"{what} is encoded as a whole")
    adaptations.add("repaired", f"{what}, which is encoded as a whole, decoded", problem)
    return decoded


def decoded_words(text: str, what: str, adaptations: Adaptations) -> str:
    """``text`` with its encoded words decoded.

    Ignores spaces between two encoded words. Accepts a character whose bytes are split between two
    words: the RFC forbids this, but some programs do it.

    :raises Malformed: a word has an unknown charset or can't be decoded, and the relay is strict.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    charset, group = "", list[bytes]()
    end = 0
    for word in _words(text, what, adaptations):
        between = text[end : word.start]
        follows = bool(group) and not between.strip(" ")
        if not follows or word.charset.lower() != charset.lower():
            pieces += (
                _decoded_group(group, charset, what, adaptations),
                "" if follows else between,
            )
            group = []
        charset = word.charset
        group.append(word.content)
        end = word.end
    pieces += (_decoded_group(group, charset, what, adaptations), text[end:])
    return "".join(pieces)


def _words(text: str, what: str, adaptations: Adaptations) -> Iterator[_Word]:
    """The encoded words in ``text``, found in one pass.

    One regular expression for a whole word would take quadratic time, because it would search for
    the end of a word again from every start.
    """
    for printable in _PRINTABLE.finditer(text):
        position = printable.start()
        while start := _WORD_START.search(text, position, printable.end()):
            close = text.find(_WORD_END, start.end(), printable.end())
            if close == -1:
                break
            position = close + len(_WORD_END)
            charset = start[1].partition("*")[0]  # RFC 2231, section 5: a language may follow
            content = _word_bytes(start[2], text[start.end() : close], what, adaptations)
            yield _Word(start.start(), position, charset, content)


def _decoded_group(group: list[bytes], charset: str, what: str, adaptations: Adaptations) -> str:
    """Adjacent words of one charset, decoded one by one, or together if a character is split."""
    texts, held = list[str](), b""
    for index, content in enumerate(group, 1):
        held += content
        try:
            texts.append(decode(held, charset, what, adaptations))
        except Malformed:
            if index < len(group) and len(held) <= _MAX_SPLIT_BYTES:
                continue
            texts.append(decode_leniently(held, charset, what, adaptations))
        held = b""
    return "".join(texts)


def header_text(value: bytes, what: str, adaptations: Adaptations) -> str:
    """``value`` as text, with its encoded words decoded.

    :raises Malformed: as ``raw_text`` and ``decoded_words`` do.
    """
    return decoded_words(raw_text(value, what, adaptations), what, adaptations)


def _word_bytes(encoding: str, text: str, what: str, adaptations: Adaptations) -> bytes:
    if encoding in "Qq":
        return binascii.a2b_qp(text.encode("ascii"), header=True)
    word = f"an encoded word of {what}"
    try:
        return from_base64(text.encode("ascii"), word)
    except Malformed as problem:
        adaptations.add("repaired", f"Characters in {word} that are not base64 left out", problem)
        digits = _NOT_BASE64.sub("", text)
        whole = digits[: len(digits) - (len(digits) % 4 == 1)]
        return binascii.a2b_base64(whole + "=" * (-len(whole) % 4))
