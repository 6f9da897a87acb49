"""The source of the Worker as syntax trees, and functions that read them."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"

# A check of one module, by its name.
Rule = Callable[[str], None]

TREES = {
    path.relative_to(SRC).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(SRC.rglob("*.py"))
}


def each_of(modules: Iterable[str]) -> Callable[[Rule], Callable[[], None]]:
    """Make one test of a rule: it checks every module, and its failure names those that break it.

    One test for each rule and module would be several thousand tests.
    """
    names = tuple(modules)

    def one_test(rule: Rule) -> Callable[[], None]:
        def test() -> None:
            broken = []
            for module in names:
                try:
                    rule(module)
                except AssertionError as error:
                    broken.append(f"{module}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__ = rule.__name__
        test.__doc__ = rule.__doc__
        return test

    return one_test


def imported(tree: ast.AST) -> set[str]:
    """Every module that ``tree`` imports, even inside functions.

    ``from a import b`` gives ``a`` and ``a.b``, because ``b`` may be a module.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def packages(tree: ast.AST) -> set[str]:
    """The top-level package of every module that ``tree`` imports."""
    return {name.partition(".")[0] for name in imported(tree)}


def names_in(tree: ast.AST) -> set[str]:
    """Every name, attribute and parameter in ``tree``."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names


def strings(tree: ast.AST) -> Iterator[str]:
    """Every string in ``tree`` except docstrings."""
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        if id(node) in docstrings or not isinstance(node, ast.Constant):
            continue
        if isinstance(node.value, str):
            yield node.value


def whole_texts(tree: ast.AST) -> Iterator[str]:
    """Like ``strings``, but an f-string or a sum of strings is one string.

    ``{}`` stands for a part that is only known at run time.
    """
    docstrings = _docstrings(tree)
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        parts = [*_parts(node)]
        if id(node) in docstrings or not any(map(_is_text, parts)):
            waiting += ast.iter_child_nodes(node)
        else:
            yield "".join(part.value if _is_text(part) else "{}" for part in parts)
            waiting += [part for part in parts if not _is_text(part)]


def _parts(node: ast.AST) -> Iterator[Any]:
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _docstrings(tree: ast.AST) -> set[int]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }


# Calls that make a mutable object.
_MAKERS = {"ContextVar", "local", "count", "cycle", "deque", "defaultdict", "Counter"}
_CACHES = {"cache", "lru_cache", "cached_property"}
_CHANGES = {
    *("append", "appendleft", "extend", "insert", "add", "update", "setdefault"),
    *("pop", "popitem", "popleft", "remove", "discard", "clear"),
}


def state_kept(tree: ast.Module) -> list[str]:
    """What keeps state between calls in ``tree``: the names of functions, or source text."""
    shared = _names_at_the_top(tree)
    kept: list[ast.AST] = [node for node in tree.body if _makes_state(node)]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(name in _CACHES for name in map(_last_name, function.decorator_list)):
                kept.append(function)
            outer = shared - _local_names(function)
            kept += [node for node in ast.walk(function) if _changes(node, outer)]
    return [getattr(node, "name", ast.unparse(node)) for node in kept]


def _names_at_the_top(tree: ast.Module) -> set[str]:
    names = {name.partition(".")[0] for name in imported(tree)}
    names |= {name.rpartition(".")[2] for name in imported(tree)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names


def _local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    stored = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def _makes_state(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return isinstance(value, ast.Call) and _last_name(value) in _MAKERS


def _changes(node: ast.AST, outer: set[str]) -> bool:
    if isinstance(node, ast.Global) or (isinstance(node, ast.Name) and node.id == "globals"):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        target = node.func.value
        return node.func.attr in _CHANGES and isinstance(target, ast.Name) and target.id in outer
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return isinstance(node.value, ast.Name) and node.value.id in outer
    return False


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def codes_in_sql(tree: ast.AST) -> Iterator[str]:
    """The codes of errors that the module's SQL reports: ``CASE ... THEN 'no_balance' END``."""
    for text in whole_texts(tree):
        for case in re.findall(r"CASE\b((?:(?!CASE\b).)*)\bEND AS error\b", text, re.DOTALL):
            found = re.findall(r"THEN '(\w+)'", case)
            # `earlier` becomes a replay, or an error with another code.
            yield from (code for code in found if code != "earlier")
