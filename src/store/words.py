"""Words: what the search looks for, the same in a message and in a query.

A word is a run of letters and digits, without regard to case and accents. Scripts that put no
spaces between words (Chinese, Japanese) are cut into pairs of characters that overlap, so that
any part of a run is found; the last character of a run stands alone.
"""

import re
from typing import NamedTuple

# Ideographs with their iteration marks, Hiragana and Katakana.
_UNSPACED = "\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff" + (
    "\U00020000-\U0003ffff"
)
_RUN = re.compile(f"([{_UNSPACED}]+)|[^\\W_{_UNSPACED}]+")
_ASCII_RUN = re.compile("[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")

# A beginning of one or two letters is that of too many words.
_SHORTEST_BEGINNING = 3
# Each beginning costs the search of all words that begin so.
_MOST_BEGINNINGS = 8


class Term(NamedTuple):
    """A word that a message must have; with ``begins``, or one that begins so."""

    word: str
    begins: bool


def words_of(text: str) -> list[str]:
    """The words of ``text``, each once, in the order of their first appearance.

    >>> words_of("Café, CAFÉ: 发票号")
    ['cafe', '发票', '票号', '号']
    """
    if text.isascii():
        return list(dict.fromkeys(_ASCII_RUN.findall(text.lower())))
    found: dict[str, None] = {}
    for match in _RUN.finditer(_folded(text)):
        run = match[0]
        if match[1] is None:
            found[run] = None
        else:
            found.update((run[place : place + 2], None) for place in range(len(run)))
    return list(found)


def terms_of(query: str) -> list[Term]:
    """What a message must have to be found by ``query``: all of its words.

    The last word may be unfinished if it has three letters. Of a run of unspaced characters the
    pairs are looked for, of a single one whatever begins with it, for eight of them in a query.
    """
    runs = list(_RUN.finditer(_folded(query)))
    terms: list[Term] = []
    for run in runs:
        if run[1] is None:
            begins = run is runs[-1] and len(run[0]) >= _SHORTEST_BEGINNING
            terms.append(Term(run[0], begins))
        elif len(run[1]) == 1:
            terms.append(Term(run[1], True))
        else:
            pairs = zip(run[1], run[1][1:], strict=False)
            terms += (Term(first + second, False) for first, second in pairs)
    terms = list(dict.fromkeys(terms))
    rest = [term for term in terms if term.begins][_MOST_BEGINNINGS:]
    return [term._replace(begins=False) if term in rest else term for term in terms]


def has_terms(words: list[str], terms: list[Term]) -> bool:
    """Whether a message of these words is found by ``terms``, as the index finds it."""
    line = f" {' '.join(words)} "
    return all(f" {word}{'' if begins else ' '}" in line for word, begins in terms)


def _folded(text: str) -> str:
    from unicodedata import normalize  # most texts are ASCII and need no tables

    return normalize("NFC", _ACCENTS.sub("", normalize("NFKD", text))).casefold()
