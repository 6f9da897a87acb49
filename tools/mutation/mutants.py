"""The mutants of a module."""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

from tools.mutation.sql import MutateSql
from tools.mutation.users import first_line
from tools.prepare import ROOT

# Mutations of Cosmic Ray. If a Python operator has several replacements, the list has only the one
# that is hardest to notice.
_NAMES = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_FloorDiv",
    "ReplaceBinaryOperator_Mul_FloorDiv",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ZeroIterationForLoop",
)

# The options of classes of data, and the sizes of caches.
_OPTION = re.compile(r"\b(?:(?:frozen|kw_only|slots)=(?:True|False)|maxsize= ?[0-9]+)")
_AROUND_METHOD = "class _:\n"  # makes a method alone a valid module
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """A module with one change. ``change`` is the changed line, ``text`` the whole module."""

    module: str
    line: int
    change: str
    text: str

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.module}\0{self.text}".encode()).hexdigest()


def mutants_of(module: str) -> Iterator[Mutant]:
    """The mutants of the module at this path.

    Mutants that are not valid Python, or that mean the same as another one, are left out. So are
    those in the options of classes of data, which forbid what the code does not do, and in the
    sizes of caches, which change no result.
    """
    for first, last in pieces_of(module):
        yield from mutants_between(module, first, last)


def pieces_of(module: str) -> list[tuple[int, int]]:
    """The first and the last line of each piece: a statement, or a method of a class."""
    source = (ROOT / module).read_text("utf-8")
    starts = [*_starts(ast.parse(source))]
    ends = [start - 1 for start in starts[1:]]
    return list(zip(starts, [*ends, len(source.splitlines())], strict=True))


def _starts(module: ast.Module) -> Iterator[int]:
    for statement in module.body:
        yield first_line(statement)
        if isinstance(statement, ast.ClassDef):
            # A class needs a body, so its first piece includes the first part of the body.
            methods = (item for item in statement.body[1:] if isinstance(item, _Function))
            yield from map(first_line, methods)


def mutants_between(module: str, first: int, last: int) -> Iterator[Mutant]:
    """The mutants of the piece from line ``first`` to line ``last``.

    Only this piece is parsed for each mutant, because parsing takes most of the time.
    """
    lines = (ROOT / module).read_text("utf-8").splitlines(keepends=True)
    before, piece, after = lines[: first - 1], "".join(lines[first - 1 : last]), lines[last:]
    around = _AROUND_METHOD if piece.startswith(" ") else ""
    source = around + piece
    nodes = [*ast_nodes(get_ast(source))]
    seen = {_meaning(source)}
    for operator in _operators():
        positions = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence in range(len(positions)):
            text = _mutated(source, operator, occurrence)
            meaning = _meaning(text)
            if meaning and meaning not in seen:
                seen.add(meaning)
                text = text.removeprefix(around)
                line = _changed_line(piece, text)
                change = text.splitlines()[line].strip()
                if _without_options(change) == _without_options(piece.splitlines()[line].strip()):
                    continue
                yield Mutant(module, first + line, change, "".join([*before, text, *after]))


def _without_options(line: str) -> str:
    return _OPTION.sub("", line)


def _mutated(source: str, operator: Any, occurrence: int) -> str:
    try:
        return str(mutate_code(source, operator, occurrence) or source)
    except AttributeError:  # ExceptionReplacer does not know names with dots
        return source


def _operators() -> Iterator[Any]:
    provider = OperatorProvider()
    for name in _NAMES:
        yield provider[name]()
    yield MutateSql()


_OPPOSITES = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}


class _Simplify(ast.NodeTransformer):
    """Makes ``not a != b`` and ``a == b`` the same, so that only one of them is a mutant."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand)):
                return operand
            case ast.UnaryOp(ast.Not(), ast.Compare(left, [operator], right)):
                opposite = _OPPOSITES.get(type(operator))
                return ast.Compare(left, [opposite()], right) if opposite else node
        return node


def _meaning(text: str) -> str | None:
    try:
        return ast.dump(_Simplify().visit(ast.parse(text)))
    except SyntaxError:
        return None


def _changed_line(before: str, after: str) -> int:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next(number for number, (old, new) in enumerate(pairs) if old != new)
