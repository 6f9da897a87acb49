"""Rules for From, Sender and Reply-To. The credential determines the address of the sender."""

from dataclasses import dataclass

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.header_text import decoded_words, header_text
from smtp_relay.message.mailboxes import Mailbox, mailboxes_of
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
    author = _first_author(message)
    name = sender_name(author.name, sender, message.adaptations) if author else None
    _check_sender(message, author, sender)
    reply_to = _first_reply_address(message)
    is_own = author is not None and addresses.key(author.address) == addresses.key(sender)
    if reply_to or is_own:
        return Originators(name, reply_to, [])
    reply_to = _author_as_reply_address(message, author)
    return Originators(name, reply_to, [] if reply_to else _original_from(message, author))


def _first_author(message: Entity) -> Mailbox | None:
    adaptations = message.adaptations
    authors = mailboxes_of(message, "from")
    problem = Unsupported("More than one sender in From is not supported")
    first = next((number for number, one in enumerate(authors) if "@" in one.address), 0)
    if first and authors[first].name:
        # The commas in `Acme, Inc. <a@b.example>` should be quoted.
        adaptations.add("repaired", "Commas in From read as part of the name", problem)
        words = [decoded_words(one.address, "From", adaptations) for one in authors[:first]]
        name = ", ".join([*words, authors[first].name or ""])
        authors = [Mailbox(name, authors[first].address), *authors[first + 1 :]]
    if len({addresses.key(author.address) for author in authors}) > 1:
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


def _original_from(message: Entity, author: Mailbox | None) -> list[Header]:
    """From, which would be lost otherwise, as a header field of another name."""
    adaptations = message.adaptations
    if adaptations.is_strict and (author is None or "@" not in author.address):
        return []
    original = next((field.value for field in message.fields if field.key == "from"), b"")
    if not original:
        return []
    problem = Unsupported("The address in From is not valid")
    sentence = f"From kept as {ORIGINAL_FROM}: replies can't go to its address"
    adaptations.add("renamed", sentence, problem)
    return [header_of(ORIGINAL_FROM, header_text(original, "From", adaptations))]


def _if_accepted(mailbox: Mailbox) -> Mailbox | None:
    """``mailbox`` with its address as the API accepts it, None if the API does not accept it."""
    try:
        return Mailbox(mailbox.name, addresses.checked(mailbox.address))
    except addresses.BadAddress:
        return None


def _with_accepted_name(mailbox: Mailbox, what: str, adaptations: Adaptations) -> Mailbox:
    return Mailbox(display_name(mailbox.name, what, adaptations), mailbox.address)
