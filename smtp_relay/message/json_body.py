"""The JSON of a request, written piece by piece.

For a text full of control characters, ``json.dumps`` needs up to 50 times the memory of the text.
"""

from json.encoder import encode_basestring
from typing import Any

from smtp_relay.message.errors import TooLarge

MAX_BYTES = 10 * 1024 * 1024  # the API accepts no larger request

_PIECE_CHARACTERS = 64 * 1024


def json_body(fields: dict[str, Any]) -> bytes:
    """The same JSON as ``json.dumps(fields, ensure_ascii=False)`` writes, in UTF-8.

    The values in ``fields`` are only texts, lists and dictionaries.

    :raises TooLarge: the JSON is larger than the API accepts.
    """
    written = bytearray()
    _write(written, fields)
    return bytes(written)


def _write(written: bytearray, value: str | list[Any] | dict[str, Any]) -> None:
    if isinstance(value, str):
        _write_text(written, value)
    elif isinstance(value, dict):
        for index, (name, item) in enumerate(value.items()):
            written += b", " if index else b"{"
            _write_text(written, name)
            written += b": "
            _write(written, item)
        written += b"}" if value else b"{}"
    else:
        for index, item in enumerate(value):
            written += b", " if index else b"["
            _write(written, item)
        written += b"]" if value else b"[]"


def _write_text(written: bytearray, text: str) -> None:
    written += b'"'
    for start in range(0, len(text), _PIECE_CHARACTERS):
        piece = encode_basestring(text[start : start + _PIECE_CHARACTERS])
        written += piece.encode()[1:-1]
        if len(written) > MAX_BYTES:
            raise TooLarge(f"The message is too large for the API (max {MAX_BYTES} bytes of JSON)")
    written += b'"'
