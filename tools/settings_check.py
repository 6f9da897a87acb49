"""Check the Worker's settings before it starts, with the Worker's own parsers."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from errors import ServerFault
from settings import Settings, read_settings

SETTINGS = tuple(setting.name.upper() for setting in fields(Settings))


def unreadable_settings(variables: Mapping[str, Any]) -> dict[str, str]:
    """What each variable that can't be read must be, by its name. The values are not shown."""
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
    """The setting that each unknown name probably means. Names without a likeness are left out."""
    found = {}
    for name in names:
        similar = difflib.get_close_matches(name.upper(), SETTINGS, n=1, cutoff=0.8)
        if name not in SETTINGS and similar:
            found[name] = similar[0]
    return found


NO_DOMAINS = (
    "DOMAINS is empty: no sender domain is configured, so nobody can create an address or send."
)
