"""What the relay changes in a message so that the API accepts it.

The programs that write mail can't be changed, so the relay repairs, shortens, renames or leaves out
what the API does not accept. It never does this silently: the message has one sentence for each
change.
"""

from collections import Counter
from typing import Literal, get_args

from smtp_relay.message.characters import CONTROL
from smtp_relay.message.errors import CannotRelay

# The values of the label ``kind`` in the metrics.
Kind = Literal["left_out", "shortened", "renamed", "joined", "guessed", "repaired", "attached"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The API accepts this many sentences, and this many characters in each.
MAX_SENTENCES = 50
MAX_CHARACTERS = 200
# Of a filename in a sentence. The rest of the sentence says what was changed.
_MAX_NAME_CHARACTERS = 100


def shown(filename: str) -> str:
    """``filename`` for a sentence: the middle of a long one is left out."""
    if len(filename) <= _MAX_NAME_CHARACTERS:
        return filename
    half = _MAX_NAME_CHARACTERS // 2
    return f"{filename[:half]}...{filename[-half:]}"


class Adaptations:
    """The changes of one message, in the order in which they were made.

    If ``is_strict``, the relay changes nothing: it rejects the message instead.
    """

    __slots__ = ("changes", "is_strict")

    def __init__(self, *, is_strict: bool = False) -> None:
        self.is_strict = is_strict
        self.changes: dict[str, Kind] = {}  # by their sentences

    @property
    def counts(self) -> Counter[Kind]:
        """The number of changes of each kind."""
        return Counter(self.changes.values())

    def apart(self) -> "Adaptations":
        """An empty list for the changes of one thing that may be left out later.

        It then has one sentence: an earlier change of it is none of the message. ``include`` adds
        the changes of what stays.
        """
        return Adaptations(is_strict=self.is_strict)

    def add(self, kind: Kind, sentence: str, otherwise: CannotRelay | None) -> None:
        """Note one change. The same sentence counts once.

        :param sentence: says what is changed, without the contents of the message:
            ``Delivered-To left out``.
        :param otherwise: the error in a strict relay. None if a strict relay makes the change too.
        :raises CannotRelay: ``otherwise``, if the relay is strict.
        """
        if otherwise:
            self.add_unnoted(otherwise)
        self.changes.setdefault(sentence, kind)

    def include(self, other: "Adaptations", *, but: Kind | None = None) -> None:
        """Note the changes of ``other`` too, except those of the kind ``but``."""
        for sentence, kind in other.changes.items():
            if kind != but:
                self.add(kind, sentence, None)

    def add_unnoted(self, otherwise: CannotRelay) -> None:
        """Make one change that is not noted, because no reader could miss anything.

        :param otherwise: the error in a strict relay.
        :raises CannotRelay: ``otherwise``, if the relay is strict.
        """
        if self.is_strict:
            raise otherwise

    def sentences(self) -> list[str]:
        """Each sentence once, within the limits of the API."""
        # A filename in a sentence can have control characters.
        short = dict.fromkeys(
            CONTROL.sub("\ufffd", sentence[:MAX_CHARACTERS]) for sentence in self.changes
        )
        if len(short) <= MAX_SENTENCES:
            return list(short)
        shown = list(short)[: MAX_SENTENCES - 1]
        return [*shown, f"{len(short) - len(shown)} more changes"]
