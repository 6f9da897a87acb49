"""Check the Worker's settings before it starts, with the Worker's own parsers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from errors import ServerFault
from settings import DECLARED, Settings, read_settings
from smtp_relay.spelling import misspelled
from tools.slow_patterns import is_slow

NO_DOMAINS = (
    "DOMAINS is empty: no sender domain is configured, so no address can be created or send mail."
)
_PATTERNS = ("ADDRESS_REGEX", "ADDRESS_CHECK_REGEX")
_SETTINGS = tuple(setting.name.upper() for setting in DECLARED)
_TOKENS_OF_DOMAINS = "RESEND_TOKEN_"

Place = Callable[[str], str]  # where the variable with this name is set, for people


def unreadable_settings(variables: Mapping[str, Any], place: Place) -> list[str]:
    """A sentence about each variable that can't be read or used. It says what it must be."""
    remaining, found = dict(variables), []
    while True:
        try:
            settings = read_settings(remaining)
        except ServerFault as fault:
            name, expected = fault.values["name"], fault.values["expected"]
            found.append(f"{place(name)}: {name} can't be read. It must be {expected}.")
            del remaining[name]
        else:
            return [*found, *_slow_patterns(settings, place)]


def _slow_patterns(settings: Settings, place: Place) -> Iterator[str]:
    for name in _PATTERNS:
        pattern = getattr(settings, name.lower())
        if pattern is not None and is_slow(pattern):
            yield (
                f"{place(name)}: {name} can't be used: it takes very long for some names. "
                "Leave out repetitions inside of repetitions, such as (a+)+."
            )


def misspelled_settings(names: Iterable[str], place: Place) -> list[str]:
    """A sentence about each unknown name that is similar to a setting. It names the setting."""
    names = [name for name in names if not name.startswith(_TOKENS_OF_DOMAINS)]
    return [
        f"{place(name)}: there is no setting {name}. Did you mean {meant}?"
        for name, meant in misspelled(names, _SETTINGS).items()
    ]
