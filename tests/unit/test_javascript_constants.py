"""Numbers that JavaScript and Python both have."""

import re
from math import prod

import pytest

from mail.limits import MAX_MESSAGE_BYTES
from tools.prepare import ROOT
from web.request import MAX_BODY_BYTES, SMALL_BODY_BYTES

_NAME = re.compile(r"^const ([A-Z_]+) = ([0-9_* ]+);", re.MULTILINE)


def constants(module: str) -> dict[str, int]:
    text = (ROOT / "src/runtime" / module).read_text("utf-8").replace("MIB;", "1024 * 1024;")
    return {name: prod(map(int, value.split("*"))) for name, value in _NAME.findall(text)}


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("bodies.mjs", "SMALL_BODY", SMALL_BODY_BYTES),
        ("memory.mjs", "MAX_WORK", MAX_BODY_BYTES),
        ("memory.mjs", "LARGEST_MESSAGE", MAX_MESSAGE_BYTES),
    ],
)
def test_javascript_and_python_have_the_same_numbers(module: str, name: str, expected: int) -> None:
    assert constants(module)[name] == expected
