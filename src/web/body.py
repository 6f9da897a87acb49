"""JSON bodies: decode them into typed structs, and name the field in errors."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from errors import BadRequest, FieldError, InvalidInput, PayloadTooLarge, invalid_input
from web.request import Request

T = TypeVar("T")

# No request needs more than 10 levels. Python in the runtime does not detect a stack overflow: deep
# recursion crashes the Worker, so the depth is checked before decoding.
_MAX_DEPTH = 100

# Limits the memory: a decoded object, list or string needs many times the memory of its JSON text.
# The largest valid request, a full batch of emails, has some 20,000 objects and lists and 50,000
# strings, including the names of fields.
_MAX_OBJECTS = 50_000
_MAX_TEXTS = 100_000

# Matches up to and including the next string or bracket, or up to the end. It also matches an
# unterminated string, so every byte is scanned only once.
_NEXT = re.compile(rb'[^"\[\]{}]*+(?:("(?:[^"\\]++|\\.)*+"?)|([\[{])|([\]}])|\Z)', re.DOTALL)
_TEXT, _OPENING, _CLOSING = 1, 2, 3

# PHP writes an empty object as an empty list.
_EMPTY_LIST = re.compile(rb"\[\s*+\]")

# If a field is missing or unknown, the path in msgspec's error is that of the object around it.
# Only the text of the error names the field.
_OF_MEMBER = re.compile(
    r"Object (?P<problem>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL
)
# The middle of longer error texts is cut out: a name or a value of the client can make them long.
# The end is kept, because it has the path of the field.
_MAX_PROBLEM_CHARACTERS = 400
_MEMBER_CODES = {"contains unknown": "unknown_field", "missing required": "required_field_missing"}
_MAX_NAME_CHARACTERS = 100  # longer names of unknown fields are cut off in errors

# The decoder of a type, made when it is first needed.
decoder_of: Callable[[Any], Any] = cache(msgspec.json.Decoder)


async def read_json(request: Request, kind: type[T]) -> T:
    """The body of ``request`` as ``kind``.

    :raises UnsupportedMediaType: as ``Request.json_body`` does.
    :raises PayloadTooLarge: ``body_too_complex``: the body has too many objects, lists or strings;
        also as ``Request.json_body`` does.
    :raises BadRequest: ``malformed_json``, or ``body_unreadable`` as ``Request.body`` does.
    :raises InvalidInput: the body or a field has the wrong type, or a field is unknown or missing.
    """
    decoder: msgspec.json.Decoder[T] = decoder_of(kind)
    return decode_json(await request.json_body(), decoder)


async def read_optional_json(request: Request, kind: type[T]) -> T:
    """Like ``read_json``, but a missing body or an empty list is read as an empty object."""
    decoder: msgspec.json.Decoder[T] = decoder_of(kind)
    body = await request.optional_json_body()
    return decode_json(b"{}" if not body or _EMPTY_LIST.fullmatch(body) else body, decoder)


def decode_json(body: bytes, decoder: msgspec.json.Decoder[T], *, path: str = "") -> T:
    """``body``, decoded by ``decoder``.

    :param path: the path of ``body`` in the request, like ``[3]``: the prefix of fields in errors.
    :raises BadRequest, PayloadTooLarge, InvalidInput: as ``read_json`` does.
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
    # Decoding to Raw checks the syntax without making Python objects.
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
    """Check the depth of ``body`` and its numbers of objects, lists and strings.

    This takes linear time and makes no copy of ``body``.

    :raises BadRequest: ``malformed_json``: it is nested too deeply.
    :raises PayloadTooLarge: ``body_too_complex``.
    """
    # These counts include brackets and quotes within strings, so they are never too small. Most
    # bodies need no other check.
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
            if depth < 0:  # not JSON: the decoder stops here or earlier
                return
        if objects > _MAX_OBJECTS or texts > _MAX_TEXTS:
            raise PayloadTooLarge("body_too_complex", objects=_MAX_OBJECTS, texts=_MAX_TEXTS)


def _without_prefix(problem: str) -> str:
    return problem.removeprefix("JSON is malformed: ")
