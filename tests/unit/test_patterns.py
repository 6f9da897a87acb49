"""Every regular expression takes linear time, for any text, in the Worker and in the relay.

The test texts repeat the beginnings of a text that the pattern matches, and characters of this
text. In such texts, a pattern that backtracks starts again at every position, and reads to the end
each time.
"""

import ast
import importlib
import itertools
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.measured import FACTOR, is_linear
from tests.unit.source import ROOT, SRC, TREES
from tools.slow_patterns import sample

parser: Any = importlib.import_module("re._parser")

SIZE = 40_000  # quadratic time takes a second or more
# These tests cannot import the runtime. Its patterns read error messages of D1, and SQL.
OTHERS = {"runtime/d1.py", "runtime/limits.py"}
USES = {"fullmatch": "fullmatch", "match": "match", "search": "finditer", "finditer": "finditer"}
USES |= {"sub": "finditer", "split": "finditer", "findall": "finditer"}


def sources() -> Iterator[tuple[str, Path]]:
    """The name and the file of each module of the Worker and of the relay."""
    for module in TREES:
        if not module.startswith("runtime/") and module != "entry.py":
            yield module.removesuffix(".py").replace("/", "."), SRC / module
    for path in sorted((ROOT / "smtp_relay").rglob("*.py")):
        if path.name not in ("__init__.py", "__main__.py"):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def patterns() -> Iterator[Any]:
    for module, path in sources():
        source = path.read_text("utf-8")
        for name, value in vars(importlib.import_module(module)).items():
            if isinstance(value, re.Pattern):
                uses = {USES[use] for use in re.findall(rf"\b{name}\.(\w+)\(", source)}
                yield pytest.param(value, uses | {"fullmatch"}, id=f"{module}:{name}")


def use(pattern: re.Pattern[Any], uses: set[str], text: Any) -> None:
    """Read ``text`` as the modules do."""
    if "fullmatch" in uses:
        pattern.fullmatch(text)
    if "finditer" in uses:
        for _ in pattern.finditer(text):
            pass
    if "match" in uses:  # one token after the other
        position = 0
        while (token := pattern.match(text, position)) and token.end() > position:
            position = token.end()


def worst_texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    text = (
        pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    )
    tree = parser.parse(text, pattern.flags & re.VERBOSE)
    whole = sample(tree, 2)
    pieces = {whole[:end] for end in range(1, min(len(whole), 30) + 1)}
    pieces |= {piece + tail for piece in tuple(pieces) for tail in (" ", "a", "\n")}
    characters = dict.fromkeys([*whole[:12], "a", " ", "\\"])
    pieces |= {"".join(pair) for pair in itertools.product(characters, repeat=2)}
    for piece in sorted(pieces):
        repeated = piece * (SIZE // len(piece))
        yield repeated
        yield whole + repeated + "\0"


def is_slow(pattern: re.Pattern[Any], uses: set[str], text: str) -> bool:
    given: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    part = given[: len(given) // FACTOR]
    return not is_linear(partial(use, pattern, uses, part), partial(use, pattern, uses, given))


@pytest.mark.parametrize(("pattern", "uses"), list(patterns()))
def test_a_pattern_takes_linear_time(pattern: re.Pattern[Any], uses: set[str]) -> None:
    slow = (text[:20] for text in worst_texts(pattern) if is_slow(pattern, uses, text))
    assert next(slow, None) is None


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


@pytest.mark.parametrize(
    "bad", [r"([ -~]*?)\?=", r"=\?([^?]+)\?q\?([ -~]*?)\?=", r"[^@\s]+\s*@", "@.*[.]", r"\s+$"]
)
@pytest.mark.slow
def test_the_worst_texts_find_a_pattern_that_is_not_linear(bad: str) -> None:
    pattern = re.compile(bad)
    texts = (text[: SIZE // 2] + "\0" for text in worst_texts(pattern))
    assert any(is_slow(pattern, {"finditer"}, text) for text in texts)
