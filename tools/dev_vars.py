"""The file `.dev.vars`: the variables and secrets of a local server.

Wrangler reads the file with the npm package dotenv. This module uses the same regular expression,
so that a check sees the values that the Worker sees.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(
    r"""
    ^\s* (?:export\s+)? ([\w.-]+) (?: \s*=\s*? | :\s+? )
    ( \s*'(?:\\'|[^'])*' | \s*"(?:\\"|[^"])*" | \s*`(?:\\`|[^`])*` | [^#\n]+ )?
    \s* (?:\#.*)? $
    """,
    re.MULTILINE | re.ASCII | re.VERBOSE,
)
_QUOTED = re.compile(r"""^(['"`])([\s\S]*)\1$""", re.MULTILINE)


class DevVarsError(Exception):
    """The file can't be read. The message names it, the line, and what to do."""


@dataclass(frozen=True)
class Variable:
    """One variable, its value without quotes, and its line in the file.

    ``earlier_line`` is the line that sets the same variable before, None if there is no such line.
    """

    name: str
    value: str
    line: int
    earlier_line: int | None = None


def read_dev_vars(path: Path) -> dict[str, Variable]:
    """The variables in the file by name. If a name occurs twice, the last value counts.

    :raises DevVarsError: the file can't be read, or a line has another form than `NAME=value`.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as exc:
        raise DevVarsError(f"{path.name} can't be read: {exc.strerror} ({path}).") from exc
    except UnicodeDecodeError as exc:
        raise DevVarsError(f"{path.name} is not UTF-8 text. Save it as UTF-8.") from exc
    matches = list(_VARIABLE.finditer(text))
    for line, rest in _unmatched(text, matches):
        raise DevVarsError(
            f"{path.name}, line {line}: {rest!r} is not of the form NAME=value. Correct the line, "
            "or begin it with # to make it a comment."
        )
    variables: dict[str, Variable] = {}
    for match in matches:
        name, line = match[1], _line(text, match.start(1))
        earlier = variables[name].line if name in variables else None
        variables[name] = Variable(name, _value(match[2] or ""), line, earlier)
    return variables


def _unmatched(text: str, matches: list[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """The lines, with their numbers, that are neither variables, comments nor blank."""
    ends = [0, *(match.end() for match in matches)]
    starts = [*(match.start() for match in matches), len(text)]
    for end, start in zip(ends, starts, strict=True):
        for number, line in enumerate(text[end:start].split("\n"), _line(text, end)):
            if line.strip() and not line.lstrip().startswith("#"):
                # A line without = may be a secret, so only the beginning is shown.
                yield number, line.strip()[:12]


def _value(given: str) -> str:
    value = given.strip()
    plain = _QUOTED.sub(r"\2", value)
    return plain.replace("\\n", "\n").replace("\\r", "\r") if value.startswith('"') else plain


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
