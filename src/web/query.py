"""Query parameters, converted to their values, and required fields."""

import re
from typing import TypeVar

from errors import field_error
from mail.addresses import (
    MAX_ADDRESS_OCTETS,
    MAX_GIVEN_CHARACTERS,
    InvalidAddress,
    parse_address,
)

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAX_OFFSET = 2**53 - 1
_MAX_WORD_CHARACTERS = 100  # no word is as long, so a longer one is wrong also if it is cut off
_CURSOR = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def whole_number(text: str | None, name: str, default: int, minimum: int, maximum: int) -> int:
    """The number in ``text``, the parameter ``name``; ``default`` if the parameter is missing.

    :raises BadRequest: ``invalid_`` and ``name``: not a number, or out of range.
    """
    if text is None:
        return default
    # A longer number exceeds every maximum, and int() is slow for very long texts.
    number = int(text) if len(text) <= 16 and text.isascii() and text.isdigit() else -1
    if not minimum <= number <= maximum:
        raise field_error(f"invalid_{name}", name)
    return number


def limit_and_offset(query: dict[str, str]) -> tuple[int, int]:
    """The maximum number of rows of a page, and the number of rows before it.

    :raises BadRequest: ``invalid_limit`` or ``invalid_offset``.
    """
    limit = whole_number(query.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    return limit, whole_number(query.get("offset"), "offset", 0, 0, _MAX_OFFSET)


def cursor(text: str, offset: int) -> str | None:
    """The id that the next page follows; None for the newest page.

    :raises BadRequest: ``invalid_cursor`` or ``offset_with_cursor``.
    """
    if offset:
        raise field_error("offset_with_cursor", "offset")
    if text and not _CURSOR.fullmatch(text):
        raise field_error("invalid_cursor", "cursor")
    return text or None


def next_cursor(ids: list[str], limit: int) -> str | None:
    """The cursor of the next page; None if there is none.

    :param ids: those of the page, and of one row more, which tells whether another page follows.
    """
    return ids[limit - 1] if len(ids) > limit else None


def one_of(query: dict[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    """The parameter ``name``, one of ``words`` in any letter case; ``default`` if missing.

    :raises BadRequest: ``invalid_`` and ``name``.
    """
    word = query.get(name, "")[:_MAX_WORD_CHARACTERS].lower() or default
    if word not in words:
        raise field_error(f"invalid_{name}", name)
    return word


def comparable(text: str) -> str:
    """The form of a mail address in the database; invalid text in lower case, cut off."""
    try:
        return parse_address(text).key
    except InvalidAddress:
        return text[:MAX_GIVEN_CHARACTERS].strip()[: MAX_ADDRESS_OCTETS + 1].lower()


def address_filter(query: dict[str, str]) -> str | None:
    """The parameter ``address`` in the form of ``comparable``; None if it is missing."""
    return comparable(query.get("address", "")) or None


def required(value: T | None, field: str) -> T:
    """``value``, the content of ``field``.

    :raises BadRequest: ``required_field_missing``.
    """
    if not value:
        raise field_error("required_field_missing", field)
    return value
