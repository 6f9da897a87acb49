"""Decodes ISO-2022-JP with the characters that Windows adds to it (CP50220), and with errors.

Python's codec calls a function for each character that it does not know. This
takes ten seconds for a hostile message. Here, each loop over characters is one of the
interpreter's.
"""

import functools
import re
from io import StringIO

_REPLACEMENT = "\ufffd"
# An escape sequence that selects a set of characters, or ESC without a meaning. Then the text in
# this set.
_SEGMENT = re.compile(
    rb"(?:(\x1b(?:\([BIJ]|\$\(?[@B]|\$\(D|&@))|(\x1b(?:\x1b(?![$&(]))*+))?+([^\x1b]*+)"
)
_LONG = 4096
# Bounds the memory: there is an object for each character of a piece.
_PIECE = re.compile(rb"(?:[!-~][!-~]|[\x00-\xff]){1,%d}+" % _LONG)
_CHARACTER = re.compile(rb"[!-~][!-~]|[\x00-\xff]")
_CODES = range(0x21, 0x7F)  # of each byte of a character with two

_ASCII, _JIS_ROMAN, _KATAKANA = b"\x1b(B", b"\x1b(J", b"\x1b(I"
_JIS_X_0208, _JIS_X_0212, _NO_SET = b"\x1b$B", b"\x1b$(D", b"\x1b&@"
# The escape sequences for sets whose characters have two bytes, and one for each of these sets.
_OF_TWO_BYTES = dict.fromkeys((_JIS_X_0208, b"\x1b$@", b"\x1b$(@", b"\x1b$(B"), _JIS_X_0208)
_OF_TWO_BYTES[_JIS_X_0212] = _JIS_X_0212
_NO_CHARACTERS: dict[bytes, str] = {}
_JIS_ROMAN_CHARACTERS = str.maketrans("\\~", "\u00a5\u203e")
_KATAKANA_CHARACTERS = {
    code: code + 0xFF40 if code <= 0x5F else _REPLACEMENT for code in range(0x21, 0x7F)
}


def decode_iso_2022_jp(content: bytes) -> str:
    """``content`` as text. Each byte that can't be decoded becomes U+FFFD."""
    written = StringIO(newline="")
    selected, characters = _ASCII, _NO_CHARACTERS
    for match in _SEGMENT.finditer(content):
        escape, invalid, text = match.groups()
        if escape and escape != _NO_SET:
            selected, of_two_bytes = escape, _OF_TWO_BYTES.get(escape)
            characters = _characters(of_two_bytes) if of_two_bytes else _NO_CHARACTERS
        elif invalid:
            written.write(_REPLACEMENT * len(invalid))
        if text in characters:  # many hostile segments have one character
            written.write(characters[text])
        elif characters:
            written.write(_of_two_bytes(text, characters))
        else:
            written.write(_of_one_byte(text, selected))
    return written.getvalue()


def _of_two_bytes(text: bytes, characters: dict[bytes, str]) -> str:
    if len(text) <= _LONG:
        return "".join(map(characters.__getitem__, _CHARACTER.findall(text)))
    found = (_CHARACTER.findall(piece[0]) for piece in _PIECE.finditer(text))
    return "".join("".join(map(characters.__getitem__, piece)) for piece in found)


def _of_one_byte(text: bytes, selected: bytes) -> str:
    shown = text.decode("ascii", "replace")
    if selected == _JIS_ROMAN:
        return shown.translate(_JIS_ROMAN_CHARACTERS)
    return shown.translate(_KATAKANA_CHARACTERS) if selected == _KATAKANA else shown


@functools.cache  # when it is needed: a table takes more than a megabyte
def _characters(selected: bytes) -> dict[bytes, str]:
    """What each pair of bytes means, and each byte that is not the first of a pair."""
    found = {bytes([byte]): _REPLACEMENT for byte in range(256)}
    found |= {bytes([byte]): chr(byte) for byte in range(0x20)}
    for first in _CODES:
        for second in _CODES:
            pair = bytes([first, second])
            character = (selected + pair).decode("iso2022_jp_ext", "ignore")
            if len(character) != 1:
                character = _of_windows(pair) if selected == _JIS_X_0208 else ""
            found[pair] = character or _REPLACEMENT
    return found


def _of_windows(pair: bytes) -> str:
    """A character that Windows adds, such as a circled number. Empty if ``pair`` is none."""
    row, cell = pair[0] - 0x21, pair[1]
    first = row // 2 + (0x81 if row < 62 else 0xC1)
    second = cell + (0x7E if row % 2 else 0x1F if cell < 0x60 else 0x20)
    shown = bytes([first, second]).decode("cp932", "ignore")
    return "" if shown.isascii() else shown  # of an invalid pair, only the second byte remains
