"""Check the Worker's settings before it starts, with the Worker's own parsers."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from errors import ServerFault
from settings import Settings, read_settings

SETTINGS = tuple(setting.name.upper() for setting in fields(Settings))


def unreadable_settings(variables: Mapping[str, Any]) -> dict[str, str]:
    """For each variable that can't be read: what it must be, by its name."""
    remaining, found = dict(variables), {}
    while True:
        try:
            read_settings(remaining)
        except ServerFault as fault:
            name = fault.values["name"]
            found[name] = fault.values["expected"]
            del remaining[name]
        else:
            return found


def misspelled_settings(names: Iterable[str]) -> dict[str, str]:
    """For each unknown name that is similar to a setting: that setting, by the unknown name."""
    found = {}
    for name in names:
        similar = difflib.get_close_matches(name.upper(), SETTINGS, n=1, cutoff=0.8)
        if name not in SETTINGS and similar:
            found[name] = similar[0]
    return found


NO_DOMAINS = (
    "DOMAINS is empty: no sender domain is configured, so no address can be created or send mail."
)
