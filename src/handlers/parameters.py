"""Parameters of the query, as the values that they stand for, and fields that must be there."""

import re
from typing import TypeVar

from mail.address import MAX_ADDRESS_OCTETS, InvalidAddress, parse_address
from refusals import BadRequest, FieldError

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAX_OFFSET = 2**53 - 1
_CURSOR = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def whole_number(text: str | None, name: str, default: int, minimum: int, maximum: int) -> int:
    """The number that ``text`` says, ``default`` where the parameter ``name`` is missing.

    :raises BadRequest: ``invalid_`` and ``name``, where it is none, or out of its range.
    """
    if text is None:
        return default
    # A longer one is over every maximum, and int() takes its time over very long ones.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else -1
    if not minimum <= number <= maximum:
        raise BadRequest(f"invalid_{name}", errors=(FieldError(name, f"invalid_{name}"),))
    return number


def limit_and_offset(query: dict[str, str]) -> tuple[int, int]:
    """How many rows a page has at most, and how many stand before it.

    :raises BadRequest: ``invalid_limit`` or ``invalid_offset``.
    """
    limit = whole_number(query.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    return limit, whole_number(query.get("offset"), "offset", 0, 0, _MAX_OFFSET)


def cursor(text: str, offset: int) -> str | None:
    """The id of the last row that was seen; None for the newest page.

    :raises BadRequest: ``invalid_cursor`` or ``offset_with_cursor``.
    """
    if offset:
        raise BadRequest("offset_with_cursor", errors=(FieldError("offset", "offset_with_cursor"),))
    if text and not _CURSOR.fullmatch(text):
        raise BadRequest("invalid_cursor", errors=(FieldError("cursor", "invalid_cursor"),))
    return text or None


def one_of(query: dict[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    """The parameter ``name``, which is one of ``words`` in any case; ``default`` without it.

    :raises BadRequest: ``invalid_`` and ``name``.
    """
    word = query.get(name, "").lower() or default
    if word not in words:
        raise BadRequest(f"invalid_{name}", errors=(FieldError(name, f"invalid_{name}"),))
    return word


def comparable(text: str) -> str:
    """A mail address as the database has it; of what is none, as much as tells that it is none."""
    try:
        return parse_address(text).key
    except InvalidAddress:
        return text.strip()[: MAX_ADDRESS_OCTETS + 1].lower()


def address_filter(query: dict[str, str]) -> str | None:
    """The parameter ``address`` as ``comparable`` gives it, or None without one."""
    return comparable(query.get("address", "")) or None


def required(value: T | None, field: str) -> T:
    """``value``, the content of ``field``.

    :raises BadRequest: ``required_field_missing``, where there is none.
    """
    if not value:
        missing = FieldError(field, "required_field_missing")
        raise BadRequest("required_field_missing", errors=(missing,))
    return value
