"""Rules for display names. The API rejects names that could look like other names.

``tests/smtp/test_same_judgement.py`` compares these rules with those of the API.
"""

import re

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.characters import ENCODED_WORD, HIDDEN
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.rules.joiners import without_misplaced_joiners
from smtp_relay.message.rules.texts import ONE_LINE, TextRule, apply

MAX_NAME_CHARACTERS = 200

_AT = "[@\ufe6b\uff20]"
_IN_WORD = r"[^\s<>()\[\],;:\"'@\ufe6b\uff20]"
_LOOKS_LIKE_ADDRESS = re.compile(rf"(?<!{_IN_WORD}){_IN_WORD}++(?:\s*+{_AT}\s*+{_IN_WORD}++)++")
_FIRST_AT = re.compile(_AT)
_DOT = re.compile("[.\u2024\u3002\ufe52\uff0e\uff61]")


def display_name(name: str | None, what: str, adaptations: Adaptations) -> str | None:
    """``name`` as the API accepts it, None if nothing remains. ``what`` is the field.

    :raises Unsupported: the relay is strict, and a rule applies.
    """
    if not name:
        return None
    in_one_line = apply(ONE_LINE, name, f"a name in {what}", adaptations).strip(" ")
    return apply(NAME, in_one_line, what, adaptations).strip(" ") or None


def sender_name(name: str | None, own: str, adaptations: Adaptations) -> str | None:
    """The display name in From, unless it shows an address other than ``own``.

    :raises Unsupported: as ``display_name`` does.
    """
    name = display_name(name, "From", adaptations)
    if name and shows_other_address(name, own):
        problem = Unsupported("The name in From shows another address")
        adaptations.add("left_out", "The name in From left out: it shows another address", problem)
        return None
    return name


def shows_other_address(name: str, own: str) -> bool:
    """Whether the display name ``name`` shows a mail address that is not ``own``."""
    shown = (match.group() for match in _LOOKS_LIKE_ADDRESS.finditer(name))
    return any(_has_dot_after_at(text) and text.lower() != own.lower() for text in shown)


def _has_dot_after_at(text: str) -> bool:
    at = _FIRST_AT.search(text)
    return at is not None and _DOT.search(text, at.end()) is not None


def _without_hidden(name: str) -> str:
    return name if name.isascii() else without_misplaced_joiners(HIDDEN.sub("", name))


def _without_encoded_word(name: str) -> str:
    return "" if ENCODED_WORD.search(name) else name


def _shortened(name: str) -> str:
    # The first of two joined letters may now be the last letter.
    return _without_hidden(name[:MAX_NAME_CHARACTERS]) if len(name) > MAX_NAME_CHARACTERS else name


NAME = (
    TextRule(
        _without_hidden,
        "left_out",
        "Invisible characters of a name in {what} left out",
        "A name in {what} contains invisible characters",
    ),
    TextRule(
        _without_encoded_word,
        "left_out",
        "A name in {what} left out: it is encoded twice",
        "A name in {what} is encoded twice",
    ),
    TextRule(
        _shortened,
        "shortened",
        f"A name in {{what}} shortened to {MAX_NAME_CHARACTERS} characters",
        "A name in {what} is too long",
    ),
)
