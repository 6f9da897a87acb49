"""Every regular expression takes linear time, for any text.

The test texts repeat the beginnings of a text that the pattern matches, and characters of this
text. In such texts, a pattern that backtracks starts again at every position, and reads to the end
each time.
"""

import ast
import importlib
import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.source import SRC, TREES

parser: Any = importlib.import_module("re._parser")

SIZE = 40_000  # quadratic time takes a second or more
MOST_SECONDS = 0.1
# Methods that match only at the start of a text.
WHOLE = {"fullmatch", "match"}
# These tests cannot import the runtime. Its patterns read error messages of D1, and SQL.
OTHERS = {"runtime/d1.py", "runtime/limits.py"}


def patterns() -> Iterator[Any]:
    for module in TREES:
        if module.startswith("runtime/") or module == "entry.py":
            continue
        loaded = importlib.import_module(module.removesuffix(".py").replace("/", "."))
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern):
                uses = set(re.findall(rf"\b{name}\.(\w+)\(", (SRC / module).read_text("utf-8")))
                yield pytest.param(value, not uses <= WHOLE, id=f"{module}:{name}")


def sample(tree: Any) -> str:
    """A text that a parsed pattern (nearly) matches, with the first choice and two repetitions."""
    return "".join(_sample(str(op), value) for op, value in tree)


def _sample(op: str, value: Any) -> str:
    if op == "LITERAL":
        return chr(value)
    if op == "NOT_LITERAL":
        return "a" if value != ord("a") else "b"
    if op == "ANY":
        return "a"
    if op == "IN":
        return _member(value)
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = value
        return sample(inner) * max(int(least), min(int(most), 2))
    if op == "SUBPATTERN":
        return sample(value[-1])
    if op == "ATOMIC_GROUP":
        return sample(value)
    if op == "BRANCH":
        return sample(value[1][0])
    return ""  # positions, references and lookarounds


def _member(items: Any) -> str:
    negated = str(items[0][0]) == "NEGATE"
    if negated:
        banned = {value for op, value in items[1:] if str(op) == "LITERAL"}
        return next(c for c in "az09-" if ord(c) not in banned)
    op, value = items[0]
    if str(op) == "RANGE":
        return chr(value[0])
    if str(op) == "CATEGORY":
        return " " if str(value) == "CATEGORY_SPACE" else "0"
    return chr(value)


def worst_texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    text = (
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    )
    tree = parser.parse(text, pattern.flags & re.VERBOSE)
    whole = sample(tree)
    pieces = {whole[:end] for end in range(1, min(len(whole), 30) + 1)}
    pieces |= {piece + tail for piece in tuple(pieces) for tail in (" ", "a", "\n")}
    characters = dict.fromkeys([*whole[:12], "a", " ", "\\"])
    pieces |= {"".join(pair) for pair in itertools.product(characters, repeat=2)}
    for piece in sorted(pieces):
        repeated = piece * (SIZE // len(piece))
        yield repeated
        yield whole + repeated + "\0"


@pytest.mark.parametrize(("pattern", "searches"), patterns())
def test_a_pattern_takes_linear_time(pattern: re.Pattern[Any], searches: bool) -> None:
    slow = []
    for text in worst_texts(pattern):
        given: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
        started = time.process_time()
        pattern.fullmatch(given)
        for _ in pattern.finditer(given) if searches else ():
            pass
        seconds = time.process_time() - started
        if seconds > MOST_SECONDS:
            slow.append((text[:20], round(seconds, 2)))
            break
    assert slow == []


def test_patterns_are_compiled_at_the_top_of_their_modules() -> None:
    """The test above finds only such patterns.

    The exceptions read settings, which the owner of the deployment writes.
    """
    elsewhere = [
        module
        for module, tree in TREES.items()
        if module not in OTHERS | {"setting_parsers.py"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and (node.func.attr != "compile" or node not in _top_calls(tree))
    ]
    assert elsewhere == ["settings.py"]  # the default of ADDRESS_REGEX


def _top_calls(tree: ast.Module) -> list[ast.Call]:
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    return [value for value in values if isinstance(value, ast.Call)]


def test_the_worst_texts_find_patterns_that_are_not_linear() -> None:
    for bad in (r"([ -~]*?)\?=", r"=\?([^?]+)\?q\?([ -~]*?)\?=", r"[^@\s]+\s*@", "@.*[.]", r"\s+$"):
        pattern = re.compile(bad)
        seconds = []
        for text in worst_texts(pattern):
            started = time.process_time()
            for _ in pattern.finditer(text[: SIZE // 4] + "\0"):
                pass
            seconds.append(time.process_time() - started)
            if seconds[-1] > MOST_SECONDS / 16:
                break
        assert max(seconds) > MOST_SECONDS / 16, bad
