"""JSON bodies: decode them into typed structs, and name the field in errors."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from errors import BadRequest, FieldError, InvalidInput, invalid_input
from web.request import Request

T = TypeVar("T")

# No request needs more than 10 levels. Python in the runtime does not detect a stack overflow: deep
# recursion crashes the Worker, so the depth is checked before decoding.
_MAX_DEPTH = 100

# Limits the memory: a decoded object or list needs many times the memory of its JSON text. The
# largest valid request, a full batch of emails, has some 20,000 objects and lists.
_MAX_OBJECTS = 50_000

# Also matches an unterminated string, so every byte is scanned only once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_AT_FIELD = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)
# If a field is missing or unknown, the path in msgspec's error is that of the object around it.
# Only the text of the error names the field.
_OF_MEMBER = re.compile(
    r"Object (?P<problem>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL
)
_MEMBER_CODES = {"contains unknown": "unknown_field", "missing required": "required_field_missing"}
_MAX_NAME_CHARACTERS = 100  # longer names of unknown fields are cut off in errors

# The decoder of a type, made when it is first needed.
decoder_of: Callable[[Any], Any] = cache(msgspec.json.Decoder)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body of ``request`` as ``kind``.

    :raises UnsupportedMediaType, PayloadTooLarge: as ``Request.json_body`` does.
    :raises BadRequest: ``malformed_json``, or ``body_unreadable`` as ``Request.body`` does.
    :raises InvalidInput: the body or a field has the wrong type, or a field is unknown or missing.
    """
    decoder: msgspec.json.Decoder[T] = decoder_of(kind)
    return decode_json(await request.json_body(), decoder)


def decode_json(body: bytes, decoder: msgspec.json.Decoder[T], *, path: str = "") -> T:
    """``body``, decoded by ``decoder``.

    :param path: the path of ``body`` in the request, like ``[3]``: the prefix of fields in errors.
    :raises BadRequest, InvalidInput: as ``read_json`` does.
    """
    _check_nesting(body)
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            _check_json(body)  # invalid JSON takes precedence
            raise _invalid(str(error), path) from error
    except UnicodeDecodeError as error:
        raise BadRequest("malformed_json", problem="it is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise BadRequest("malformed_json", problem=_without_prefix(str(error))) from error


def convert(value: Any, kind: type[T]) -> T:
    """A decoded JSON value as ``kind``.

    :raises InvalidInput: the value or a field has the wrong type.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


def _check_json(body: bytes) -> None:
    # Decoding to Raw checks the syntax without making Python objects.
    msgspec.json.decode(body, type=msgspec.Raw)
    str(body, "utf-8")


def _invalid(problem: str, path: str = "") -> InvalidInput:
    match = _AT_FIELD.fullmatch(problem)
    field = ".".join(filter(None, (path, match["field"] if match else "")))
    text = match["problem"] if match else problem
    member = _OF_MEMBER.fullmatch(text)
    if member:
        field = ".".join(filter(None, (field, member["name"][:_MAX_NAME_CHARACTERS])))
        return invalid_input(_MEMBER_CODES[member["problem"]], field)
    text = text.replace("`", "")
    error = FieldError(field, "invalid_field", {"problem": text})
    return InvalidInput("invalid_input", errors=(error,), field=field or "(body)", problem=text)


def _check_nesting(body: bytes) -> None:
    # Brackets in strings don't nest. Strings are removed only if there are many brackets.
    if body.count(b"{") + body.count(b"[") <= _MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", body).translate(_SQUARE, _NO_BRACKETS)
    if brackets.count(b"[") > _MAX_OBJECTS:
        raise BadRequest("malformed_json", problem="it has too many objects and lists")
    for _ in range(_MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # the innermost pairs
        if not brackets:
            return
    # The remaining brackets are too deep or never closed. Unclosed brackets count as nested.
    if b"[]" in brackets or brackets.count(b"[") > _MAX_DEPTH:
        raise BadRequest("malformed_json", problem="it is nested too deeply")


def _without_prefix(problem: str) -> str:
    return problem.removeprefix("JSON is malformed: ")
