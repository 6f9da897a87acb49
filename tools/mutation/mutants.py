"""The mutants of a module."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

from tools.mutation.sql import MutateSql
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

    Mutants that are not valid Python, or that mean the same as another one, are left out.
    """
    source = (ROOT / module).read_text("utf-8")
    seen = {_meaning(source)}
    for operator in _operators():
        positions = [
            position
            for node in ast_nodes(get_ast(source))
            for position in operator.mutation_positions(node)
        ]
        for occurrence in range(len(positions)):
            text = _mutated(source, operator, occurrence)
            meaning = _meaning(text)
            if meaning and meaning not in seen:
                seen.add(meaning)
                line = _changed_line(source, text)
                yield Mutant(module, line + 1, text.splitlines()[line].strip(), text)


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
