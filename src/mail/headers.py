"""Custom header fields: which the mail provider takes, by its page on email headers.

It refuses a mail with any other, after the call; so all of its rules are checked before.
"""

import re

from mail.characters import has_control
from mail.faults import fault
from mail.message import Header

MAX_HEADERS = 20  # those that are not X-
MAX_NAME_BYTES = 100
MAX_VALUE_BYTES = 2048
MAX_TOTAL_BYTES = 16 * 1024  # of "Name: value" with their line ends, over all headers

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
    }
)
# What has a field of its own in a request.
_OWN_FIELD = {
    "bcc": "bcc",
    "cc": "cc",
    "from": "from_name",
    "reply-to": "reply_to",
    "subject": "subject",
    "to": "to",
}
_NAME = re.compile("(?![Xx]-)[A-Za-z0-9-]+|[Xx]-[A-Za-z0-9_-]+")
# RFC 2369, section 2: URIs in angle brackets, of which the provider takes these two kinds.
_URI = r"<(?:https://|mailto:)[^<>\s]++>"
_LIST_UNSUBSCRIBE = re.compile(rf"{_URI}(?: *, *{_URI})*+", re.IGNORECASE)
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.1


def read_headers(given: dict[str, str] | None) -> tuple[Header, ...]:
    """The headers, in their order and as they are written.

    :raises BadRequest: with a code that begins with ``header`` or ``list_unsubscribe``; the field
        is ``headers.`` and the header's name.
    """
    found: dict[str, Header] = {}
    total = others = 0
    for name, value in (given or {}).items():
        key = _checked_name(name)
        field = f"headers.{name}"
        size = _checked_value(field, name, value)
        if key in found:
            raise fault("header_repeated", field, name=name)
        found[key] = Header(name, value)
        total += len(name) + len(": ") + size + len("\r\n")
        if total > MAX_TOTAL_BYTES:
            raise fault("headers_too_large", "headers", limit=MAX_TOTAL_BYTES)
        others += not key.startswith("x-")
        if others > MAX_HEADERS:
            raise fault("headers_too_many", "headers", limit=MAX_HEADERS)
    _check_list_unsubscribe(found)
    return tuple(found.values())


def _checked_name(name: str) -> str:
    shown = name[:MAX_NAME_BYTES]
    field = f"headers.{shown}"
    if len(name) > MAX_NAME_BYTES or _NAME.fullmatch(name) is None:
        raise fault("header_name_invalid", field, name=shown, limit=MAX_NAME_BYTES)
    key = name.lower()
    own_field = _OWN_FIELD.get(key)
    if own_field:
        raise fault("header_has_own_field", field, name=name, own_field=own_field)
    if key not in _ALLOWED and not key.startswith("x-"):
        raise fault("header_not_allowed", field, name=name)
    return key


def _checked_value(field: str, name: str, value: str) -> int:
    if not value.strip():
        raise fault("header_value_empty", field, name=name)
    if has_control(value):
        raise fault("header_value_has_control", field, name=name)
    size = len(value.encode())
    if size > MAX_VALUE_BYTES:
        raise fault("header_value_too_long", field, name=name, limit=MAX_VALUE_BYTES)
    return size


def _check_list_unsubscribe(found: dict[str, Header]) -> None:
    unsubscribe = found.get("list-unsubscribe")
    if unsubscribe and _LIST_UNSUBSCRIBE.fullmatch(unsubscribe.value) is None:
        raise fault("list_unsubscribe_invalid", f"headers.{unsubscribe.name}")
    post = found.get("list-unsubscribe-post")
    if post and (
        post.value != _ONE_CLICK
        or unsubscribe is None
        or "<https://" not in unsubscribe.value.lower()
    ):
        raise fault("list_unsubscribe_post_invalid", f"headers.{post.name}")
