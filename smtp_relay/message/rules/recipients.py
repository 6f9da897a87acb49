"""Rules for To and Cc. The envelope determines who gets the message."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from smtp_relay import addresses
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed
from smtp_relay.message.hidden_recipients import has_hidden_field, may_name_hidden, shows_any
from smtp_relay.message.mailboxes import LOCAL_USER, Mailbox, mailboxes_of
from smtp_relay.message.rules.names import display_name

# Without the special characters of RFC 5322 (section 3.2.3), and without a dot at the end.
_ADDRESS = re.compile(r"""[^\s@"(),:;<>\[\]\\]++@(?:\[[^\s\[\]]*+]|[\w.-]++(?<!\.))""")


class Recipients(NamedTuple):
    """The recipients in the envelope: those that To or Cc names, and those that are hidden."""

    to: list[Mailbox]
    cc: list[Mailbox]
    bcc: list[Mailbox]

    @property
    def hidden(self) -> list[str]:
        """The addresses that others must not see. A single recipient may see their own."""
        is_alone = not self.to and not self.cc and len(self.bcc) == 1
        return [] if is_alone else [mailbox.address for mailbox in self.bcc]


def read_recipients(message: Entity, envelope: Iterable[str]) -> Recipients:
    """The recipients in ``envelope``, where ``message`` shows them. The hidden ones are sorted.

    :raises CannotRelay: the relay is strict, and a rule applies.
    """
    hidden = {addresses.key(address): address for address in envelope}
    given = {name: mailboxes_of(message, name.lower()) for name in ("To", "Cc")}
    to, cc = [
        _pop_shown(mailboxes, hidden, name, message.adaptations)
        for name, mailboxes in given.items()
    ]
    for name, mailboxes in given.items():
        # What is no address could mean one of the recipients, who is now hidden.
        if hidden and not all(_is_readable(mailbox.address) for mailbox in mailboxes):
            sentence = f"What is not an address in {name} left out"
            problem = Malformed(f"{name} is not a list of mail addresses")
            message.adaptations.add("left_out", sentence, problem)
    bcc = [Mailbox(None, hidden[key]) for key in sorted(hidden)]
    recipients = Recipients(to, cc, bcc)
    if rest := message.rest_of_header:
        _check_hidden(message, rest, recipients.hidden)
    return recipients


def _check_hidden(message: Entity, rest: bytes, hidden: Iterable[str]) -> None:
    """Check that ``rest`` of a broken header, which is in the body, names no address in ``hidden``.

    :raises Malformed: it names one, or may be the rest of a field like Bcc.
    """
    follows_hidden = bool(message.fields) and may_name_hidden(message.fields[-1].key)
    if follows_hidden or has_hidden_field(rest) or shows_any(rest, hidden):
        raise Malformed(
            "The body would show hidden recipients, because it begins at a line that is not a"
            " header field, or that follows an empty line in place of the header"
        )


def _pop_shown(
    given: list[Mailbox], hidden: dict[str, str], name: str, adaptations: Adaptations
) -> list[Mailbox]:
    """The mailboxes of the field ``name`` that are in ``hidden``. Removes those from it."""
    shown = []
    for mailbox in given:
        address = hidden.pop(addresses.key(mailbox.address), None)
        if address is not None:
            shown.append(Mailbox(display_name(mailbox.name, name, adaptations), address))
    return shown


def _is_readable(address: str) -> bool:
    """Whether ``address`` has the form of an address, or that of the name of a local user."""
    return bool(_ADDRESS.fullmatch(address) or LOCAL_USER.fullmatch(address))
