"""Find regular expressions that take very long for some names.

A pattern like ``(a+)+$`` takes time that grows exponentially with the length of the name. This
module measures a pattern with names of the characters that it contains.
"""

import itertools
import re
import signal
from collections.abc import Iterator

_MAX_NAME = 1000  # the maximum length of a requested name
_SECONDS = 0.25  # of CPU time
_MAX_CHARACTERS = 8


class _TooSlow(Exception):
    pass


def is_slow(pattern: re.Pattern[str]) -> bool:
    """Whether the pattern takes longer than ``_SECONDS`` for one of the names of ``_names``."""

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        for name in _names(pattern.pattern):
            signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
            pattern.sub("", name)
    except _TooSlow:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return False


def _names(pattern: str) -> Iterator[str]:
    """Names that repeat one or two characters, and end with a character that rarely matches."""
    own = (one for one in pattern.lower() if one.isalnum() or one in "._-")
    characters = list(dict.fromkeys(["a", "0", *own]))[:_MAX_CHARACTERS]
    for repeated in (*characters, *map("".join, itertools.permutations(characters, 2))):
        yield (repeated * _MAX_NAME)[: _MAX_NAME - 1] + "!"
