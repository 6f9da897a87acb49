"""Request bodies: invalid JSON and invalid Unicode are rejected."""

import contextlib
import time
from typing import Any

import msgspec
import pytest

from errors import BadRequest, InvalidInput, PayloadTooLarge
from mail.fields import SendMail
from tests.measured import cost_of
from web.body import decode_json

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
        b"\xed\xa0\x80",  # a surrogate, encoded like a character
        b"\xff",
        b"\xc0\x80",
    ],
)
def test_a_text_with_half_a_character_is_rejected(text: bytes) -> None:
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b'{"content": "' + text + b'"}', BODY)
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b'{"content": 7, "else": "' + text + b'"}', BODY)
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b'{"else": "' + text + b'", "content": 7}', ANY)


@pytest.mark.parametrize("body", [b'{"content": "\xff"}', b'{"\xe9": 1}', b'"\xed\xa0\x80"'])
def test_invalid_utf8_is_named_as_the_problem(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body, ANY)
    assert caught.value.values == {"problem": "it is not UTF-8"}


def test_whole_characters_are_accepted_in_every_notation() -> None:
    body = decode_json(rb'{"content": "\ud83d\ude00 \u00e9"}', BODY)
    assert body.content == "😀 é"


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"{'a': 1}", b'{"a": 1} x', b"nul"])
def test_invalid_json_is_rejected(body: bytes) -> None:
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(body, ANY)


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"content": 7}', "content"), (b'{"to": ["a", 1]}', "to[1]"), (b"[]", ""), (b"null", "")],
)
def test_a_value_of_a_wrong_type_is_named(body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_json(body, BODY)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_body_is_nested_at_most_a_hundred_times() -> None:
    decode_json(b"[" * 100 + b"]" * 100, ANY)
    with pytest.raises(BadRequest, match="malformed_json"):
        decode_json(b"[" * 101 + b"]" * 101, ANY)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 101,
        b"[" * 50_000,
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b"[[]," * 101 + b"1" + b"]" * 101,
        b"[" + b"[]," * 40_000 + b"[" * 100 + b"]" * 101,
        b"[" * 50 + b'[{"a":' * 26 + b"1" + b"}]" * 26 + b"]" * 50,
    ],
    ids=lambda body: str(body[:10]),
)
def test_deeper_nesting_is_named_as_the_problem(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body, ANY)
    assert caught.value.values == {"problem": "it is nested too deeply"}


def test_a_body_has_a_maximum_number_of_objects_and_lists() -> None:
    most = b"[" + b"{}," * 49_998 + b"[]]"
    assert len(decode_json(most, msgspec.json.Decoder(list[Any]))) == 49_999
    with pytest.raises(PayloadTooLarge, match="body_too_complex") as caught:
        decode_json(b"[" + b"{}," * 49_999 + b"[]]", ANY)
    assert caught.value.values == {"objects": 50_000, "texts": 100_000}


def test_the_number_of_texts_in_a_body_is_limited() -> None:
    most = b"[" + b'"",' * 99_999 + b'""]'
    assert len(decode_json(most, msgspec.json.Decoder(list[Any]))) == 100_000
    with pytest.raises(PayloadTooLarge, match="body_too_complex"):
        decode_json(b'["",' + most[1:], ANY)
    escaped = msgspec.json.encode({"content": '"' * 200_000})  # quotes in a text count once
    assert decode_json(escaped, BODY).content == '"' * 200_000


@pytest.mark.parametrize("name", ["x" * 1_000_000, "x` - at `$" * 100_000, "`" * 1_000_000])
def test_an_error_repeats_only_a_little_of_a_long_name(name: str) -> None:
    for value in ({"name": "a", name: 1}, {"name": "a", "inner": [{"name": "b", name: 1}]}):
        with pytest.raises(InvalidInput) as caught:
            decode_json(msgspec.json.encode(value), msgspec.json.Decoder(Strict))
        assert len(repr(caught.value.errors)) < 2000
        assert len(repr(caught.value.values)) < 2000


WORST_BODIES = {
    "lists of nothing": b'{"a":[' + b"[]," * 200 + b'"",' * 3_200_000 + b'1],"content":"x"}',
    "numbers": b'{"a":[' + b"1.5," * 2_400_000 + b"1]}",
    "texts": b"[" + b'"a",' * 2_400_000 + b"1]",
    "objects": b"[" + b"{}," * 3_200_000 + b"1]",
    "members": b'{"a":1' + b',"a":1' * 1_600_000 + b"}",
    "quotes": b'{"a":"' + b'\\"' * 4_900_000 + b'"}',
    "quotes outside of texts": b'\\"\\\\"' * 1_900_000,
    "brackets in a text": b'{"a":"' + b"[" * 9_800_000 + b'"}',
    "brackets": b"[" * 9_800_000,
    "closing brackets": b"]" * 9_800_000,
    "pairs": b"[}" * 4_900_000,
    "commas": b"[" * 101 + b"," * 9_800_000,
    "no end": b"[" * 50 + b"{" * 60 + b'"' + b"\\a" * 4_900_000,
    "spaces": b" " * 9_800_000,
}


@pytest.mark.parametrize("name", WORST_BODIES)
def test_a_body_of_ten_megabytes_is_checked_in_linear_time_and_little_memory(name: str) -> None:
    def decode() -> None:
        with contextlib.suppress(BadRequest, InvalidInput, PayloadTooLarge):
            decode_json(WORST_BODIES[name], BODY)

    decode()
    cost = cost_of(decode)
    assert cost.seconds < 1
    assert cost.bytes < 500_000


def test_depth_is_counted_fast_for_any_number_of_brackets() -> None:
    for body in (b"[" + b"[]," * 3_000_000 + b"[]]", b"[}" * 5_000_000, b"]" * 10_000_000):
        started = time.process_time()
        with contextlib.suppress(BadRequest, PayloadTooLarge):
            decode_json(body, msgspec.json.Decoder(msgspec.Raw))
        assert time.process_time() - started < 3


def test_brackets_in_texts_do_not_nest() -> None:
    text = "[" * 200 + '\\"' + "{" * 200
    assert decode_json(msgspec.json.encode({"content": text}), BODY).content == text


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: list["Strict"] = []


@pytest.mark.parametrize("body", [b'{"headers": %s}', b'{"tags": [%s]}', b'{"tags": [{"a": %s}]}'])
def test_a_long_list_instead_of_an_object_takes_no_memory(body: bytes) -> None:
    whole = body % (b"[" + b",".join([b"1.5"] * 100_000) + b"]")

    def decode() -> None:
        with pytest.raises(InvalidInput):
            decode_json(whole, msgspec.json.Decoder(SendMail))

    assert cost_of(decode).bytes < 2 * len(whole)  # the numbers would take 8 times as much


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"name": "a", "nmae": 1}, "unknown_field", "nmae"),
        ({}, "required_field_missing", "name"),
        ({"name": "a", "inner": [{"name": "b", "x`y": 1}]}, "unknown_field", "inner[0].x`y"),
        ({"name": "a", "inner": [{}]}, "required_field_missing", "inner[0].name"),
        ({"name": "a", "x" * 1000: 1}, "unknown_field", "x" * 100),
    ],
)
def test_an_unknown_or_missing_member_is_named(value: Any, code: str, field: str) -> None:
    with pytest.raises(InvalidInput, match=code) as decoded:
        decode_json(msgspec.json.encode(value), msgspec.json.Decoder(Strict))
    assert [(error.field, error.code) for error in decoded.value.errors] == [(field, code)]


@pytest.mark.parametrize(
    ("value", "field"), [({"name": 5}, "[3].name"), (5, "[3]"), ({"name": "a", "b": 1}, "[3].b")]
)
def test_an_error_in_a_nested_value_names_its_path(value: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_json(msgspec.json.encode(value), msgspec.json.Decoder(Strict), path="[3]")
    assert [error.field for error in caught.value.errors] == [field]
