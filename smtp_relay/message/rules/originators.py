"""Rules for From, Sender and Reply-To. The credential determines the address of the sender.

Each rule reads one field and returns what the request has of it.
"""

from dataclasses import dataclass, field

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.header_text import decoded_words, header_text
from smtp_relay.message.mailboxes import Mailbox, mailboxes_of
from smtp_relay.message.rules.headers import Header, header_of
from smtp_relay.message.rules.names import display_name, sender_name

ORIGINAL_FROM = "X-Original-From"


@dataclass(slots=True)
class Originators:
    """The display name and the address for replies. ``headers`` are added to those of the message.

    ``sender`` is the address of the credential.
    """

    sender: str
    from_name: str | None = None
    reply_to: Mailbox | None = None
    headers: list[Header] = field(default_factory=list)


def read_originators(message: Entity, sender: str, adaptations: Adaptations) -> Originators:
    """The originators of ``message``, which the credential of ``sender`` sends.

    :raises CannotRelay: the relay is strict, and a rule applies.
    """
    found = Originators(sender)
    author = _first_author(message, adaptations)
    if author:
        found.from_name = sender_name(author.name, sender, adaptations)
    _check_sender(message, author, sender, adaptations)
    found.reply_to = _first_reply_address(message, adaptations)
    if found.reply_to is None:
        _reply_to_author(found, message, author, adaptations)
    return found


def _first_author(message: Entity, adaptations: Adaptations) -> Mailbox | None:
    authors = mailboxes_of(message, "from", adaptations)
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


def _check_sender(
    message: Entity, author: Mailbox | None, sender: str, adaptations: Adaptations
) -> None:
    agents = mailboxes_of(message, "sender", adaptations)
    if not agents:
        return
    known = {addresses.key(sender)} | ({addresses.key(author.address)} if author else set())
    if any(addresses.key(agent.address) not in known for agent in agents):
        problem = Unsupported("A Sender other than From is not supported")
        adaptations.add("left_out", "Sender left out: it differs from From", problem)


def _first_reply_address(message: Entity, adaptations: Adaptations) -> Mailbox | None:
    given = mailboxes_of(message, "reply-to", adaptations)
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


def _reply_to_author(
    found: Originators, message: Entity, author: Mailbox | None, adaptations: Adaptations
) -> None:
    """Replies to another author than the sender go to the author, if the API accepts the address.

    Otherwise From is kept as it is.
    """
    if author and addresses.key(author.address) == addresses.key(found.sender):
        return
    accepted = _if_accepted(author) if author else None
    if accepted:
        found.reply_to = _with_accepted_name(accepted, "From", adaptations)
        return
    if adaptations.is_strict and (author is None or "@" not in author.address):
        return
    original = next((field.value for field in message.fields if field.key == "from"), b"")
    if original:
        problem = Unsupported("The address in From is not valid")
        sentence = f"From kept as {ORIGINAL_FROM}: replies can't go to its address"
        adaptations.add("renamed", sentence, problem)
        text = header_text(original, "From", adaptations)
        found.headers.append(header_of(ORIGINAL_FROM, text))


def _if_accepted(mailbox: Mailbox) -> Mailbox | None:
    """``mailbox`` with its address as the API accepts it, None if the API does not accept it."""
    try:
        return Mailbox(mailbox.name, addresses.checked(mailbox.address))
    except addresses.BadAddress:
        return None


def _with_accepted_name(mailbox: Mailbox, what: str, adaptations: Adaptations) -> Mailbox:
    return Mailbox(display_name(mailbox.name, what, adaptations), mailbox.address)
