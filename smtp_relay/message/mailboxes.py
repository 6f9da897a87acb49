"""Parser for the lists of mailboxes in From, To and other fields (RFC 5322, section 3.4)."""

import re
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed
from smtp_relay.message.header_text import decoded_words, structured_text

_TOKEN = re.compile(
    r"""[ ]++
      | "(?P<quoted>(?:[^"\\]|\\.)*+)"
      | <(?P<angle>(?:[^<>"]|"(?:[^"\\]|\\.)*+")*+)>
      | (?P<mark>[,;:(])
      | =\?[^?\s]{1,60}+\?[BbQq]\?[^?\s"<>]*+\?=  # an encoded word, which can have marks
      | [^ ",;:()<>]++""",
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_MARKS = {",": "Commas", ";": "Semicolons"}
# A name of a user of the same machine. It can't be a part of someone's name, nor of an address.
LOCAL_USER = re.compile(r"(?:[a-z_][a-z0-9_.-]*+)?+")
_SCHEME = "mailto:"
# What follows a colon in a name: the rest of the name, up to its address.
_NAME_GOES_ON = re.compile(r'[^,;:@<>"()]*+<')
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
    text = structured_text(value, what, adaptations, mark="@")
    reader = _Reader(text, what, adaptations)
    try:
        reader.read()
    except Malformed as error:
        if what == "From" and not reader.found:
            adaptations.add_unnoted(error)  # it is sent under another name, see `originators.py`
            return []
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
        self._name: list[str] = []  # the words and the comments
        self._comments: list[str] = []
        self._name_before: list[tuple[str, str]] = []  # with the mark after it
        self._is_in_group = False
        self._angle: str | None = None
        self._last_end, self._last_angle = text.rfind(";"), text.rfind("<")

    def read(self) -> None:
        """Read the whole text, and append its mailboxes to ``found``."""
        try:
            self._read()
        finally:
            self._add_names_before()

    def _read(self) -> None:
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise Malformed(f"{self._what} is not a list of mail addresses")
            position = match.end()
            token, kind = match[0], match.lastgroup
            if token == "(":
                position = self._comment(position)
            elif token == ":":
                self._end_name_of_group(position)
            elif kind == "mark":
                self._end_mailbox(token)
            elif kind == "angle":
                if self._angle is not None:
                    raise Malformed(f"{self._what} has no comma between two addresses")
                self._angle = match["angle"]
                while self._name and self._name[-1].isspace():
                    self._name.pop()  # a comment after the address follows the name
            elif kind == "quoted":
                self._add_word(_QUOTED_PAIR.sub(r"\1", match["quoted"]))
            else:
                self._add_word(token)
        self._end_mailbox()

    def _add_word(self, word: str) -> None:
        self._words.append(word)
        self._name.append(word)

    def _end_name_of_group(self, position: int) -> None:
        """At a colon: forget the name of a group, unless the colon belongs to a display name.

        Some programs write ``Build 7: failed <a@b.example>`` without the necessary quotes.
        """
        is_in_name = self._words and self._last_end < position < self._last_angle
        # Only From has no groups.
        goes_on = self._what == "From" or _NAME_GOES_ON.match(self._text, position)
        if is_in_name and goes_on and not self._adaptations.is_strict:
            sentence = f"Colons in {self._what} read as part of the name"
            self._adaptations.add("repaired", sentence, None)
            self._add_word(":")
        else:
            self._words.clear()
            self._name.clear()
            self._is_in_group = True

    def _comment(self, position: int) -> int:
        start, depth = position, 1
        while depth:
            match = _COMMENT.match(self._text, position)
            if match is None:
                raise Malformed(f"{self._what} contains a comment without an end")
            position = match.end()
            depth += {"(": 1, ")": -1}.get(match[0], 0)
        comment = _QUOTED_PAIR.sub(r"\1", self._text[start : position - 1])
        self._comments.append(comment)
        if "@" not in comment:
            self._name.append(f"({comment})")
        return position

    def _end_mailbox(self, mark: str = "") -> None:
        words = "".join(self._words).strip(" ")
        comment = " ".join(self._comments).strip(" ")
        if self._angle is not None:
            # A source route before the address is obsolete and ignored (RFC 5321, appendix C).
            address = self._angle.rpartition(":")[2] if self._angle[:1] == "@" else self._angle
            address = self._without_scheme(address.strip(" "))
            self._add(self._name_with_marks(words, address) or comment, address)
        elif words and self._may_be_name(words, mark):
            self._name_before.append((words, mark))
        elif words and not self._add_without_brackets():
            self._add(comment, words)
        self._is_in_group = self._is_in_group and mark != ";"
        self._words, self._name, self._comments, self._angle = [], [], [], None

    def _may_be_name(self, words: str, mark: str) -> bool:
        """Whether ``words`` may be the beginning of a name: ``Acme`` in ``Acme, Inc. <a@b>``."""
        if "@" in words or not mark or self._is_in_group or self._adaptations.is_strict:
            return False
        return self._what == "From" or LOCAL_USER.fullmatch(words) is None

    def _name_with_marks(self, words: str, address: str) -> str:
        """The name before ``address``, also if it has commas without the necessary quotes."""
        if not words:
            return ""
        if any("@" in comment for comment in self._comments):
            sentence = f"A comment with an address in {self._what} left out"
            self._adaptations.add("left_out", sentence, None)
        name = "".join(self._name).strip(" ")
        if "@" not in address:
            return name
        for _, mark in self._name_before:
            sentence = f"{_MARKS[mark]} in {self._what} read as part of the name"
            self._adaptations.add("repaired", sentence, None)
        before = "".join(f"{words}{mark} " for words, mark in self._name_before)
        self._name_before.clear()
        return before + name

    def _add_names_before(self) -> None:
        """Add what was no beginning of a name."""
        found, self._name_before = self._name_before, []
        for words, _ in found:
            self._add("", words)

    def _without_scheme(self, address: str) -> str:
        if not address.lower().startswith(_SCHEME):
            return address
        problem = Malformed(f"{self._what} contains a mailto URI")
        self._adaptations.add("repaired", f"{_SCHEME} in {self._what} left out", problem)
        return address[len(_SCHEME) :]

    def _add_without_brackets(self) -> bool:
        """Read ``Bob bob@example.net``, which needs angle brackets. A strict relay does not."""
        words = self._words[:-1] if self._words[-1].isspace() else self._words
        if self._adaptations.is_strict or len(words) < 3:
            return False
        if self._add_without_commas(words):
            return True
        *name, space, address = words
        local, at, _ = address.partition("@")
        if not space.isspace() or not local or not at or any("@" in word for word in name):
            return False
        self._adaptations.add(
            "repaired", f"{self._what} read with the missing angle brackets", None
        )
        self._add("".join(name), address)
        return True

    def _add_without_commas(self, words: list[str]) -> bool:
        """Read ``a@b.example c@d.example``, which needs a comma."""
        addresses, spaces = words[::2], "".join(words[1::2])
        if spaces.strip(" ") or not all(_has_address(word) for word in addresses):
            return False
        sentence = f"{self._what} read with the missing commas"
        self._adaptations.add("repaired", sentence, None)
        for address in addresses:
            self._add("", address)
        return True

    def _add(self, name: str, address: str) -> None:
        self._add_names_before()
        text = decoded_words(name, self._what, self._adaptations).strip(" ")
        # Omit a name that only repeats the address.
        is_address = text.lower() == address.lower()
        self.found.append(Mailbox(None if is_address or not text else text, address))


def _has_address(word: str) -> bool:
    local, at, domain = word.partition("@")
    return bool(local and at and domain) and "@" not in domain
