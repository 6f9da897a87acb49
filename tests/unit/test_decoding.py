"""Bodies of requests: what is no JSON, or no Unicode, is refused before anything is made of it."""

from typing import Any

import msgspec
import pytest

from handlers.decoding import convert, decode_json
from refusals import BadRequest, InvalidInput

ANY = msgspec.json.Decoder(Any)


class Body(msgspec.Struct):
    content: str | None = None
    to: list[str] = []


BODY = msgspec.json.Decoder(Body)


@pytest.mark.parametrize(
    "text",
    [
        rb"a\ud800b",
        rb"\ud800",
        rb"\udbff\ud800",
        rb"a\udc00b",
        rb"\udfff",
        b"\xed\xa0\x80",  # a surrogate as UTF-8 would write it
        b"\xff",
        b"\xc0\x80",
    ],
)
def test_no_text_with_half_a_character_is_taken(text: bytes) -> None:
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b'{"content": "' + text + b'"}', BODY)
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b'{"else": "' + text + b'", "content": 7}', ANY)


@pytest.mark.parametrize("body", [b'{"content": "\xff"}', b'{"\xe9": 1}', b'"\xed\xa0\x80"'])
def test_what_is_no_utf8_is_named_so(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body, ANY)
    assert caught.value.values == {"problem": "it is not UTF-8"}


def test_whole_characters_are_taken_however_they_are_written() -> None:
    body = decode_json(rb'{"content": "\ud83d\ude00 \u00e9"}', BODY)
    assert body.content == "😀 é"


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"{'a': 1}", b'{"a": 1} x', b"nul"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(body, ANY)


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"content": 7}', "content"), (b'{"to": ["a", 1]}', "to[1]"), (b"[]", ""), (b"null", "")],
)
def test_a_value_of_another_kind_is_named(body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_json(body, BODY)
    assert [error.field for error in caught.value.errors] == [field]
    with pytest.raises(InvalidInput) as caught:
        convert(ANY.decode(body), Body)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_body_is_nested_at_most_a_hundred_times() -> None:
    decode_json(b"[" * 100 + b"]" * 100, ANY)
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b"[" * 101 + b"]" * 101, ANY)


def test_brackets_in_texts_do_not_nest() -> None:
    text = "[" * 200 + '\\"' + "{" * 200
    assert decode_json(msgspec.json.encode({"content": text}), BODY).content == text
