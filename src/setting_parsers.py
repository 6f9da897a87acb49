"""The parsers of settings: each converts the value of a variable to the type of the setting.

A parser raises ``Unreadable`` if the value has the wrong form.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from accounts.sending_limits import RateLimit
from mail.addresses import InvalidAddress, ascii_domain

_RATE_LIMIT = re.compile(r"([1-9][0-9]{0,8})\s*/\s*([1-9][0-9]{0,4})?\s*([a-z]+)", re.IGNORECASE)
_SECONDS = {
    **dict.fromkeys(("", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 86_400),
}
_MAX_WINDOW_SECONDS = 31 * 86_400

# A longer password in a header is wrong without a comparison, which would take long.
MAX_PASSWORD_CHARACTERS = 4096


class Unreadable(ValueError):
    """The value has the wrong form. The message describes the expected form."""


def text(value: Any) -> str:
    """Any text, unchanged."""
    if not isinstance(value, str):
        raise Unreadable("a text")
    return value


def anything(value: Any) -> Any:
    """A value that is read together with others (``transport_settings.py``)."""
    return value


def url(value: Any) -> str:
    """An http or https URL, without surrounding spaces."""
    address = text(value).strip()
    if re.fullmatch(r"https?://[!-~]+", address) is None:
        raise Unreadable("an address that begins with https:// or http://")
    return address


def name_prefix(value: Any) -> str:
    """The prefix of address names, in lower case."""
    prefix = text(value).strip().lower()
    if re.fullmatch(r"[a-z0-9][a-z0-9._+-]{0,31}", prefix) is None:
        raise Unreadable("1 to 32 letters, digits or . _ + -, beginning with a letter or digit")
    return prefix


def boolean(value: Any) -> bool:
    """A boolean, or the text ``true`` or ``false`` in any letter case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Unreadable("true or false")


def at_least(minimum: int, maximum: int = 10**15 - 1) -> Callable[[Any], int]:
    """Return the parser of a whole number in this range, as a number or as text."""

    def parse(value: Any) -> int:
        expected = f"a whole number, at least {minimum} and at most {maximum}"
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unreadable(expected)
        if not minimum <= value <= maximum:
            raise Unreadable(expected)
        return value

    return parse


def rate_limit(value: Any) -> RateLimit:
    """A number of messages and a period, such as ``100/minute`` or ``5/10s``."""
    match = _RATE_LIMIT.fullmatch(text(value).strip())
    unit = match[3].lower().rstrip("s") if match else ""
    seconds = _SECONDS.get(unit, 0) * int(match[2] or 1) if match else 0
    if match is None or not 0 < seconds <= _MAX_WINDOW_SECONDS:
        raise Unreadable("a number and a period up to 31 days, like 100/minute or 5/10s")
    return RateLimit(int(match[1]), seconds)


def text_list(value: Any) -> tuple[str, ...]:
    """A list, a JSON array as text, or words separated by commas. Empty entries are dropped."""
    if isinstance(value, str):
        given = value.strip()
        if given.startswith("["):
            value = _json(given, expected="a list: a JSON array, or words separated by commas")
        else:
            value = [entry.strip() for entry in given.split(",")]
            if not any(value):
                raise Unreadable("a list with at least one entry")
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Unreadable("a list of texts")
    return tuple(entry for entry in value if entry)


def password_list(value: Any) -> tuple[str, ...]:
    """A ``text_list`` of passwords that can be sent in a header."""
    entries = text_list(value)
    if any(len(entry) > MAX_PASSWORD_CHARACTERS for entry in entries):
        raise Unreadable(f"a list of passwords of at most {MAX_PASSWORD_CHARACTERS} characters")
    return entries


def domain_list(value: Any) -> tuple[str, ...]:
    """A list of domain names, converted to lower-case A-labels."""
    try:
        return tuple(ascii_domain(entry.strip()) for entry in text_list(value))
    except InvalidAddress as error:
        raise Unreadable("a list of domain names") from error


def regex(value: Any) -> re.Pattern[str]:
    """A regular expression in Python's syntax, compiled."""
    pattern = text(value)
    if re.fullmatch(r"/.*/[a-z]*", pattern):  # no name contains a slash
        raise Unreadable("a regular expression without slashes around it and without flags")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unreadable("a regular expression") from error


def one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    """Return the parser of a text that is one of ``choices``."""

    def parse(value: Any) -> str:
        if value not in choices:
            raise Unreadable("one of " + ", ".join(choices))
        return str(value)

    return parse


def json_object(value: Any) -> dict[str, Any]:
    """A JSON object, as an object or as text."""
    if isinstance(value, str):
        value = _json(value, expected="a JSON object")
    if not isinstance(value, dict):
        raise Unreadable("a JSON object")
    return value


def smtp_server(value: Any) -> dict[str, Any]:
    """A JSON object. If it has the key ``smtp``, this is the host and port of an SMTP server."""
    config = json_object(value)
    if "smtp" in config and not _is_server(config["smtp"]):
        form = {"smtp": {"host": "smtp.example.com", "port": 587, "starttls": True}}
        raise Unreadable(f"a JSON object like {json.dumps(form)}")
    return config


def _is_server(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("host"), str)
        and type(value.get("port")) is int
        and 0 < value["port"] < 65_536
        and isinstance(value.get("starttls", False), bool)
    )


def _json(given: str, *, expected: str) -> Any:
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        raise Unreadable(expected) from error
