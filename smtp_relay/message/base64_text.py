"""Base64 as programs write it: in several pieces, in another alphabet, or with text behind it.

Content is never cut: what could belong to it is decoded, or the whole is rejected.
"""

import binascii
import re

from smtp_relay.message.adaptations import Kind
from smtp_relay.message.errors import Malformed

_SPACE = b" \t\r\n"
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_OTHERS = bytes(set(range(256)) - set(_DIGITS))
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")

# Text usually has other characters, or a blank between two of them.
_LINES_WITHOUT_TEXT = re.compile(
    rb"(?:[ \t]*+[A-Za-z0-9+/=]*+[ \t]*+\r\n)*+(?:[ \t]*+[A-Za-z0-9+/=]*+[ \t]*+\Z)?+"
)
_PIECES = re.compile(rb"(?:[A-Za-z0-9+/]{4}+|[A-Za-z0-9+/]{3}+=|[A-Za-z0-9+/]{2}+==)*+")
_PIECE = re.compile(rb"[^=]++=*+")
# A line that is more likely content than text: a long one, or one that ends with padding.
_CONTENT = re.compile(
    rb"^[ \t]*+(?:[A-Za-z0-9+/]{60}+|(?:[A-Za-z0-9+/]{4}+)*+[A-Za-z0-9+/]{2,3}+=[= \t]*+\r?$)",
    re.MULTILINE,
)
_LINE_OF_DASHES = re.compile(rb"^[-_ \t]++\r?$", re.MULTILINE)
_BEHIND_EMPTY_LINE = re.compile(rb"\r\n[ \t]*+\r\n[ \t]*+[A-Za-z0-9+/]")

_CHUNK_BYTES = 64 * 1024  # a multiple of four
_DIGITS_PER_STRAY = 32
_LETTERS_PER_OTHER = 8  # in a text, at most: words are short
_CONTENT_DIGITS = 60

_FOOTER: tuple[Kind, str] = (
    "left_out",
    "text behind the end of the base64 content left out",
)
_IN_PIECES: tuple[Kind, str] = ("repaired", "base64 in several pieces read as one")
_IN_URL_ALPHABET: tuple[Kind, str] = ("repaired", "base64 read in its alphabet for URLs")
_STRAYS: tuple[Kind, str] = ("left_out", "characters that are not base64 left out")
_CONTINUED: tuple[Kind, str] = ("guessed", "base64 behind an empty line read as content")


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


def decoded_base64(body: bytes, what: str) -> tuple[bytes, list[tuple[Kind, str]]]:
    """The bytes that ``body`` encodes, and the changes to tell.

    :raises Malformed: ``body`` is not base64, or it is not certain what belongs to it.
    """
    if b" " in body or b"\t" in body:
        for read in (_in_one_piece, _without_footer):
            if found := read(body):
                return found
    try:
        content = from_base64(body, what)
    except Malformed:
        for read in (_without_footer, _in_pieces, _in_url_alphabet, _without_strays):
            if found := read(body):
                return found
        raise
    is_continued = b"=" not in body and _BEHIND_EMPTY_LINE.search(body)
    return content, [_CONTINUED] if is_continued else []


_Found = tuple[bytes, list[tuple[Kind, str]]] | None


def _in_one_piece(body: bytes) -> _Found:
    """Base64 up to the end of ``body``, as its padding or the length of its lines shows.

    Words of a text can be base64 too.
    """
    lines = body.translate(None, b" \t").strip(b"\r\n")
    is_padded = lines.endswith(b"=") and not lines.endswith(b"===")
    if not is_padded and not _has_equal_lines(lines):
        return None
    try:
        content = binascii.a2b_base64(lines.translate(None, b"\r\n"), strict_mode=True)
    except binascii.Error:
        return None
    return content, []


def _has_equal_lines(lines: bytes) -> bool:
    """Whether no line is longer or shorter than the first one, except a short last line."""
    width = lines.find(b"\r\n")
    ends = lines[width :: width + len("\r\n")] if width >= 0 else b""
    return len(ends) == ends.count(b"\r") == lines.count(b"\r")


def _without_footer(body: bytes) -> _Found:
    """Base64 that is whole before the first line of text, like the footer of a mailing list."""
    match = _LINES_WITHOUT_TEXT.match(body)
    assert match
    base64, rest = body[: match.end()], body[match.end() :]
    first = rest.lstrip().partition(b"\r\n")[0].strip()
    if not base64.strip() or not first or _is_content(rest):
        return None
    # Without padding, a word with other characters could be content that was damaged.
    is_text = b"=" in base64 or len(first.split()) > 1 or not first.translate(None, _OTHERS)
    found = _in_pieces(base64) if is_text else None
    return (found[0], list(dict.fromkeys([*found[1], _FOOTER]))) if found else None


def _is_content(text: bytes) -> bool:
    """Whether ``text`` looks like base64, at least in part."""
    digits = len(text) - len(text.translate(None, _DIGITS))
    others = len(text) - digits - text.count(b"\r") - text.count(b"\n")
    is_dense = digits >= _CONTENT_DIGITS and others * _LETTERS_PER_OTHER <= digits
    return is_dense or _CONTENT.search(text) is not None


def _in_pieces(body: bytes) -> _Found:
    """Base64 in pieces that each have their own padding. A word may follow the padding."""
    digits = body.translate(None, _SPACE)
    match = _PIECES.match(digits)
    assert match
    end, changes = match.end(), list[tuple[Kind, str]]()
    if digits[end:].strip(b"="):
        end = digits.rfind(b"=", 0, end) + 1
        word = digits[end:].lstrip(b"=")
        if not word.isalnum() or len(word) >= _CONTENT_DIGITS:
            return None
        changes = [_FOOTER]
    base64 = digits[:end]
    if b"=" in base64.rstrip(b"="):
        return _joined(base64), [_IN_PIECES, *changes]
    return (binascii.a2b_base64(base64), changes) if base64 else None


def _joined(digits: bytes) -> bytes:
    content = bytearray()
    for start in range(0, len(digits), _CHUNK_BYTES):
        pieces = _PIECE.findall(digits[start : start + _CHUNK_BYTES])
        content += b"".join(map(binascii.a2b_base64, pieces))
    return bytes(content)


def _in_url_alphabet(body: bytes) -> _Found:
    """Base64 with ``-`` and ``_`` instead of ``+`` and ``/`` (RFC 4648, section 5)."""
    if b"+" in body or b"/" in body or _LINE_OF_DASHES.search(body):
        return None
    return _whole(body.translate(_URL_ALPHABET, _SPACE), _IN_URL_ALPHABET)


def _without_strays(body: bytes) -> _Found:
    """Base64 with a few other characters, which RFC 2045 tells to ignore (section 6.8)."""
    digits = body.translate(None, _OTHERS)
    strays = len(body) - len(digits) - body.count(b"\r") - body.count(b"\n")
    behind = len(body) - len(body.rstrip(_DIGITS + _SPACE))
    # A last line could be text.
    is_inside = digits.endswith(b"=") or behind >= _CONTENT_DIGITS
    if not is_inside or strays * _DIGITS_PER_STRAY > len(digits):
        return None
    return _whole(digits, _STRAYS)


def _whole(digits: bytes, change: tuple[Kind, str]) -> _Found:
    try:
        return (from_base64(digits, ""), [change]) if len(digits) % 4 == 0 else None
    except Malformed:
        return None
