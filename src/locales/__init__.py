"""The sentences that clients read, one catalogue a language, keyed by code."""

from locales import en, zh

CATALOGUES = {"en": en.SENTENCES, "zh": zh.SENTENCES}

_MAX_CHARACTERS = 100  # of a language tag; the rest of a longer one is not read


def language_of(wanted: str, *, otherwise: str) -> str:
    """The language that the header ``x-lang`` asks for; zh-CN is zh.

    >>> language_of("zh-CN", otherwise="en"), language_of("fr", otherwise="en")
    ('zh', 'en')
    """
    language = wanted[:_MAX_CHARACTERS].lower().partition("-")[0]
    return language if language in CATALOGUES else otherwise


def provider_sentence(code: str, otherwise: str) -> str:
    """The key of the sentence about the provider's ``code``, or ``otherwise`` for a new code."""
    # A provider's codes must not be taken for codes of our own.
    is_known = code == "outcome_unknown" or code.startswith("E_")
    return code if is_known and code in en.SENTENCES else otherwise


def sentence(code: str, language: str, values: dict[str, object]) -> str:
    """The sentence for ``code``, its placeholders filled in with ``values``."""
    return CATALOGUES[language][code].format_map(values)
