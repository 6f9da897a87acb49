"""The tokenizer: splits messages and queries into words for the search.

A word is a run of letters and digits; case and accents are ignored. Text of scripts without spaces
between words (Chinese, Japanese) is split into overlapping pairs of characters, so that any part of
a run is found. The last character of a run is also a word of its own.
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

# Too many words begin with a prefix of one or two letters.
_MIN_PREFIX_LENGTH = 3
# The search reads all words that begin with a prefix.
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

    The last word counts as a prefix if it has at least three letters. A run of unspaced characters
    becomes pairs; a single such character is a prefix. A query has at most eight prefixes.
    """
    runs = list(_RUN.finditer(_folded(query)))
    terms: list[Term] = []
    for run in runs:
        if run[1] is None:
            is_prefix = run is runs[-1] and len(run[0]) >= _MIN_PREFIX_LENGTH
            terms.append(Term(run[0], is_prefix))
        elif len(run[1]) == 1:
            terms.append(Term(run[1], True))
        else:
            pairs = zip(run[1], run[1][1:], strict=False)
            terms += (Term(first + second, False) for first, second in pairs)
    terms = list(dict.fromkeys(terms))
    rest = [term for term in terms if term.is_prefix][_MAX_PREFIXES:]
    return [term._replace(is_prefix=False) if term in rest else term for term in terms]


def has_terms(words: list[str], terms: list[Term]) -> bool:
    """Whether a message with these words matches ``terms``, by the rules of the index."""
    line = f" {' '.join(words)} "
    return all(f" {word}{'' if is_prefix else ' '}" in line for word, is_prefix in terms)


def _folded(text: str) -> str:
    from unicodedata import normalize  # here: most texts are ASCII and need no tables

    return normalize("NFC", _ACCENTS.sub("", normalize("NFKD", text))).casefold()
