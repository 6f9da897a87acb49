"""The sentences that clients read, one catalogue a language, keyed by code."""

from sentences import en, zh

CATALOGUES = {"en": en.SENTENCES, "zh": zh.SENTENCES}


def sentence(code: str, language: str, values: dict[str, object]) -> str:
    """The sentence for ``code``, its placeholders filled in with ``values``."""
    return CATALOGUES[language][code].format_map(values)
