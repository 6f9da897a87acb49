"""The sentences that clients read, one catalogue a language, keyed by code."""

from sentences import en, zh

CATALOGUES = {"en": en.SENTENCES, "zh": zh.SENTENCES}


def provider_sentence(code: str, otherwise: str) -> str:
    """The key of the sentence about the provider's ``code``, or ``otherwise`` for a new code."""
    return code if code in en.SENTENCES else otherwise


def sentence(code: str, language: str, values: dict[str, object]) -> str:
    """The sentence for ``code``, its placeholders filled in with ``values``."""
    return CATALOGUES[language][code].format_map(values)
