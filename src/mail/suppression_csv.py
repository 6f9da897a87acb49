"""Suppressions as CSV (RFC 4180): the columns address, reason, scope and expires_at.

Each row is one line. So an error in a row can't affect the rows after it.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from errors import BadRequest, FieldError
from mail.suppressions import REASONS, Suppression, entered

COLUMNS = ("address", "reason", "scope", "expires_at")

# No valid row is longer.
_MAX_LINE_CHARACTERS = 1000

_LINE_END = re.compile(r"\r\n|\n|\r")

# A program for tables would calculate a value that begins with one of the first four characters. So
# an apostrophe is written before it, and before an apostrophe.
_FORMULA = re.compile(r"[=+\-@']")
_QUOTED_FORMULA = re.compile(r"'[=+\-@']")


class _InvalidRow(Exception):
    def __init__(self, error: FieldError) -> None:
        super().__init__(error.code)
        self.errors = (error,)


def read_rows(
    text: str, *, first_line: int, now: int
) -> Iterator[tuple[int, Suppression | tuple[FieldError, ...]]]:
    """The rows of ``text``, each with the number of its line; the errors of an invalid row.

    Empty lines are left out, and those that only describe the columns.

    :param first_line: the number of the first line of ``text``.
    """
    for number, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff")), first_line):
        if not line.strip():
            continue
        try:
            values = _values(line)
            if not _describes_columns(values):
                yield number, _row(values, now)
        except (_InvalidRow, BadRequest) as error:
            yield number, error.errors


def write_rows(rows: Iterable[Sequence[str]]) -> str:
    """``rows`` as CSV, without the names of the columns."""
    text = io.StringIO()
    csv.writer(text).writerows(map(_guarded, rows))
    return text.getvalue()


def _describes_columns(values: Sequence[str]) -> bool:
    """Whether a line has the names of the columns, or the separator, as Excel reads it.

    Such a line is no row wherever it is: neither `address` nor `sep=` is an address.
    """
    return values[0].lower() == COLUMNS[0] or [value.lower() for value in values] == ["sep=", ""]


def _values(line: str) -> list[str]:
    if len(line) > _MAX_LINE_CHARACTERS:
        limit: dict[str, object] = {"limit": _MAX_LINE_CHARACTERS}
        raise _InvalidRow(FieldError("", "suppression_line_too_long", limit))
    try:
        (values,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError) as error:
        raise _InvalidRow(FieldError("", "suppression_quotes")) from error
    if len(values) > len(COLUMNS):
        raise _InvalidRow(FieldError("", "suppression_columns"))
    return [
        value[1:] if _QUOTED_FORMULA.match(value) else value for value in map(str.strip, values)
    ]


def _row(values: list[str], now: int) -> Suppression:
    address, reason, scope, expires_at = values + [""] * (len(COLUMNS) - len(values))
    known = next((one for one in REASONS if one == (reason.lower() or "manual")), None)
    if known is None:
        names: dict[str, object] = {"reasons": ", ".join(REASONS)}
        raise _InvalidRow(FieldError("reason", "invalid_reason", names))
    return entered(address, scope=scope, reason=known, expires_at=expires_at, now=now)


def _guarded(row: Sequence[str]) -> list[str]:
    return [f"'{value}" if _FORMULA.match(value) else value for value in row]
