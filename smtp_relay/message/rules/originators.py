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
    values = [field.value for field in message.fields if field.key == "from" and field.value]
    author = _first_author(values, noted)
    name = sender_name(author.name, sender, message.adaptations) if author else None
    _check_sender(message, author, sender)
    reply_to = _first_reply_address(message)
    known = {addresses.key(sender)} | ({addresses.key(reply_to.address)} if reply_to else set())
    is_known = author is not None and addresses.key(author.address) in known
    why = "replies go to Reply-To" if reply_to else "replies can't go to its address"
    if not reply_to and not is_known:
        reply_to = _author_as_reply_address(message, author)
        is_known = reply_to is not None
    headers = [] if is_known else _original_from(values, author, why, message.adaptations)
    is_whole = bool(headers) and len(values) == 1
    message.adaptations.include(noted, but="left_out" if is_whole else None)
    return Originators(name, reply_to, headers)


def _first_author(values: list[bytes], adaptations: Adaptations) -> Mailbox | None:
    found = [read_mailboxes(value, "From", adaptations) for value in values]
    authors = [author for one in found for author in one]
    if authors and (_are_several(authors) or not all(found)):
        problem = Unsupported("More than one sender in From is not supported")
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
    if _are_several(given):
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


def _original_from(
    values: list[bytes], author: Mailbox | None, why: str, adaptations: Adaptations
) -> list[Header]:
    """From, which would be lost otherwise, as a header field of another name.

    ``values`` are those of the fields called From. Of several, the one with ``author`` is kept. A
    strict relay rejects a From with a bad address. It drops a good one that is not needed.
    """
    is_bad = author is not None and "@" in author.address and not _if_accepted(author)
    if not values or (adaptations.is_strict and not is_bad):
        return []
    address = author.address.encode() if author else b""
    original = next((value for value in values if address in value), values[0])
    problem = Unsupported("The address in From is not valid")
    sentence = f"From kept as {ORIGINAL_FROM}: {why}"
    noted = adaptations.apart()
    noted.add("renamed", sentence, problem)
    return [header_of(ORIGINAL_FROM, header_text(original, "From", noted), noted)]


def _are_several(mailboxes: list[Mailbox]) -> bool:
    """Whether ``mailboxes`` have different addresses."""
    return len(mailboxes) > 1 and len({addresses.key(one.address) for one in mailboxes}) > 1


def _if_accepted(mailbox: Mailbox) -> Mailbox | None:
    """``mailbox`` with its address as the API accepts it, None if the API does not accept it."""
    try:
        return Mailbox(mailbox.name, addresses.checked(mailbox.address))
    except addresses.BadAddress:
        return None


def _with_accepted_name(mailbox: Mailbox, what: str, adaptations: Adaptations) -> Mailbox:
    return Mailbox(display_name(mailbox.name, what, adaptations), mailbox.address)
