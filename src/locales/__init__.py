"""The sentences that clients read, one catalogue per language, keyed by code."""

from errors import Term
from locales import en, zh

CATALOGUES = {"en": en.SENTENCES, "zh": zh.SENTENCES}

_MAX_CHARACTERS = 100  # of a language tag; the rest of a longer one is not read


def language_of(wanted: str, *, otherwise: str) -> str:
    """The language for ``wanted``, the header ``x-lang``; ``otherwise`` if it is not supported.

    Only the part before the first hyphen counts.

    >>> language_of("zh-CN", otherwise="en"), language_of("fr", otherwise="en")
    ('zh', 'en')
    """
    language = wanted[:_MAX_CHARACTERS].lower().partition("-")[0]
    return language if language in CATALOGUES else otherwise


def provider_sentence(code: str, otherwise: str) -> str:
    """The key of the sentence about the provider's ``code``; ``otherwise`` if there is none."""
    # The catalogue also has this service's own codes. A provider's code must not select their
    # sentences.
    is_known = code in ("outcome_unknown", "asked_again") or code.startswith("E_")
    return code if is_known and code in en.SENTENCES else otherwise


def sentence(code: str, language: str, values: dict[str, object]) -> str:
    """The sentence for ``code``, with its placeholders filled by ``values``."""
    catalogue = CATALOGUES[language]
    words = {
        name: catalogue[value] if isinstance(value, Term) else value
        for name, value in values.items()
    }
    return catalogue[code].format_map(words)
