"""JSON bodies: decoding into typed structs, with the invalid fields named for the client."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from errors import BadRequest, FieldError, InvalidInput, invalid_input
from web.request import Request

T = TypeVar("T")

# No request needs a tenth of this depth. Python in the runtime does not detect a stack overflow:
# deep recursion crashes the Worker, so the depth is checked before decoding.
_MAX_DEPTH = 100

# Limits the memory: a decoded object, list or text needs many times the memory of its JSON. The
# largest valid request, a full batch of emails, has some 20,000 objects and 50,000 texts, the
# names of fields included.
_MAX_OBJECTS = 50_000
_MAX_TEXTS = 100_000

# What comes next: a text, or an opening or closing bracket. A text may be unterminated and the rest
# may have none of these, so every byte is scanned only once.
_NEXT = re.compile(rb'[^"\[\]{}]*+(?:("(?:[^"\\]++|\\.)*+"?)|([\[{])|([\]}])|\Z)', re.DOTALL)
_TEXT, _OPENING, _CLOSING = 1, 2, 3

# For a missing or unknown field msgspec gives the path of the object around it; only the text
# names the field.
_OF_MEMBER = re.compile(
    r"Object (?P<problem>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL
)
# Most of an error's text can be a name or a value of the client. The path is at its end.
_MAX_PROBLEM_CHARACTERS = 400
_MEMBER_CODES = {"contains unknown": "unknown_field", "missing required": "required_field_missing"}
_MAX_NAME_CHARACTERS = 100  # of an unknown member, in an error

# The decoder of a type, made at its first use.
decoder_of: Callable[[Any], Any] = cache(msgspec.json.Decoder)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body of ``request`` as ``kind``.

    :raises UnsupportedMediaType, PayloadTooLarge: as ``Request.json_body`` does.
    :raises BadRequest: ``malformed_json``.
    :raises InvalidInput: a field has the wrong type, or the body is not an object.
    """
    decoder: msgspec.json.Decoder[T] = decoder_of(kind)
    return decode_json(await request.json_body(), decoder)


async def read_optional_json(request: Request, kind: type[T]) -> T:
    """As ``read_json``; a request without a body is one with an empty object."""
    decoder: msgspec.json.Decoder[T] = decoder_of(kind)
    return decode_json(await request.optional_json_body() or b"{}", decoder)


def decode_json(body: bytes, decoder: msgspec.json.Decoder[T], *, path: str = "") -> T:
    """``body`` as ``decoder``'s type; raises as ``read_json`` does.

    :param path: the path of the value, like ``[3]``. It prefixes the names of invalid fields.
    """
    _check_structure(body)
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


def _check_json(body: bytes) -> None:
    # Makes no Python values: ten megabytes of brackets would be too many.
    msgspec.json.decode(body, type=msgspec.Raw)
    str(body, "utf-8")


def _invalid(problem: str, path: str = "") -> InvalidInput:
    if len(problem) > _MAX_PROBLEM_CHARACTERS:
        half = _MAX_PROBLEM_CHARACTERS // 2
        problem = problem[:half] + problem[-half:]
    text, at, place = problem.rpartition(" - at `$")
    text, place = (text, place.removeprefix(".").removesuffix("`")) if at else (problem, "")
    field = ".".join(filter(None, (path, place)))
    member = _OF_MEMBER.fullmatch(text)
    if member:
        field = ".".join(filter(None, (field, member["name"][:_MAX_NAME_CHARACTERS])))
        return invalid_input(_MEMBER_CODES[member["problem"]], field)
    text = text.replace("`", "")
    error = FieldError(field, "invalid_field", {"problem": text})
    return InvalidInput("invalid_input", errors=(error,), field=field or "(body)", problem=text)


def _check_structure(body: bytes) -> None:
    """Check the depth of ``body`` and how much is in it, in linear time and without a copy."""
    # Quotes in texts count here as well, so this is only a first look; it decides most bodies.
    if body.count(b"{") + body.count(b"[") <= _MAX_DEPTH and body.count(b'"') <= _MAX_TEXTS:
        return
    depth = objects = texts = 0
    for match in _NEXT.finditer(body):
        if match.lastindex == _TEXT:
            texts += 1
        elif match.lastindex == _OPENING:
            objects += 1
            depth += 1
            if depth > _MAX_DEPTH:
                raise BadRequest("malformed_json", problem="it is nested too deeply")
        elif match.lastindex == _CLOSING:
            depth -= 1
            if depth < 0:  # the decoder gets no further
                return
        if objects > _MAX_OBJECTS:
            raise BadRequest("malformed_json", problem="it has too many objects and lists")
        if texts > _MAX_TEXTS:
            raise BadRequest("malformed_json", problem="it has too many texts")


def _without_prefix(problem: str) -> str:
    return problem.removeprefix("JSON is malformed: ")
