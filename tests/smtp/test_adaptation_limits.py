"""The API accepts every list of sentences that the relay makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.adaptations import MAX_ADAPTATION_CHARACTERS, MAX_ADAPTATIONS, read_adaptations
from smtp_relay.message.adaptations import MAX_CHARACTERS, MAX_SENTENCES, Adaptations, shown
from smtp_relay.message.errors import Unsupported

TEXTS = st.text(st.characters(), min_size=1, max_size=5) | st.text(min_size=199, max_size=202)


def sentences_of(written: list[str]) -> list[str]:
    adaptations = Adaptations()
    for sentence in written:
        adaptations.add("left_out", sentence, Unsupported("not told"))
    return adaptations.sentences()


@given(st.lists(TEXTS, max_size=3))
def test_the_api_accepts_every_sentence(written: list[str]) -> None:
    sentences = sentences_of(written)
    assert read_adaptations(sentences) == tuple(sentences)


def test_the_api_accepts_as_many_sentences_as_the_relay_makes() -> None:
    assert (MAX_SENTENCES, MAX_CHARACTERS) == (MAX_ADAPTATIONS, MAX_ADAPTATION_CHARACTERS)
    for number in (49, 50, 51, 1000):
        sentences = sentences_of([f"X-{at} left out" for at in range(number)])
        assert len(sentences) == min(number, MAX_ADAPTATIONS)
        assert read_adaptations(sentences) == tuple(sentences)


@pytest.mark.parametrize(
    ("number", "last"), [(50, "X-49 left out"), (51, "2 more changes"), (60, "11 more changes")]
)
def test_the_last_sentence_counts_the_changes_without_a_sentence(number: int, last: str) -> None:
    assert sentences_of([f"X-{at} left out" for at in range(number)])[-1] == last


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a" * 100, "a" * 100),
        ("a" * 50 + "b" * 51, "a" * 50 + "..." + "b" * 50),
        ("a" * 200 + ".txt", "a" * 50 + "..." + "a" * 46 + ".txt"),
    ],
)
def test_the_middle_of_a_long_filename_is_not_shown(filename: str, expected: str) -> None:
    assert shown(filename) == expected


def test_characters_that_the_api_rejects_are_replaced() -> None:
    (sentence,) = sentences_of(["a\r\nb\x00\ud800\u2028.txt renamed"])
    assert sentence == "a\ufffd\ufffdb\ufffd\ufffd\ufffd.txt renamed"
