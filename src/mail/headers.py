"""Validation of custom header fields, by the rules in the provider's documentation of headers.

The provider reports an invalid header only when it is called. So all of its rules are checked
before a message is stored.
"""

import re
from collections.abc import Mapping

from errors import field_error
from mail.characters import has_control
from mail.message import Header
from mail.scalars import Scalar, scalar_text

MAX_HEADERS = 20  # not counting X- headers
MAX_NAME_BYTES = 100
MAX_VALUE_BYTES = 2048
MAX_TOTAL_BYTES = 16 * 1024  # of all "Name: value" lines with their line ends

_ALLOWED = frozenset(
    {
        "archived-at",
        "auto-submitted",
        "comments",
        "content-language",
        "expires",
        "importance",
        "in-reply-to",
        "keywords",
        "list-archive",
        "list-help",
        "list-id",
        "list-owner",
        "list-post",
        "list-subscribe",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "organization",
        "precedence",
        "priority",
        "references",
        "reply-by",
        "require-recipient-valid-since",
        "sensitivity",
        "thread-index",
        "thread-topic",
    }
)
# The only values that the provider accepts in these headers.
_VALUES = {
    "auto-submitted": ("auto-generated", "auto-replied", "auto-notified"),
    "importance": ("high", "normal", "low"),
    "precedence": ("bulk", "list", "junk"),
    "priority": ("normal", "non-urgent", "urgent"),
    "sensitivity": ("personal", "private", "company-confidential"),
}
# The request has a separate field for each of these headers. _OTHER_NAME has the name of the field
# if it differs from the name of the header.
_HAS_OWN_FIELD = frozenset({"bcc", "cc", "from", "reply-to", "subject", "to"})
_OTHER_NAME = {"from": "from_name"}
_NAME = re.compile("(?![Xx]-)[A-Za-z0-9-]+|[Xx]-[A-Za-z0-9_-]+")
# URIs in angle brackets (RFC 2369, section 2). The provider accepts only these two schemes.
_URI = r"<(?:https://|mailto:)[^<>\s]++>"
_LIST_UNSUBSCRIBE = re.compile(rf"{_URI}(?: *, *{_URI})*+", re.IGNORECASE)
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.1


def read_headers(given: Mapping[str, Scalar]) -> tuple[Header, ...]:
    """Validate the headers of a request; return them in the given order, with texts as values.

    :raises BadRequest: with a code that begins with ``header`` or ``list_unsubscribe``. Its field
        is ``headers``, or ``headers.`` followed by the name of the header.
    """
    found: dict[str, Header] = {}
    total = others = 0
    for name, scalar in given.items():
        key = _checked_name(name)
        field, value = f"headers.{name}", scalar_text(scalar)
        size = _checked_value(field, name, value)
        if key in _VALUES and value not in _VALUES[key]:
            accepted = ", ".join(_VALUES[key])
            raise field_error("header_value_not_accepted", field, name=name, accepted=accepted)
        if key in found:
            raise field_error("header_repeated", field, name=name)
        found[key] = Header(name, value)
        total += len(name) + len(": ") + size + len("\r\n")
        if total > MAX_TOTAL_BYTES:
            raise field_error("headers_too_large", "headers", limit=MAX_TOTAL_BYTES)
        others += not key.startswith("x-")
        if others > MAX_HEADERS:
            raise field_error("headers_too_many", "headers", limit=MAX_HEADERS)
    _check_list_unsubscribe(found)
    return tuple(found.values())


def _checked_name(name: str) -> str:
    short = name[:MAX_NAME_BYTES]
    field = f"headers.{short}"
    if len(name) > MAX_NAME_BYTES or _NAME.fullmatch(name) is None:
        raise field_error("header_name_invalid", field, name=short, limit=MAX_NAME_BYTES)
    key = name.lower()
    if key in _HAS_OWN_FIELD:
        own_field = _OTHER_NAME.get(key, key.replace("-", "_"))
        raise field_error("header_has_own_field", field, name=name, own_field=own_field)
    if key not in _ALLOWED and not key.startswith("x-"):
        raise field_error("header_not_allowed", field, name=name)
    return key


def _checked_value(field: str, name: str, value: str) -> int:
    # A character has at least one byte, so this check also bounds the work of the next checks.
    if len(value) > MAX_VALUE_BYTES:
        raise field_error("header_value_too_long", field, name=name, limit=MAX_VALUE_BYTES)
    if not value.strip():
        raise field_error("header_value_empty", field, name=name)
    if has_control(value):
        raise field_error("header_value_has_control", field, name=name)
    size = len(value.encode())
    if size > MAX_VALUE_BYTES:
        raise field_error("header_value_too_long", field, name=name, limit=MAX_VALUE_BYTES)
    return size


def _check_list_unsubscribe(found: dict[str, Header]) -> None:
    unsubscribe = found.get("list-unsubscribe")
    if unsubscribe and _LIST_UNSUBSCRIBE.fullmatch(unsubscribe.value) is None:
        raise field_error("list_unsubscribe_invalid", f"headers.{unsubscribe.name}")
    post = found.get("list-unsubscribe-post")
    if post and (
        post.value != _ONE_CLICK
        or unsubscribe is None
        or "<https://" not in unsubscribe.value.lower()
    ):
        raise field_error("list_unsubscribe_post_invalid", f"headers.{post.name}")
