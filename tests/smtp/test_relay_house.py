"""Rules for the relay's source, such as: no import cycles, private members only in one file."""

import ast
import asyncio
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from re._constants import (  # type: ignore[import-not-found]
    ASSERT,
    ASSERT_NOT,
    ATOMIC_GROUP,
    BRANCH,
    MAX_REPEAT,
    MIN_REPEAT,
    POSSESSIVE_REPEAT,
    SUBPATTERN,
)
from re._parser import parse  # type: ignore[import-not-found]
from typing import Any

import pytest

from tests.unit.source import ROOT, each_of, imported, names_in, packages, state_kept, strings

TREES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
    for path in sorted((ROOT / "smtp_relay").rglob("*.py"))
}
PRIVATE = "smtp_relay.aiosmtpd_private"
ITSELF = {"self", "cls"}
# Two tables that only mails in Japanese need.
CACHES = {"smtp_relay.message.iso_2022_jp": ["_characters"]}

every_module = each_of(TREES)
every_other_module = each_of(name for name in TREES if name != PRIVATE)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_the_source_is_found() -> None:
    assert {PRIVATE, "smtp_relay.relay", "smtp_relay.message.convert"} <= set(TREES)


# Imports


def test_there_is_no_import_cycle() -> None:
    graph = {name: imported(tree) & set(TREES) for name, tree in TREES.items()}
    assert sum(map(len, graph.values())) > len(TREES) / 2
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]), pytrace=False)


@every_module
def test_imports_are_unconditional(module: str) -> None:
    # TYPE_CHECKING and imports inside functions can hide a cycle from Python. A function may import
    # a module of Python that takes much memory.
    assert not any(name.endswith("TYPE_CHECKING") for name in imported(TREES[module]))
    assert {"importlib", "__import__"} & (
        packages(TREES[module]) | names_in(TREES[module])
    ) == set()
    top = {id(node) for node in TREES[module].body}
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top:
            assert isinstance(node, ast.ImportFrom)
            assert node.module in sys.stdlib_module_names
        assert not isinstance(node, ast.ImportFrom) or node.level == 0  # absolute


def test_rare_mails_alone_load_large_tables() -> None:
    """The names of HTML characters, and the characters of ISO-2022-JP."""
    # httpx loads its command line, which needs the names, if click is installed.
    script = (
        "import sys; sys.modules['click'] = None; import smtp_relay.__main__; print(*sys.modules)"
    )
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "smtp_relay.message.rules.content_ids" in loaded.split()
    large = {"html", "html.entities", "encodings.cp932", "encodings.iso2022_jp_ext"}
    assert large & set(loaded.split()) == set()


@every_module
def test_only_the_entry_point_imports_the_relay(module: str) -> None:
    assert "smtp_relay.relay" not in imported(TREES[module]) or module == "smtp_relay.__main__"


def test_the_conversion_needs_no_network() -> None:
    for name, tree in TREES.items():
        if name.startswith("smtp_relay.message"):
            own = {other for other in imported(tree) if other.startswith("smtp_relay.")}
            assert all(
                other.startswith(("smtp_relay.message.", "smtp_relay.addresses")) for other in own
            )
            assert packages(tree) & {"aiosmtpd", "asyncio", "httpx", "socket", "ssl"} == set()


# Parts


@pytest.mark.parametrize("module", [name for name in TREES if name != "smtp_relay.__main__"])
def test_no_other_module_uses_the_relay_object(module: str) -> None:
    assert names_in(TREES[module]) & {"relay", "_relay"} == set()


def test_the_relay_does_not_pass_itself_on() -> None:
    tree = TREES["smtp_relay.relay"]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [value for call in calls for value in (*call.args, *(k.value for k in call.keywords))]
    assert [ast.unparse(value) for value in given if ast.unparse(value) == "self"] == []


@every_module
def test_no_module_keeps_state(module: str) -> None:
    assert state_kept(TREES[module]) == CACHES.get(module, [])


# Regular expressions


def repeats(parsed: Any) -> Iterator[bool]:
    """For each repetition in a parsed regular expression: whether it is possessive."""
    for operation, argument in parsed:
        if operation in (MAX_REPEAT, MIN_REPEAT, POSSESSIVE_REPEAT):
            _, most, inside = argument
            if most > 1:
                yield operation is POSSESSIVE_REPEAT
            yield from repeats(inside)
        elif operation is SUBPATTERN:
            yield from repeats(argument[-1])
        elif operation is BRANCH:
            for branch in argument[1]:
                yield from repeats(branch)
        elif operation in (ASSERT, ASSERT_NOT):
            yield from repeats(argument[-1])
        elif operation is ATOMIC_GROUP:
            yield from repeats(argument)


def expressions(module: str) -> list[re.Pattern[Any]]:
    values = vars(importlib.import_module(module)).values()
    return [value for value in values if isinstance(value, re.Pattern)]


@every_module
def test_repetitions_in_expressions_are_possessive(module: str) -> None:
    """A match that never backtracks takes linear time. `test_worst_inputs` measures searches."""
    for expression in expressions(module):
        parsed = parse(expression.pattern, expression.flags & ~re.UNICODE)
        assert all(repeats(parsed)), expression.pattern


@every_module
def test_expressions_have_names(module: str) -> None:
    """The rule above finds only regular expressions that have a name in their module."""
    tree = TREES[module]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    used = {name for function in functions for name in map(ast.unparse, ast.walk(function))}
    assert [name for name in used if re.fullmatch(r"re\.\w+", name)] == []


def test_the_rule_would_find_a_repetition() -> None:
    found = list(repeats(parse(r"(a|b*)?(?:c{2,3}+|d+?)(?=e++)(?<!f)(?!g*)")))
    assert found == [False, True, False, True, False]


# Private members


@every_other_module
def test_private_members_of_others_are_not_used(module: str) -> None:
    used = [
        f"{ast.unparse(node)} in line {node.lineno}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute) and is_private(node.attr)
        if not isinstance(node.value, ast.Name) or node.value.id not in ITSELF
    ]
    assert used == []
    # As in getattr(session, "_reader") and vars(session)["_reader"].
    assert [text for text in strings(TREES[module]) if re.fullmatch(r"_[a-z]\w*", text)] == []


def test_the_docstring_explains_every_private_member() -> None:
    tree = TREES[PRIVATE]
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and is_private(n.attr)}
    used |= {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and is_private(node.name)
    }
    explained = set(re.findall(r"\b_\w+", ast.get_docstring(tree) or ""))
    assert used == explained


@every_other_module
def test_private_names_of_others_are_not_imported(module: str) -> None:
    names = [name.rpartition(".")[2] for name in imported(TREES[module])]
    assert [name for name in names if is_private(name)] == []


@every_other_module
def test_a_base_class_of_others_keeps_its_private_members(module: str) -> None:
    used = {
        node.attr
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute) and is_private(node.attr)
    }
    for cls in own_classes(module):
        defined = {name for name in vars(cls) if is_private(name) and "abc" not in name}
        assert (defined | used) & private_members_of_foreign_bases(cls) == set(), cls


def test_the_rule_finds_an_override() -> None:
    class Override(asyncio.StreamReaderProtocol):
        _stream_reader = None

    assert "_stream_reader" in private_members_of_foreign_bases(Override)


def own_classes(module: str) -> Iterator[type]:
    loaded = importlib.import_module(module)
    for _, cls in inspect.getmembers(loaded, inspect.isclass):
        if cls.__module__ == module:
            yield cls


def private_members_of_foreign_bases(cls: type) -> set[str]:
    """The private names that base classes outside the relay define or assign."""
    members: set[str] = set()
    for base in cls.__mro__[1:]:
        top = base.__module__.partition(".")[0]
        if top in ("builtins", "typing", "smtp_relay"):
            continue
        members |= {name for name in vars(base) if is_private(name)}
        members |= set(re.findall(r"self\.(_[a-z]\w*)", inspect.getsource(base)))
    return members
