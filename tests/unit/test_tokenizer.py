"""Words: the same for messages and queries, in every script."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.tokenizer import Term, has_terms, terms_of, tokens_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("... --- !!!", []),
        ("Your order no. 4711", ["your", "order", "no", "4711"]),
        ("To be or not to be", ["to", "be", "or", "not"]),
        ("anna_b@mail.example.net", ["anna", "b", "mail", "example", "net"]),
        ("Café CAFÉ cafe\u0301", ["cafe"]),
        ("Straße STRASSE", ["strasse"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("发票", ["发票", "票"]),
        ("发票号码", ["发票", "票号", "号码", "码"]),
        ("发", ["发"]),
        ("2026年11月的invoice", ["2026", "年", "11", "月的", "的", "invoice"]),
        ("カタカナ が", ["カタ", "タカ", "カナ", "ナ", "が"]),
        ("안녕하세요 Привет", ["안녕하세요", "привет"]),
        ("\U00020000\U00020001", ["\U00020000\U00020001", "\U00020001"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert tokens_of(text) == words


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("invoice", [Term("invoice", True)]),
        ("march invoice", [Term("march", False), Term("invoice", True)]),
        ("march 42", [Term("march", False), Term("42", False)]),
        ("march 427", [Term("march", False), Term("427", True)]),
        ("march 票", [Term("march", False), Term("票", True)]),
        ("票", [Term("票", True)]),
        ("发票号", [Term("发票", False), Term("票号", False)]),
        ("Émile émile", [Term("emile", False), Term("emile", True)]),
        ('"*^: {}', []),
    ],
)
def test_terms_of_a_query(query: str, terms: list[Term]) -> None:
    assert terms_of(query) == terms


def test_only_the_first_characters_of_a_long_query_may_be_a_prefix() -> None:
    terms = terms_of(" ".join(chr(0x4E00 + number) for number in range(12)))
    assert [term.is_prefix for term in terms] == [True] * 8 + [False] * 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("invoice", True),
        ("INVOI", True),
        ("nvoice", False),
        ("in", False),
        ("no", True),
        ("n", False),
        ("march invoice", True),
        ("march invoi", True),
        ("invoi march", False),
        ("invoice april", False),
        ("发票", True),
        ("发票号码", True),
        ("票", True),
        ("码", True),
        ("号", True),
        ("码发", False),
    ],
)
def test_a_message_matches_all_terms_or_not(query: str, found: bool) -> None:
    words = tokens_of("Invoice no. 7 for March: 发票号码")
    assert has_terms(words, terms_of(query)) is found


@given(st.text(), st.integers(0, 50), st.integers(1, 50))
def test_a_text_is_found_by_any_of_its_words(text: str, start: int, length: int) -> None:
    some = " ".join(tokens_of(text)[start : start + length])
    assert has_terms(tokens_of(text), terms_of(text))
    assert has_terms(tokens_of(text), terms_of(some))


@given(st.text())
def test_a_word_has_no_syntax_of_the_index(text: str) -> None:
    """The index splits texts at ASCII punctuation and spaces; its query syntax is ASCII too."""
    for word in [*tokens_of(text), *(term.word for term in terms_of(text))]:
        assert re.fullmatch("[a-z0-9\u0080-\U0010ffff]+", word)
