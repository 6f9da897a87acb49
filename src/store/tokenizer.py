"""The tokenizer: splits messages and queries into words for the search.

A word is a run of letters and digits; case and accents are ignored. A run in a script without
spaces between words (Chinese, Japanese) is split into overlapping pairs of characters, so a search
finds any part of the run. In a message the last character of a run is also a word, so a search for
this character finds the message.
"""

import re
from itertools import pairwise
from typing import NamedTuple

# Ideographs with their iteration marks, Hiragana and Katakana.
_UNSPACED = "\u3005-\u3007\u3041-\u3096\u309d-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff" + (
    "\U00020000-\U0003ffff"
)
_RUN = re.compile(f"([{_UNSPACED}]+)|[^\\W_{_UNSPACED}]+")
_ASCII_RUN = re.compile("[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")

# Too many words begin with the same one or two characters.
_MIN_PREFIX_LENGTH = 3
# The maximum per query, because the search reads all words that begin with a prefix.
_MAX_PREFIXES = 8


class Term(NamedTuple):
    """A word that a message must contain, or, if ``is_prefix``, the beginning of such a word."""

    word: str
    is_prefix: bool


def tokens_of(text: str) -> list[str]:
    """The words of ``text``, each once, in order of first appearance.

    >>> tokens_of("Café, CAFÉ: 发票号")
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
    """The terms of ``query``. A message must contain all of them.

    The last word is a prefix if it has at least three characters. A run in a script without spaces
    becomes pairs; a run of one character is a prefix. After the eighth prefix, further ones count
    as whole words.
    """
    runs = list(_RUN.finditer(_folded(query)))
    terms: list[Term] = []
    for run in runs:
        word = run[0]
        if run[1] is None:
            is_prefix = run is runs[-1] and len(word) >= _MIN_PREFIX_LENGTH
            terms.append(Term(word, is_prefix))
        elif len(word) == 1:
            terms.append(Term(word, True))
        else:
            terms += (Term(first + second, False) for first, second in pairwise(word))
    terms = list(dict.fromkeys(terms))
    rest = [term for term in terms if term.is_prefix][_MAX_PREFIXES:]
    return [term._replace(is_prefix=False) if term in rest else term for term in terms]


def has_terms(words: list[str], terms: list[Term]) -> bool:
    """Whether a message with these words matches ``terms``, as a search in the index decides it."""
    line = f" {' '.join(words)} "
    return all(f" {word}{'' if is_prefix else ' '}" in line for word, is_prefix in terms)


def _folded(text: str) -> str:
    from unicodedata import normalize  # imported here, because most texts don't need it

    return normalize("NFC", _ACCENTS.sub("", normalize("NFKD", text))).casefold()
