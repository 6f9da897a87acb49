"""The source of the worker, as text and as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"

TREES = {
    path.relative_to(SRC).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(SRC.rglob("*.py"))
}


def imported(tree: ast.AST) -> set[str]:
    """Every module that is imported anywhere in ``tree``, also inside functions.

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
    """The first part of every module that is imported in ``tree``."""
    return {name.partition(".")[0] for name in imported(tree)}


def strings(tree: ast.AST) -> Iterator[str]:
    """Every text in ``tree``, docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if id(node) in docstrings or not isinstance(node, ast.Constant):
            continue
        if isinstance(node.value, str):
            yield node.value
