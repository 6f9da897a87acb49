"""The console has a text for every action of the audit log."""

import ast
import re
from pathlib import Path

import pytest

from tests.unit.source import SRC, TREES

TEXTS = SRC.parent / "console" / "texts"
ACTION = re.compile(r"[a-z]+\.[a-z]+")


def actions() -> set[str]:
    """Every action that the source writes into the audit log."""
    found = {
        node.value
        for name, tree in TREES.items()
        if name.startswith("store/")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") != "format"
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if ACTION.fullmatch(node.value)
    }
    assert {"address.created", "credential.given", "list.set"} <= found
    return found


@pytest.mark.parametrize("catalogue", ["admin.en.ts", "admin.zh.ts"])
def test_every_action_of_the_audit_log_has_words(catalogue: str) -> None:
    text = Path(TEXTS / catalogue).read_text()
    assert [action for action in sorted(actions()) if f'"{action}": ' not in text] == []
