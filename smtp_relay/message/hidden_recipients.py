"""Header fields that can name hidden recipients. No other recipient may see them."""

import re
from collections.abc import Iterable, Iterator

from smtp_relay import addresses

# Programs write these names with many prefixes, and some with other characters than dashes.
_NAME = r"""(?:
    bcc | (?<![a-z])(?:
        (?:apparently|delivered|envelope|forwarded|original|rcpt|real|resolved)[-_.]?to
      | (?:envelope|original)[-_.]?(?:recipients?|rcpt)
    )(?![a-z])
)"""
_HIDDEN = re.compile(_NAME, re.VERBOSE)
_LINE = re.compile(
    rf"^(?=[^:\r\n]*+:)(?:(?!{_NAME})[^:\r\n])*+{_NAME}",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_PIECE_BYTES = 64 * 1024
_MOST_BYTES_OF_CHARACTER = 4

# In lists of addresses, URIs and JSON.
_BETWEEN_ADDRESSES = re.compile(r"[\s<>()\[\]{},;:?&=|\"']++")


def may_name_hidden(field: str) -> bool:
    """Whether a header field can name hidden recipients. ``field`` is its name in lower case."""
    # Few names have one of these. The expression takes twenty times as long.
    is_likely = "to" in field or "bcc" in field or "recipient" in field or "rcpt" in field
    return is_likely and _HIDDEN.search(field) is not None


def has_hidden_field(text: bytes) -> bool:
    """Whether a line of ``text`` looks like such a field, also with a prefix or a blank."""
    return _LINE.search(text.decode("latin-1")) is not None


def addresses_in(text: str) -> set[str]:
    """What looks like an address in ``text``, in lower case."""
    words = _BETWEEN_ADDRESSES.split(text.lower())
    return {word.strip(".") for word in words if "@" in word}


def shows_any(text: bytes, hidden: Iterable[str]) -> bool:
    """Whether one of the addresses ``hidden`` is in ``text``."""
    forms = {form for address in hidden for form in addresses.forms(address)}
    overlap = _MOST_BYTES_OF_CHARACTER * max(map(len, forms), default=0)
    return any(form in piece for piece in _lower_pieces(text, overlap=overlap) for form in forms)


def _lower_pieces(text: bytes, *, overlap: int) -> Iterator[str]:
    """``text`` in lower case, in pieces: CPython takes twelve bytes for each character to lower."""
    for start in range(0, len(text), _PIECE_BYTES):
        yield text[start : start + _PIECE_BYTES + overlap].decode("utf-8", "replace").lower()
