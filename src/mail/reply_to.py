"""The mailbox for replies: the field ``reply_to``, or the header ``Reply-To``.

The provider accepts one mailbox. Clients write several, as a list or as one text with commas, and
some write the header in addition to the field or instead of it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from errors import BadRequest, FieldError, field_error
from mail.addresses import InvalidAddress, parse_address
from mail.characters import has_encoded_word
from mail.fields import Mailboxes, MailboxField
from mail.mailbox import (
    MAX_MAILBOX_CHARACTERS,
    InvalidName,
    display_name,
    member_of,
    parse_mailbox,
    split_mailbox,
)
from mail.message import Mailbox
from mail.scalars import Scalar, scalar_text

# The maximum number of mailboxes, including repeated ones.
MAX_REPLY_MAILBOXES = 1000

_HEADER = "reply-to"
# A text up to the next comma outside of quotes and angle brackets. Every character is read once.
_UP_TO_COMMA = re.compile(r'((?:"(?:[^"\\]|\\.)*+"?|<[^<>]*+>?|[^",<])*+)(?:,|\Z)', re.DOTALL)


Item = tuple[str, str | MailboxField]  # a mailbox, after the field that contains it


class ReplyTo(NamedTuple):
    """The mailbox for replies, None if there is none, and the headers without ``Reply-To``.

    ``ignored`` is the field with the further addresses; None if there are none.
    """

    mailbox: Mailbox | None
    headers: Mapping[str, Scalar]
    ignored: str | None


_NONE = ReplyTo(None, {}, None)


def read_reply_to(field: str, given: Mailboxes, headers: Mapping[str, Scalar]) -> ReplyTo:
    """The mailbox for replies in ``field``, or in the header ``Reply-To``.

    :raises BadRequest: ``invalid_reply_to``, a code of ``display_name``, ``reply_to_too_many``, or
        ``header_has_own_field`` if the header has another address than the field.
    """
    if given is None and not headers:
        return _NONE
    first, ignored = _first(field, _listed(field, given))
    named = [name for name in headers if len(name) == len(_HEADER) and name.lower() == _HEADER]
    for name in named:
        place = f"headers.{name}"
        # Some clients fold long values.
        value = scalar_text(headers[name]).replace("\r\n ", " ")
        in_header, ignored_here = _first(place, _parts(place, value), is_header=True)
        first, ignored = first or in_header, ignored or ignored_here
        if in_header is None or first is None or in_header.address.key != first.address.key:
            raise field_error("header_has_own_field", place, name=name, own_field=field)
    others = {name: value for name, value in headers.items() if name not in named}
    return ReplyTo(first, others if named else headers, ignored)


def _first(
    field: str, items: Iterator[Item], *, is_header: bool = False
) -> tuple[Mailbox | None, str | None]:
    """The first mailbox in ``items``, and ``field`` if they also have other addresses."""
    first, ignored = None, None
    for place, (path, item) in enumerate(items):
        mailbox = _mailbox(path, item, is_header=is_header)
        first = first or mailbox
        if mailbox.address.key != first.address.key:
            ignored = field
        if place >= MAX_REPLY_MAILBOXES:
            raise field_error("reply_to_too_many", field, limit=MAX_REPLY_MAILBOXES)
    return first, ignored


def _listed(field: str, given: Mailboxes) -> Iterator[Item]:
    if isinstance(given, list):
        for index, item in enumerate(given):
            yield from _parts(f"{field}[{index}]", item)
    elif given is not None:
        yield from _parts(field, given)


def _parts(path: str, item: str | MailboxField) -> Iterator[Item]:
    """The mailboxes in ``item``, which may be a text with commas."""
    if isinstance(item, MailboxField) or "," not in item or len(item) > MAX_MAILBOX_CHARACTERS:
        yield path, item
        return
    begin = ""
    for match in _UP_TO_COMMA.finditer(item):
        part = begin + match[1]
        # A comma before any address belongs to a name: Acme, Inc. <info@acme.example>
        begin = "" if "@" in part else f"{part},"
        if not begin:
            yield path, part
    if begin.strip(" ,") or "@" not in item:
        yield path, begin


def _mailbox(path: str, item: str | MailboxField, *, is_header: bool) -> Mailbox:
    try:
        if isinstance(item, MailboxField) or not is_header:
            return parse_mailbox(item)
        name, address = split_mailbox(item)
        if name and has_encoded_word(name):
            name = _decoded(name)
        return Mailbox(parse_address(address), display_name(name))
    except InvalidName as error:
        raise field_error(error.code, member_of(path, item, "name"), **error.values) from error
    except InvalidAddress as error:
        problem = FieldError(member_of(path, item, "email"), error.code, error.values)
        raise BadRequest("invalid_reply_to", errors=(problem,)) from error


def _decoded(name: str) -> str:
    """``name`` with its encoded words decoded; unchanged if that is not possible."""
    # Imported here: it imports much, and only the values of headers have encoded words.
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, ValueError):
        return name
