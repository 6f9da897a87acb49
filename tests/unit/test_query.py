"""Parsing of query parameters."""

import pytest

from mail.addresses import MAX_ADDRESS_OCTETS, comparable
from web.query import address_filter

LONGEST = "a@" + ".".join(["b" * 62] * 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Bob@Example.COM ", "bob@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("Not an address ", "not an address"),
        (LONGEST, LONGEST),
    ],
)
def test_an_address_is_compared_in_its_stored_form(text: str, expected: str) -> None:
    assert comparable(text) == expected


def test_a_text_longer_than_an_address_is_cut() -> None:
    for text in (LONGEST + ".com" * 500_000, "x" * 3_000_000):
        assert len(comparable(text)) == MAX_ADDRESS_OCTETS + 1


@pytest.mark.parametrize("query", [{}, {"address": ""}, {"address": "  "}])
def test_an_empty_text_is_no_filter(query: dict[str, str]) -> None:
    assert address_filter(query) is None
