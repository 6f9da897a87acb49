"""JSON bodies into typed structs, every fault named for the client."""

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from refusals import BadRequest, FieldError, InvalidInput

if TYPE_CHECKING:  # so that this runs, and is tested, in any Python
    from runtime.request import Request

T = TypeVar("T")

# No request needs a tenth of it. Python in the runtime does not notice when deep recursion uses
# up the stack: the whole worker dies of it, so depth is checked before anything is decoded.
_MAX_DEPTH = 100

# Also matches a string that does not end, so that no byte is looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_AT_FIELD = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)


async def read_json(request: "Request", decoder: msgspec.json.Decoder[T]) -> T:
    """The body of ``request`` as ``decoder``'s type.

    :raises UnsupportedMediaType, PayloadTooLarge: as ``Request.json_body`` does.
    :raises BadRequest: ``malformed_json``.
    :raises InvalidInput: a field has the wrong type, or the whole is not an object.
    """
    return decode_json(await request.json_body(), decoder)


def decode_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """``body`` as ``decoder``'s type; raises as ``read_json`` does."""
    _check_depth(body)
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            msgspec.json.decode(body)  # of two faults, bad JSON is the one to report
            raise _invalid(str(error)) from error
    except UnicodeDecodeError as error:
        raise BadRequest("malformed_json", problem="it is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise BadRequest("malformed_json", problem=_without_prefix(str(error))) from error


def convert(value: Any, kind: type[T]) -> T:
    """A decoded JSON value as ``kind``.

    :raises InvalidInput: a field has the wrong type, or the whole is not an object.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


def _invalid(problem: str) -> InvalidInput:
    match = _AT_FIELD.fullmatch(problem)
    field = match["field"] if match else ""
    text = (match["problem"] if match else problem).replace("`", "")
    error = FieldError(field, "invalid_field", {"problem": text})
    return InvalidInput("invalid_input", errors=(error,), field=field or "(body)", problem=text)


def _check_depth(body: bytes) -> None:
    # Brackets in strings don't nest; they are looked for only where there are many brackets.
    if body.count(b"{") + body.count(b"[") <= _MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise BadRequest("malformed_json", problem="it is nested too deeply")


def _without_prefix(problem: str) -> str:
    return problem.removeprefix("JSON is malformed: ")
