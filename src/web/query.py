"""Parse and check query parameters, and check that fields have a value."""

import re
from typing import TypeVar

from errors import field_error, invalid_input
from mail.addresses import comparable

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAX_OFFSET = 2**53 - 1
_MAX_WORD_CHARACTERS = 100  # valid words are shorter, so a word that is cut off is still invalid
_MAX_ID_CHARACTERS = 100  # of the ids in the cursors of Resend's API
_CURSOR = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def whole_number(text: str | None, name: str, default: int, minimum: int, maximum: int) -> int:
    """Parse ``text``, the value of the query parameter ``name``. None means ``default``.

    :raises BadRequest: for example ``invalid_limit`` if ``name`` is ``limit``: the value is not a
        whole number, or is out of range.
    """
    if text is None:
        return default
    # More than 16 digits exceed every maximum, and int() is slow for very long texts.
    number = int(text) if len(text) <= 16 and text.isascii() and text.isdigit() else -1
    if not minimum <= number <= maximum:
        raise field_error(f"invalid_{name}", name)
    return number


def page_limit(query: dict[str, str]) -> int:
    """The parameter ``limit``, the maximum number of rows.

    :raises BadRequest: ``invalid_limit``.
    """
    return whole_number(query.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def limit_and_offset(query: dict[str, str]) -> tuple[int, int]:
    """The parameters ``limit``, the maximum number of rows, and ``offset``, the rows to skip.

    :raises BadRequest: ``invalid_limit`` or ``invalid_offset``.
    """
    return page_limit(query), whole_number(query.get("offset"), "offset", 0, 0, _MAX_OFFSET)


def cursor(text: str, offset: int) -> str | None:
    """Check ``text``, the parameter ``cursor``: the id of the last row before the requested page.

    Return None for the first page, which has the newest rows.

    :param offset: the parameter ``offset``, which must be 0.
    :raises BadRequest: ``invalid_cursor`` or ``offset_with_cursor``.
    """
    if offset:
        raise field_error("offset_with_cursor", "offset")
    if text and not _CURSOR.fullmatch(text):
        raise field_error("invalid_cursor", "cursor")
    return text or None


def cursor_of_resend(query: dict[str, str], name: str) -> str | None:
    """The parameter ``name``: the id next to the requested page. None if it is missing.

    :raises BadRequest: ``invalid_cursor``: it is longer than every id.
    """
    given = query.get(name)
    if given is not None and len(given) > _MAX_ID_CHARACTERS:
        raise field_error("invalid_cursor", name)
    return given


def after_and_before(query: dict[str, str]) -> tuple[str | None, str | None]:
    """The parameters ``after`` and ``before``. At most one of them is not None.

    :raises InvalidInput: ``two_cursors``. :raises BadRequest: ``invalid_cursor``.
    """
    if "after" in query and "before" in query:
        raise invalid_input("two_cursors", "before")
    return cursor_of_resend(query, "after"), cursor_of_resend(query, "before")


def next_cursor(ids: list[str], limit: int) -> str | None:
    """The cursor of the next page; None if there is none.

    :param ids: the ids of the page's rows and, if there are more rows, of the next row.
    """
    return ids[limit - 1] if len(ids) > limit else None


def one_of(query: dict[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    """The parameter ``name`` in lower case; ``default`` if it is missing or empty.

    :raises BadRequest: for example ``invalid_sort_by`` if ``name`` is ``sort_by``: the value is not
        one of ``words``.
    """
    word = query.get(name, "")[:_MAX_WORD_CHARACTERS].lower() or default
    if word not in words:
        raise field_error(f"invalid_{name}", name)
    return word


def address_filter(query: dict[str, str]) -> str | None:
    """The parameter ``address``, converted by ``comparable``; None if it is missing or empty."""
    return comparable(query.get("address", "")) or None


def required(value: T | None, field: str) -> T:
    """Return ``value``, the value of ``field``, which must not be None or empty.

    :raises BadRequest: ``required_field_missing``.
    """
    if not value:
        raise field_error("required_field_missing", field)
    return value
