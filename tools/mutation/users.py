"""The functions that a line of a module affects.

A line outside of functions defines a name, for example of a constant with SQL. It affects all
functions that use this name, also in other modules and through other constants.
"""

import ast
from collections.abc import Sequence
from functools import cache

from tools.prepare import ROOT

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions_at(module: str, line: int) -> set[str]:
    """The names of the functions that the line affects, in the form that ``reach`` uses."""
    for statement in _tree(module).body:
        if first_line(statement) <= line <= (statement.end_lineno or 0):
            if isinstance(statement, _Function):
                return {f"{module}:{statement.name}"}
            if isinstance(statement, ast.ClassDef):
                method = _method_at(statement, line)
                if method:
                    return {f"{module}:{statement.name}.{method}"}
            return _users({(module, name) for name in _names_of(statement)})
    return set()


def is_in_function(module: str, line: int) -> bool:
    """Whether the line belongs to a function or a method, and not to a constant or a class."""
    return any(
        isinstance(node, _Function) and first_line(node) <= line <= (node.end_lineno or 0)
        for node in ast.walk(_tree(module))
    )


def makes_constant(functions: set[str]) -> bool:
    """Whether a constant of a module is made by one of ``functions``, when it is imported."""
    for function in functions:
        module, _, name = function.partition(":")
        for user, alias in [(module, name), *_importers(module, name)]:
            constants = (one for one in _tree(user).body if not _is_definition(one))
            if any(alias in _loaded(constant) for constant in constants):
                return True
    return False


def _is_definition(statement: ast.stmt) -> bool:
    return isinstance(statement, _Function | ast.ClassDef)


def users_of(functions: set[str]) -> set[str]:
    """The functions that use one of ``functions``, its class, or a constant made by it."""
    pairs = (function.split(":") for function in functions)
    return _users({(module, name.partition(".")[0]) for module, name in pairs})


def _users(names: set[tuple[str, str]]) -> set[str]:
    found, waiting, seen = set(), list(names), set(names)
    while waiting:
        module, name = waiting.pop()
        for statement in _tree(module).body:
            if name not in _loaded(statement):
                continue
            more = set()
            if isinstance(statement, _Function):
                found.add(f"{module}:{statement.name}")
            elif isinstance(statement, ast.ClassDef) and name in _loaded_by_methods(statement):
                methods = [item for item in _methods(statement) if name in _loaded(item)]
                found |= {f"{module}:{statement.name}.{method.name}" for method in methods}
            else:
                more = {(module, other) for other in _names_of(statement)}
                if isinstance(statement, ast.ClassDef):
                    methods = _methods(statement)
                    found |= {f"{module}:{statement.name}.{method.name}" for method in methods}
            waiting += more - seen
            seen |= more
        importers = set(_importers(module, name)) - seen
        waiting += importers
        seen |= importers
    return found


def first_line(statement: ast.stmt) -> int:
    """The line of its first decorator, or of the statement itself."""
    decorators = getattr(statement, "decorator_list", [])
    lines: list[int] = [statement.lineno, *(decorator.lineno for decorator in decorators)]
    return min(lines)


def _methods(statement: ast.ClassDef) -> list[_Function]:
    return [item for item in statement.body if isinstance(item, _Function)]


def _loaded_by_methods(statement: ast.ClassDef) -> set[str]:
    """The names that only the methods of a class load, and not the class itself."""
    loaded: set[str] = set()
    others = _loaded_here([*statement.bases, *statement.decorator_list])
    for item in statement.body:
        if isinstance(item, _Function):
            loaded |= _loaded(item)
        else:
            others |= _loaded(item)
    return loaded - others


def _method_at(statement: ast.ClassDef, line: int) -> str:
    for item in statement.body:
        if isinstance(item, _Function) and first_line(item) <= line <= (item.end_lineno or 0):
            return item.name
    return ""


@cache
def _names_of(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module defines."""
    if isinstance(statement, _Function | ast.ClassDef):
        return {statement.name}
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}


@cache
def _loaded(statement: ast.stmt) -> set[str]:
    return _loaded_here([statement])


def _loaded_here(nodes: Sequence[ast.AST]) -> set[str]:
    names = (node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Load)}


def _importers(module: str, name: str) -> list[tuple[str, str]]:
    """Each module that imports the name, with the name that the module gives it."""
    dotted = module.removeprefix("src/").removesuffix(".py").replace("/", ".")
    return _imports().get((dotted, name), [])


@cache
def _imports() -> dict[tuple[str, str], list[tuple[str, str]]]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for module in _modules():
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    importer = module, alias.asname or alias.name
                    found.setdefault((node.module, alias.name), []).append(importer)
    return found


@cache
def _modules() -> tuple[str, ...]:
    paths = (path for tree in ("src", "smtp_relay") for path in (ROOT / tree).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in paths))


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"))
