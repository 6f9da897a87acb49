"""Indentation of the lines in lists and quotations."""

import re
from collections.abc import Iterator
from itertools import count, repeat

# Marks at the beginning of a line: a list, an item or a quotation begins or ends there.
BULLETS, NUMBERS, ITEM, LIST_END, QUOTATION, QUOTATION_END = MARKS = "\x0e\x0f\x10\x11\x12\x13"

# The maximum depth that is indented. Otherwise the text of deeply nested HTML would be very long.
_DEEPEST = 5
_CHANGE = re.compile(f"(\n{{1,2}}[{MARKS}][\n {MARKS}]*+)")


def indented(text: str) -> str:
    """``text`` indented by its marks, with empty lines around lists and quotations."""
    first, *others = _CHANGE.split(text)
    place = _Place()
    parts = [first]
    for marks, lines in zip(others[::2], others[1::2], strict=True):
        parts.append(place.change(marks))
        parts.append(lines.replace("\n", place.line).replace(place.line * 2, place.empty_line))
    return "".join(parts)


class _Place:
    """The lists and quotations around a line, and the resulting beginning of the line.

    ``line`` is a line end and the beginning of the next line. ``empty_line`` is the same, with an
    empty line between the two.
    """

    def __init__(self) -> None:
        self._lists: list[Iterator[str]] = []  # the remaining bullets or numbers of each list
        self._quotations = 0
        self._update()

    def change(self, marks: str) -> str:
        """Apply ``marks``; return a line end and the beginning of the next line."""
        nesting = len(self._lists), self._quotations
        quoted_before = self._quoted
        is_apart = "\n\n" in marks
        item = ""
        for mark in marks:
            if mark == ITEM:
                item = next(self._lists[-1]) if self._lists else "* "
            elif mark in (BULLETS, NUMBERS):
                is_apart |= not self._lists
                numbers = map("{}. ".format, count(1))
                self._lists.append(numbers if mark == NUMBERS else repeat("* "))
                item = ""
            elif mark == LIST_END and self._lists:
                self._lists.pop()
                is_apart |= not self._lists
                item = ""
            elif mark == QUOTATION:
                self._quotations += 1
            elif mark == QUOTATION_END:
                self._quotations = max(0, self._quotations - 1)
        if nesting != (len(self._lists), self._quotations):
            self._update()
        begin = self._item_begin + item if item else self.line
        if not is_apart:
            return begin
        return "\n" + min(quoted_before, self._quoted, key=len).rstrip() + begin

    def _update(self) -> None:
        depth = min(len(self._lists), _DEEPEST)
        self._quoted = "> " * min(self._quotations, _DEEPEST)
        self._item_begin = "\n" + self._quoted + "  " * (depth - 1)
        self.line = "\n" + self._quoted + "  " * depth
        self.empty_line = self.line.rstrip(" ") + self.line
