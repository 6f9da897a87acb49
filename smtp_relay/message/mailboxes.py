"""Parser for the lists of mailboxes in From, To and other fields (RFC 5322, section 3.4)."""

import re
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed
from smtp_relay.message.header_text import decoded_words, raw_text

_TOKEN = re.compile(
    r"""(?P<space>[ ]++)
      | "(?P<quoted>(?:[^"\\]|\\.)*+)"
      | <(?P<angle>(?:[^<>"]|"(?:[^"\\]|\\.)*+")*+)>
      | (?P<mark>[,;:(])
      | (?P<word>[^ ",;:()<>]++)""",
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_COMMENT = re.compile(r"(?:[^()\\]|\\.)++|[()]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, or None, and an address as the message writes it."""

    name: str | None
    address: str


def read_mailboxes(value: bytes, what: str, adaptations: Adaptations) -> list[Mailbox]:
    """The mailboxes in ``value``, including those in groups. ``what`` is the name of the field.

    Of a value that is not a list of mailboxes, the mailboxes before the first error.

    :raises Malformed: ``value`` is not a list of mailboxes, and the relay is strict.
    """
    reader = _Reader(raw_text(value, what, adaptations), what, adaptations)
    try:
        reader.read()
    except Malformed as error:
        rest = f"The rest of {what}" if reader.found else what
        adaptations.add("left_out", f"{rest} left out: it is not a list of mail addresses", error)
    return reader.found


def mailboxes_of(message: Entity, key: str) -> list[Mailbox]:
    """The mailboxes in all fields with the lower-case name ``key``.

    RFC 5322 allows only one field of each name. Some programs write one for each mailbox.

    :raises Malformed: as ``read_mailboxes`` does.
    """
    values = [field.value for field in message.fields if field.key == key]
    what, noted = key.title(), message.adaptations
    return [mailbox for value in values for mailbox in read_mailboxes(value, what, noted)]


class _Reader:
    def __init__(self, text: str, what: str, adaptations: Adaptations) -> None:
        self._text = text
        self._what = what
        self._adaptations = adaptations
        self.found: list[Mailbox] = []
        self._words: list[str] = []
        self._comments: list[str] = []
        self._angle: str | None = None
        self._last_end, self._last_angle = text.rfind(";"), text.rfind("<")

    def read(self) -> None:
        """Read the whole text, and append its mailboxes to ``found``."""
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise Malformed(f"{self._what} is not a list of mail addresses")
            position = match.end()
            if match["mark"] == "(":
                position = self._comment(position)
            elif match["mark"] == ":":
                self._end_name_of_group(position)
            elif match["mark"]:
                self._end_mailbox()
            elif match["angle"] is not None:
                if self._angle is not None:
                    raise Malformed(f"{self._what} has no comma between two addresses")
                self._angle = match["angle"]
            elif match["quoted"] is not None:
                self._words.append(_QUOTED_PAIR.sub(r"\1", match["quoted"]))
            else:
                self._words.append(match["space"] or match["word"])
        self._end_mailbox()

    def _end_name_of_group(self, position: int) -> None:
        """At a colon: forget the name of a group, unless the colon belongs to the name in From.

        Some programs write ``Build 7: failed <a@b.example>`` without the necessary quotes.
        """
        is_in_name = self._words and self._last_end < position < self._last_angle
        if self._what == "From" and is_in_name and not self._adaptations.is_strict:
            self._adaptations.add("repaired", "Colons in From read as part of the name", None)
            self._words.append(":")
        else:
            self._words.clear()

    def _comment(self, position: int) -> int:
        start, depth = position, 1
        while depth:
            match = _COMMENT.match(self._text, position)
            if match is None:
                raise Malformed(f"{self._what} contains a comment without an end")
            position = match.end()
            depth += {"(": 1, ")": -1}.get(match[0], 0)
        self._comments.append(_QUOTED_PAIR.sub(r"\1", self._text[start : position - 1]))
        return position

    def _end_mailbox(self) -> None:
        words = "".join(self._words).strip(" ")
        comment = " ".join(self._comments).strip(" ")
        if self._angle is not None:
            # A source route before the address is obsolete and ignored (RFC 5321, appendix C).
            address = self._angle.rpartition(":")[2] if self._angle[:1] == "@" else self._angle
            self._add(words or comment, address.strip(" "))
        elif words and not self._add_without_brackets():
            self._add(comment, words)
        self._words, self._comments, self._angle = [], [], None

    def _add_without_brackets(self) -> bool:
        """Read ``Bob bob@example.net``, which needs angle brackets. A strict relay does not."""
        words = self._words[:-1] if self._words[-1].isspace() else self._words
        if self._adaptations.is_strict or len(words) < 3:
            return False
        *name, space, address = words
        local, at, _ = address.partition("@")
        if not space.isspace() or not local or not at or any("@" in word for word in name):
            return False
        self._adaptations.add(
            "repaired", f"{self._what} read with the missing angle brackets", None
        )
        self._add("".join(name), address)
        return True

    def _add(self, name: str, address: str) -> None:
        text = decoded_words(name, self._what, self._adaptations).strip(" ")
        # Omit a name that only repeats the address.
        is_address = text.lower() == address.lower()
        self.found.append(Mailbox(None if is_address or not text else text, address))
