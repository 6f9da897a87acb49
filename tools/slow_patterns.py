"""Find regular expressions that take very long for some names.

A pattern like ``(a+)+$`` takes time that grows exponentially with the length of the name, if the
name repeats what the pattern repeats, and then has an ending that does not match. This module
measures a pattern with such names. It finds their characters in the parsed pattern: for each range,
the first character in it, and the first one after it. So it finds one of each kind of characters
that the pattern distinguishes.
"""

import importlib
import itertools
import re
import signal
from collections.abc import Iterator
from typing import Any

_parser: Any = importlib.import_module("re._parser")

_SECONDS = 0.25  # of CPU time
_MAX_NAME = 1000  # the maximum length of a requested name
# Long enough for exponential time. Names of this length also repeat pairs of characters.
_SHORT_NAME = 60
_MAX_CHARACTERS = 12  # of the pattern
_MAX_PAIRED = 10  # characters that form pairs
# One character for each class such as ``\w``, and others that patterns often have.
_CHARACTERS = "a0! _-.é\n"
# An ending has one or many of a character: ``.?`` matches a single one.
_ENDING_LENGTHS = (1, 20)


class _TooSlow(Exception):
    pass


def is_slow(pattern: re.Pattern[str]) -> bool:
    """Whether the pattern takes longer than ``_SECONDS`` for one of the names of ``_names``."""

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        for name in _names(_parser.parse(pattern.pattern, pattern.flags)):
            signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
            pattern.sub("", name)
    except _TooSlow:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return False


def _names(tree: Any) -> Iterator[str]:
    """Names with a beginning that matches, a repeated text, and an ending."""
    own = list(dict.fromkeys(_boundaries(tree)))[:_MAX_CHARACTERS]
    characters = list(dict.fromkeys([*own, *_CHARACTERS]))
    endings = ["", *(one * times for one in characters for times in _ENDING_LENGTHS)]
    repeated = list(dict.fromkeys(_repetitions(tree)))
    pairs = map("".join, itertools.permutations(characters[:_MAX_PAIRED], 2))
    short = list(
        itertools.product(
            dict.fromkeys(["", *(beginning for beginning, _ in repeated)]), [*characters, *pairs]
        )
    )
    # The long names come first: many short ones that each take a tenth of a second take minutes.
    for texts, length in ((repeated, _MAX_NAME), (short, _SHORT_NAME)):
        for (beginning, text), ending in itertools.product(texts, endings):
            if text:
                yield (beginning + text * length)[: length - len(ending)] + ending


def _boundaries(tree: Any) -> Iterator[str]:
    """For each literal and each range of characters, its first one and the one after it."""
    for op, value in tree:
        match str(op):
            case "LITERAL" | "NOT_LITERAL":
                yield from (chr(value), chr(value + 1))
            case "RANGE":
                yield from (chr(value[0]), chr(value[1] + 1))
            case "IN":
                yield from _boundaries(value)
            case _:
                for inner in _inner(str(op), value):
                    yield from _boundaries(inner)


def _repetitions(tree: Any, beginning: str = "") -> Iterator[tuple[str, str]]:
    """For each repetition in the pattern, texts that match before it, and texts that it repeats."""
    for op, value in tree:
        for inner in _inner(str(op), value):
            if str(op).endswith("_REPEAT"):
                yield from ((beginning, sample(inner, times)) for times in (0, 1, 2))
            yield from _repetitions(inner, beginning)
        beginning += sample([(op, value)], 1)


def _inner(op: str, value: Any) -> list[Any]:
    """The patterns within a part of a pattern."""
    if op == "BRANCH":
        return list(value[1])
    if op.endswith("_REPEAT") or op == "SUBPATTERN":
        return [value[-1]]
    if op in ("ASSERT", "ASSERT_NOT"):
        return [value[1]]
    return [value] if op == "ATOMIC_GROUP" else []


def sample(tree: Any, times: int) -> str:
    """A text that a parsed pattern (nearly) matches.

    It makes the first choice, and repeats up to ``times``.
    """
    return "".join(_sample(str(op), value, times) for op, value in tree)


def _sample(op: str, value: Any, times: int) -> str:
    match op:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return "a" if value != ord("a") else "b"
        case "ANY":
            return "a"
        case "IN":
            return _member(value)
        case "ASSERT" | "ASSERT_NOT":
            return ""
    repeats = max(int(value[0]), min(int(value[1]), times)) if op.endswith("_REPEAT") else 1
    # The smallest count of a repetition can be very large.
    return "".join(sample(inner, times) for inner in _inner(op, value)[:1]) * min(
        repeats, _MAX_NAME
    )


def _member(items: Any) -> str:
    if str(items[0][0]) == "NEGATE":
        banned = {value for op, value in items[1:] if str(op) == "LITERAL"}
        return next((one for one in "az09-" if ord(one) not in banned), "~")
    op, value = items[0]
    if str(op) == "RANGE":
        return chr(value[0])
    if str(op) == "CATEGORY":
        return " " if str(value) == "CATEGORY_SPACE" else "0"
    return chr(value)
