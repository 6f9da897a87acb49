"""Mailboxes: an address with a display name (RFC 5322, section 3.4, ``mailbox``)."""

import re

from mail.addresses import InvalidAddress, parse_address
from mail.characters import has_control, has_deceptive, has_encoded_word
from mail.fields import MailboxField
from mail.joiners import without_joiners
from mail.message import Mailbox

# Long enough for any real name.
MAX_NAME_CHARACTERS = 200

# The maximum length of a given mailbox, even with a quoted name and spaces. Longer texts are
# rejected without being parsed.
MAX_MAILBOX_CHARACTERS = 2000

# A quoted or plain name, and an address in angle brackets.
_NAME_ADDRESS = re.compile(
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)" *|(?P<plain>[^"<>]*+))<(?P<address>[^<>]*+)>', re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SEPARATOR = re.compile("[,;]")
# A display name that needs no quotes: atoms and spaces (RFC 5322, section 3.2.3).
_PLAIN_NAME = re.compile(r"[^()<>\[\]:;@\\,.\"]*")


class InvalidName(InvalidAddress):
    """The display name of a mailbox is invalid."""


def parse_mailbox(given: str | MailboxField) -> Mailbox:
    """Parse one mailbox: ``Name <address>``, ``"Name" <address>``, an address, or an object.

    :raises InvalidName: as ``display_name`` does.
    :raises InvalidAddress: with a code of ``parse_address``, with ``mailbox_too_long``, or with
        ``mailbox_list`` if the text seems to contain several mailboxes.
    """
    if isinstance(given, MailboxField):
        return Mailbox(parse_address(given.email), display_name(given.name))
    name, address = split_mailbox(given)
    return Mailbox(parse_address(address), display_name(name))


def split_mailbox(given: str) -> tuple[str | None, str]:
    """The name, None if there is none, and the address in ``given``; neither is checked.

    :raises InvalidAddress: with code ``mailbox_too_long`` or ``mailbox_list``.
    """
    if len(given) > MAX_MAILBOX_CHARACTERS:
        raise InvalidAddress("mailbox_too_long", limit=MAX_MAILBOX_CHARACTERS)
    match = _NAME_ADDRESS.fullmatch(given.strip(" "))
    if match:
        quoted = match["quoted"]
        if quoted is not None:
            return _QUOTED_PAIR.sub(r"\1", quoted), match["address"]
        name = match["plain"]
        # Some clients write the name `Acme, Inc.` without quotes. But an address before a comma
        # belongs to another mailbox.
        if "@" in name and _SEPARATOR.search(name):
            raise InvalidAddress("mailbox_list")
        return name, match["address"]
    if _SEPARATOR.search(given):
        raise InvalidAddress("mailbox_list")
    return None, given


def member_of(field: str, item: str | MailboxField, member: str) -> str:
    """The field to name in an error about ``member``, ``name`` or ``email``, of ``item``."""
    return f"{field}.{member}" if isinstance(item, MailboxField) else field


def display_name(given: str | None) -> str | None:
    """The name without surrounding spaces; None if it is empty.

    :raises InvalidName: with code ``display_name_has_control``, ``display_name_has_hidden``,
        ``display_name_has_encoded_word`` or ``display_name_too_long``.
    """
    if given is not None and len(given) > MAX_MAILBOX_CHARACTERS:
        raise InvalidName("display_name_too_long", limit=MAX_NAME_CHARACTERS)
    name = (given or "").strip(" ")
    if not name:
        return None
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidName("display_name_too_long", limit=MAX_NAME_CHARACTERS)
    if has_control(name):
        raise InvalidName("display_name_has_control")
    if has_deceptive(name) and has_deceptive(without_joiners(name)):
        raise InvalidName("display_name_has_hidden")
    if has_encoded_word(name):
        raise InvalidName("display_name_has_encoded_word")
    return name


def mailbox_text(address: str, name: str | None) -> str:
    """``Name <address>``, with the name in quotes if necessary (RFC 5322, section 3.4).

    >>> mailbox_text("a@example.com", "Doe, J")
    '"Doe, J" <a@example.com>'
    """
    if not name:
        return address
    if not _PLAIN_NAME.fullmatch(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{address}>"
