"""Mutations of the SQL in string literals.

A literal may be an f-string, or only a part of a statement. A condition is replaced by one that is
always true and keeps the parameters, so the number of bound values stays right.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator

# A replacement field of an f-string is one token.
_TOKENS = re.compile(r"'[^']*'|\{\{?[^{}]*\}\}?|->>?|<>|<=|>=|[<>()]|\w+|\s+|.", re.DOTALL)
_LITERAL = re.compile(r"([fFrR]*)(\"\"\"|'''|\"|')(.*)\2", re.DOTALL)
_LOOKS_LIKE_SQL = re.compile(
    r"\b(SELECT \S|INSERT INTO|DELETE FROM|UPDATE \S+ |WHERE|AND|EXISTS|ORDER BY)\b"
    r"|\b(IS NULL|NOT NULL)\b|\?\d| (<>|[<>]=?) "
)

_REPLACEMENTS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "<>": "=",
    "+": "-",
    "OR": "AND",
    "min": "max",
    "max": "min",
    "DESC": "ASC",
}
_STARTS = {"WHERE", "AND", "OR", "ON", "HAVING", "WHEN"}
_ENDS = {
    *_STARTS,
    *("GROUP", "ORDER", "LIMIT", "RETURNING", "UNION", "THEN", "ELSE", "END", "DO", "SET"),
    *("JOIN", "CROSS", "LEFT", "INNER", "FROM"),
}
_STATEMENTS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CASE", "FROM", "ORDER", "LIMIT"}


def mutations(sql: str) -> list[str]:
    """Every text that differs from ``sql`` in one condition or one operator."""
    tokens = _TOKENS.findall(sql)
    changed = []
    for index, token in enumerate(tokens):
        if token in _REPLACEMENTS:
            changed.append([*tokens[:index], _REPLACEMENTS[token], *tokens[index + 1 :]])
        elif token == "NULL" and "".join(tokens[:index]).endswith("IS NOT "):
            changed.append([*tokens[: index - 2], *tokens[index:]])
        elif token == "NULL" and "".join(tokens[:index]).endswith("IS "):
            changed.append([*tokens[:index], "NOT ", *tokens[index:]])
    for start, end in _conditions(tokens):
        changed.append([*tokens[:start], "(", *tokens[start:end], " OR true)", *tokens[end:]])
    return ["".join(text) for text in changed]


def _conditions(tokens: list[str]) -> Iterator[tuple[int, int]]:
    """The start and the end of each condition in the list, without the spaces around it."""
    for index in _starts(tokens):
        end = _end(tokens, index)
        while index < end and tokens[index].isspace():
            index += 1
        while end > index and tokens[end - 1].isspace():
            end -= 1
        if index < end:
            yield index, end


def _starts(tokens: list[str]) -> Iterator[int]:
    first, second, *_ = [*(token for token in tokens if not token.isspace()), "", ""]
    # A replacement field before a statement is another part of it, for example its WITH.
    is_statement = first in _STATEMENTS or (first[:1] == "{" and second in {*_STATEMENTS, ","})
    if not is_statement and first not in _STARTS and {"AND", "OR", "IS", "EXISTS"} & set(tokens):
        yield 0
    is_range = False
    for index, token in enumerate(tokens):
        if token == "AND" and is_range:
            is_range = False
        elif token == "BETWEEN":
            is_range = True
        elif token in _STARTS and "CONFLICT" not in tokens[index : index + 3]:
            yield index + 1


def _end(tokens: list[str], start: int) -> int:
    depth, is_range = 0, False
    for index in range(start, len(tokens)):
        token = tokens[index]
        depth += (token == "(") - (token == ")")
        if depth < 0:
            return index
        if depth == 0 and token == "AND" and is_range:
            is_range = False
        elif depth == 0 and token == "BETWEEN":
            is_range = True
        elif depth == 0 and token in _ENDS:
            return index
    return len(tokens)


class MutateSql(Operator):  # type: ignore[misc]
    """The operator of Cosmic Ray that makes the mutations of one literal."""

    def mutation_positions(self, node: Any) -> Iterable[Any]:
        for _ in _mutated_literals(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        prefix = node.get_code()[: -len(node.get_code(include_prefix=False))]
        return parso.parse(prefix + _mutated_literals(node)[index])  # type: ignore[no-untyped-call]

    @classmethod
    def examples(cls) -> Iterable[Example]:
        return (Example("x = 'a < ?1'", "x = 'a <= ?1'"),)


def _mutated_literals(node: Any) -> list[str]:
    is_docstring = node.parent is not None and node.parent.type == "simple_stmt"
    if node.type not in ("string", "fstring") or is_docstring:
        return []
    literal = _LITERAL.fullmatch(node.get_code(include_prefix=False))
    if literal is None or not _LOOKS_LIKE_SQL.search(literal[3]):
        return []
    kind, quote, sql = literal.groups()
    return [f"{kind}{quote}{changed}{quote}" for changed in mutations(sql)]
