"""Who gets a mail, and who gets the answers to it."""

from collections.abc import Iterator

from mail.address import Address, InvalidAddress, parse_address
from mail.faults import fault
from mail.fields import Mailboxes, MailboxField
from mail.limits import MAX_RECIPIENTS
from mail.mailbox import InvalidName, parse_mailbox
from mail.message import Mailbox, Recipient, RecipientKind
from refusals import BadRequest, FieldError

# A list may name an address again and again; it is not read for ever.
_MAX_LISTED = 1000


def one_recipient(field: str, text: str) -> Address:
    """The address in ``text``, which stands in ``field``.

    :raises BadRequest: ``invalid_recipient``.
    """
    try:
        return parse_address(text)
    except InvalidAddress as error:
        raise invalid_recipient(field, error.code) from error


def invalid_recipient(field: str, problem: str) -> BadRequest:
    """The refusal of what stands in ``field``; ``problem`` is the sentence that says why."""
    sentence = (
        "recipient_local_part_not_ascii"
        if problem == "address_local_part_not_ascii"
        else "invalid_recipient"
    )
    errors = (FieldError(field, problem),)
    return BadRequest("invalid_recipient", sentence=sentence, errors=errors)


def all_recipients(
    first: Recipient | None, *, to: Mailboxes, cc: Mailboxes, bcc: Mailboxes, path: str
) -> tuple[Recipient, ...]:
    """``first`` and all of the lists, each address once, where it stands first.

    :param path: where in the request the lists stand.

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
                raise fault("too_many_recipients", kind, limit=MAX_RECIPIENTS)
    return tuple(found.values())


def reply_mailbox(given: Mailboxes) -> Mailbox | None:
    """The one mailbox that ``reply_to`` names; the provider takes no more.

    :raises BadRequest: ``invalid_reply_to``, a code of ``display_name``, or ``reply_to_too_many``.
    """
    found: Mailbox | None = None
    for place, (field, item) in enumerate(_listed("reply_to", given)):
        try:
            mailbox = parse_mailbox(item)
        except InvalidName as error:
            raise _invalid_name(field, item, error) from error
        except InvalidAddress as error:
            problem = FieldError(_inside(field, item, "email"), error.code)
            raise BadRequest("invalid_reply_to", errors=(problem,)) from error
        found = found or mailbox
        if mailbox.address.key != found.address.key or place >= _MAX_LISTED:
            raise fault("reply_to_too_many", "reply_to")
    return found


def _listed(field: str, given: Mailboxes) -> Iterator[tuple[str, str | MailboxField]]:
    if isinstance(given, list):
        yield from ((f"{field}[{index}]", item) for index, item in enumerate(given))
    elif given is not None:
        yield field, given


def _recipient(field: str, item: str | MailboxField) -> Mailbox:
    try:
        return parse_mailbox(item)
    except InvalidName as error:
        raise _invalid_name(field, item, error) from error
    except InvalidAddress as error:
        raise invalid_recipient(_inside(field, item, "email"), error.code) from error


def _invalid_name(field: str, item: str | MailboxField, error: InvalidName) -> BadRequest:
    return fault(error.code, _inside(field, item, "name"), **error.values)


def _inside(field: str, item: str | MailboxField, member: str) -> str:
    return f"{field}.{member}" if isinstance(item, MailboxField) else field
