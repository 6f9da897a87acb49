"""Parsers give the same results as simpler ones, which take quadratic time or much memory."""

import json
import re
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import read_entity
from smtp_relay.message.errors import CannotRelay, Malformed, TooLarge
from smtp_relay.message.header_text import decoded_words
from smtp_relay.message.json_body import MAX_BYTES, json_body
from smtp_relay.message.media_types import media_type
from web.request import MAX_BODY_BYTES

WORD = re.compile(r"=\?([!->@-~]{1,60})\?([Qq])\?([ -~]*?)\?=")
PIECES = st.sampled_from(["=?", "?=", "?", "=", "a", "q", "=?a?q?", "é", "\x01", " ", "=?a?q?b?="])
VALUES = st.lists(
    st.sampled_from([";", '"', "\\", "=", "a", " ", "a=b", '"c"', "n*0=d", "n*=''%41", "*", "1"]),
    max_size=12,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TREES = st.recursive(
    TEXTS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3)
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_encoded_words(text: str) -> None:
    """One regular expression, in quadratic time, finds the same words."""
    try:
        decoded = decoded_words(text, "Subject", Adaptations(is_strict=True))
    except Malformed:  # an unknown charset, the only error in these texts
        assert WORD.search(text)
    else:
        assert WORD.search(text) is None
        assert decoded == text


@given(VALUES.map("".join))
def test_parameters(value: str) -> None:
    """The standard library, in quadratic time, finds the same parameters."""
    message = Message()
    message["Content-Type"] = "text/plain;" + value
    content = b"Content-Type: text/plain;" + value.encode() + b"\r\n\r\n"
    entity = read_entity(content, Adaptations(is_strict=True))
    try:
        pairs = message.get_params(failobj=[])
    except (IndexError, TypeError, ValueError):
        pairs = None
    try:
        parameters = media_type(entity).parameters
    except CannotRelay:
        assert pairs is None
    else:
        assert pairs is not None
        expected: dict[str, str] = {}
        for name, given_value in pairs[1:]:
            if isinstance(given_value, tuple):
                expected[name.lower()] = given_value[2]
            else:
                expected.setdefault(name.lower(), given_value)
        assert parameters == expected


@given(st.dictionaries(TEXTS, TREES))
def test_json(fields: dict[str, object]) -> None:
    assert json_body(fields) == json.dumps(fields, ensure_ascii=False).encode()


def test_json_has_a_maximum_size() -> None:
    assert MAX_BYTES == MAX_BODY_BYTES
    longest = "x" * (MAX_BYTES - len('{"text": "'))
    assert json.loads(json_body({"text": longest})) == {"text": longest}
    with pytest.raises(TooLarge):
        json_body({"text": longest + "x"})


def test_json_of_a_long_text() -> None:
    text = ('\x01"\\é😀' * 50_000) + "end"
    assert json.loads(json_body({"text": text})) == {"text": text}
