"""Rules for a text in one line: a subject, a display name, the value of a header field."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from smtp_relay.message.adaptations import Adaptations, Kind
from smtp_relay.message.characters import CONTROL
from smtp_relay.message.errors import Unsupported

MAX_SUBJECT_CHARACTERS = 998
NO_SUBJECT = "(no subject)"

_LINE_END = re.compile("\r\n|[\t\n\v\f\r\x85\u2028\u2029]")


class TextRule(NamedTuple):
    """One rule: how it changes a text, and what is noted if it does.

    ``sentence`` and ``problem`` contain ``{what}``, the name of the text, like ``Subject``.
    ``problem`` is the error of a strict relay.
    """

    change: Callable[[str], str]
    kind: Kind
    sentence: str
    problem: str


def apply(rules: Iterable[TextRule], text: str, what: str, adaptations: Adaptations) -> str:
    """``text`` after all ``rules``. ``what`` is its name in sentences.

    :raises Unsupported: the relay is strict, and a rule applies.
    """
    new, applied = changed(rules, text)
    note(applied, what, adaptations)
    return new


def changed(rules: Iterable[TextRule], text: str) -> tuple[str, list[TextRule]]:
    """``text`` after all ``rules``, and those that changed it."""
    applied = []
    for rule in rules:
        new = rule.change(text)
        if new != text:
            applied.append(rule)
        text = new
    return text, applied


def note(applied: Iterable[TextRule], what: str, adaptations: Adaptations) -> None:
    """Note what the rules ``applied`` have changed in ``what``.

    :raises Unsupported: the relay is strict, and a rule has changed something.
    """
    for rule in applied:
        problem = Unsupported(rule.problem.format(what=what))
        adaptations.add(rule.kind, rule.sentence.format(what=what), problem)


def _in_one_line(text: str) -> str:
    return text if text.isprintable() else _LINE_END.sub(" ", text)


def _without_control(text: str) -> str:
    return text if text.isprintable() else CONTROL.sub("", text)


def _shortened_subject(text: str) -> str:
    return text[:MAX_SUBJECT_CHARACTERS]


def _with_subject(text: str) -> str:
    return text if text.strip() else NO_SUBJECT


ONE_LINE = (
    TextRule(
        _in_one_line,
        "repaired",
        "Line ends and tabs in {what} replaced by spaces",
        "{what} contains line ends or tabs",
    ),
    TextRule(
        _without_control,
        "left_out",
        "Control characters in {what} left out",
        "{what} contains control characters",
    ),
)
SUBJECT = (
    *ONE_LINE,
    TextRule(
        _shortened_subject,
        "shortened",
        f"{{what}} shortened to {MAX_SUBJECT_CHARACTERS} characters",
        "{what} is too long",
    ),
    TextRule(
        _with_subject,
        "repaired",
        f'Empty {{what}} replaced by "{NO_SUBJECT}"',
        "{what} is empty",
    ),
)
