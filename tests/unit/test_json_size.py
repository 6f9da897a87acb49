"""The database measures a text as JSON within JSON, as the response encodes it."""

import json

import pytest

from store.json_size import MAX_GROWTH, json_size
from tests.unit.sqlite_database import SqliteDatabase

QUOTES = len('"\\"\\""')  # those of the inner and of the outer JSON


def encoded_size(text: str) -> int:
    inner = json.dumps(text, ensure_ascii=False)
    return len(json.dumps(inner, ensure_ascii=False).encode())


def measured_size(text: str) -> int:
    size: int = SqliteDatabase().value(f"SELECT {json_size('?1')}", text)
    return size


@pytest.mark.parametrize("text", ["", "a", 'a"b', "a\\b", "a\nb", "\x01\x1f\x7f", "é€😀", "🇨🇭" * 9])
def test_the_size_is_exact(text: str) -> None:
    assert measured_size(text) == encoded_size(text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\0" * 9])
def test_a_text_with_a_nul_has_the_largest_size(text: str) -> None:
    assert measured_size(text) == 7 * len(text)


def test_no_byte_grows_more() -> None:
    growths = [encoded_size(chr(code)) - QUOTES for code in range(128)]
    assert max(growths) == MAX_GROWTH == 7
