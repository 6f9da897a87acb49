"""Rules for From, Sender and Reply-To. The credential determines the address of the sender."""

from dataclasses import dataclass

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.mailboxes import Mailbox, mailboxes_of, read_mailboxes
from smtp_relay.message.rules.headers import Header, header_of
from smtp_relay.message.rules.names import display_name, sender_name

ORIGINAL_FROM = "X-Original-From"


@dataclass(frozen=True, slots=True)
class Originators:
    """The display name, the address for replies, and ``headers`` to add to those of the message."""

    from_name: str | None
    reply_to: Mailbox | None
    headers: list[Header]


def read_originators(message: Entity, sender: str) -> Originators:
    """The originators of ``message``, which the credential of ``sender`` sends.

    :raises CannotRelay: the relay is strict, and a rule applies.
    """
    # Some of these changes are none if all of From is sent under another name.
    noted = message.adaptations.apart()
    author = _first_author(message, noted)
    name = sender_name(author.name, sender, message.adaptations) if author else None
    _check_sender(message, author, sender)
    reply_to = _first_reply_address(message)
    known = {addresses.key(sender)} | ({addresses.key(reply_to.address)} if reply_to else set())
    is_known = author is not None and addresses.key(author.address) in known
    why = "replies go to Reply-To" if reply_to else "replies can't go to its address"
    if not reply_to and not is_known:
        reply_to = _author_as_reply_address(message, author)
        is_known = reply_to is not None
    headers = [] if is_known else _original_from(message, author, why)
    is_whole = bool(headers) and len(_values_of_from(message)) == 1
    message.adaptations.include(noted, but="left_out" if is_whole else None)
    return Originators(name, reply_to, headers)


def _values_of_from(message: Entity) -> list[bytes]:
    return [field.value for field in message.fields if field.key == "from" and field.value]


def _first_author(message: Entity, adaptations: Adaptations) -> Mailbox | None:
    found = [read_mailboxes(value, "From", adaptations) for value in _values_of_from(message)]
    authors = [author for one in found for author in one]
    problem = Unsupported("More than one sender in From is not supported")
    is_one = len({addresses.key(author.address) for author in authors}) == 1
    if authors and not (is_one and all(found)):
        adaptations.add("left_out", "All but the first sender in From left out", problem)
    return authors[0] if authors else None


def _check_sender(message: Entity, author: Mailbox | None, sender: str) -> None:
    agents = mailboxes_of(message, "sender")
    if not agents:
        return
    known = {addresses.key(sender)} | ({addresses.key(author.address)} if author else set())
    if any(addresses.key(agent.address) not in known for agent in agents):
        problem = Unsupported("A Sender other than From is not supported")
        message.adaptations.add("left_out", "Sender left out: it differs from From", problem)


def _first_reply_address(message: Entity) -> Mailbox | None:
    adaptations = message.adaptations
    given = mailboxes_of(message, "reply-to")
    if not given:
        return None
    good = [mailbox for mailbox in map(_if_accepted, given) if mailbox]
    if len({addresses.key(mailbox.address) for mailbox in given}) > 1:
        problem = Unsupported("More than one address in Reply-To is not supported")
        which = "All but the first valid address" if good else "All invalid addresses"
        adaptations.add("left_out", f"{which} in Reply-To left out", problem)
    elif not good:
        problem = Unsupported("The address in Reply-To is not valid")
        adaptations.add("left_out", "Reply-To left out: its address is not valid", problem)
    return _with_accepted_name(good[0], "Reply-To", adaptations) if good else None


def _author_as_reply_address(message: Entity, author: Mailbox | None) -> Mailbox | None:
    """The author, who gets the replies to a message of another sender, if the API accepts this."""
    accepted = _if_accepted(author) if author else None
    return _with_accepted_name(accepted, "From", message.adaptations) if accepted else None


def _original_from(message: Entity, author: Mailbox | None, why: str) -> list[Header]:
    """From, which would be lost otherwise, as a header field of another name.

    A strict relay rejects a From with a bad address. It drops a good one that is not needed.
    """
    adaptations = message.adaptations
    is_bad = author is not None and "@" in author.address and not _if_accepted(author)
    if adaptations.is_strict and not is_bad:
        return []
    values = _values_of_from(message)
    if not values:
        return []
    address = author.address.encode() if author else b""
    original = next((value for value in values if address in value), values[0])
    problem = Unsupported("The address in From is not valid")
    sentence = f"From kept as {ORIGINAL_FROM}: {why}"
    noted = adaptations.apart()
    noted.add("renamed", sentence, problem)
    return [header_of(ORIGINAL_FROM, header_text(original, "From", noted), noted)]


def _if_accepted(mailbox: Mailbox) -> Mailbox | None:
    """``mailbox`` with its address as the API accepts it, None if the API does not accept it."""
    try:
        return Mailbox(mailbox.name, addresses.checked(mailbox.address))
    except addresses.BadAddress:
        return None


def _with_accepted_name(mailbox: Mailbox, what: str, adaptations: Adaptations) -> Mailbox:
    return Mailbox(display_name(mailbox.name, what, adaptations), mailbox.address)
