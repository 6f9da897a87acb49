"""The recipients of a mail."""

from collections.abc import Iterator

from errors import BadRequest, FieldError, field_error
from mail.addresses import Address, InvalidAddress, parse_address
from mail.fields import Mailboxes, MailboxField
from mail.limits import MAX_RECIPIENTS
from mail.mailbox import InvalidName, member_of, parse_mailbox
from mail.message import Mailbox, Recipient, RecipientKind

# The maximum number of entries in each list of recipients, including repeated addresses.
_MAX_LISTED = 1000


def one_recipient(field: str, text: str) -> Address:
    """The address in ``text``, the value of ``field``.

    :raises BadRequest: ``invalid_recipient``.
    """
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise invalid_recipient(field, error) from error


def invalid_recipient(field: str, error: InvalidAddress) -> BadRequest:
    """The error for an invalid address in ``field``."""
    sentence = (
        "recipient_local_part_not_ascii"
        if error.code == "address_local_part_not_ascii"
        else "invalid_recipient"
    )
    errors = (FieldError(field, error.code, error.values),)
    return BadRequest("invalid_recipient", sentence=sentence, errors=errors)


def all_recipients(
    first: Recipient | None, *, to: Mailboxes, cc: Mailboxes, bcc: Mailboxes, path: str
) -> tuple[Recipient, ...]:
    """``first`` and the recipients in the lists, each address only once.

    :param path: the prefix of the lists in the request, like ``[3].``.

    :raises BadRequest: ``invalid_recipient``, a code of ``display_name``, or
        ``too_many_recipients``.
    """
    found = {first.address.key: first} if first else {}
    lists: tuple[tuple[RecipientKind, Mailboxes], ...] = (("to", to), ("cc", cc), ("bcc", bcc))
    for kind, given in lists:
        for place, (field, item) in enumerate(_listed(kind, given)):
            mailbox = _recipient(field, item)
            recipient = Recipient(kind, mailbox.address, mailbox.name, path + field)
            found.setdefault(mailbox.address.key, recipient)
            if len(found) > MAX_RECIPIENTS or place >= _MAX_LISTED:
                raise field_error("too_many_recipients", kind, limit=MAX_RECIPIENTS)
    return tuple(found.values())


def _listed(field: str, given: Mailboxes) -> Iterator[tuple[str, str | MailboxField]]:
    if isinstance(given, list):
        yield from ((f"{field}[{index}]", item) for index, item in enumerate(given))
    elif given is not None:
        yield field, given


def _recipient(field: str, item: str | MailboxField) -> Mailbox:
    try:
        return parse_mailbox(item)
    except InvalidName as error:
        raise field_error(error.code, member_of(field, item, "name"), **error.values) from error
    except InvalidAddress as error:
        raise invalid_recipient(member_of(field, item, "email"), error) from error
