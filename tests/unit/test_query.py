"""Parsing of query parameters."""

import pytest

from errors import ApiError
from mail.addresses import MAX_ADDRESS_OCTETS, comparable
from web.query import address_filter, after_and_before

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


def test_the_cursors_of_resends_api() -> None:
    longest = "a" * 100
    assert after_and_before({}) == (None, None)
    assert after_and_before({"after": longest}) == (longest, None)
    assert after_and_before({"before": longest}) == (None, longest)
    for query, code in (
        ({"after": longest + "a"}, "invalid_cursor"),
        ({"before": longest + "a"}, "invalid_cursor"),
        ({"after": longest, "before": longest}, "two_cursors"),
    ):
        with pytest.raises(ApiError) as caught:
            after_and_before(query)
        assert caught.value.code == code
