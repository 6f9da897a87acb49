"""Finds misspelled names of settings. The relay and the tools of the Worker use it."""

import difflib
from collections.abc import Iterable, Sequence


def misspelled(names: Iterable[str], settings: Sequence[str]) -> dict[str, str]:
    """For each unknown name that is similar to a setting: that setting, by the unknown name.

    :param settings: the names of all settings, in capital letters.
    """
    found = {}
    for name in names:
        similar = difflib.get_close_matches(name.upper(), settings, n=1, cutoff=0.8)
        if name not in settings and similar:
            found[name] = similar[0]
    return found
