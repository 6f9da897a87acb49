"""Characters that names, subjects and addresses must not contain.

A control character can end a header line or hide the text after it. A bidirectional override or a
zero-width character can make a name look like another name.
"""

import re

# Category Cc (C0, DEL, C1), the Unicode line ends, and lone surrogates, which can't be encoded.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Zero-width and invisible format characters, and all bidirectional controls (UAX #9, section 2).
_DECEPTIVE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)

# An encoded word (RFC 2047, section 2). Mail programs show the decoded text instead.
_ENCODED_WORD = re.compile(r"=\?[^?\s]++\?[bq]\?[^?\s]*+\?=", re.IGNORECASE)

# Words separated by at signs of any form. If a dot follows an at sign, they count as an address.
_AT = "[@\ufe6b\uff20]"
_IN_WORD = r"[^\s<>()\[\],;:\"'@\ufe6b\uff20]"
_LOOKS_LIKE_ADDRESS = re.compile(rf"(?<!{_IN_WORD}){_IN_WORD}++(?:\s*+{_AT}\s*+{_IN_WORD}++)++")
_FIRST_AT = re.compile(_AT)
_DOT = re.compile("[.\u2024\u3002\ufe52\uff0e\uff61]")


def has_control(text: str) -> bool:
    """Whether ``text`` contains a control character, a Unicode line end or a lone surrogate."""
    return _CONTROL.search(text) is not None


def has_deceptive(text: str) -> bool:
    """Whether ``text`` contains an invisible character or a bidirectional control."""
    return not text.isascii() and _DECEPTIVE.search(text) is not None


def has_encoded_word(text: str) -> bool:
    """Whether ``text`` contains an encoded word."""
    return _ENCODED_WORD.search(text) is not None


def shows_other_address(name: str, own: str) -> bool:
    """Whether the display name ``name`` shows a mail address that is not ``own``."""
    shown = (match.group() for match in _LOOKS_LIKE_ADDRESS.finditer(name))
    return any(_has_dot_after_at(text) and text.lower() != own.lower() for text in shown)


def _has_dot_after_at(text: str) -> bool:
    at = _FIRST_AT.search(text)
    return at is not None and _DOT.search(text, at.end()) is not None
