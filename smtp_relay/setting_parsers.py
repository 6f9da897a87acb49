"""Parsers for the values of settings."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

_MAX_NUMBER = 10**11 - 1


class InvalidValue(ValueError):
    """The value is invalid. The text says what the value must be."""


class InvalidSecret(InvalidValue):
    """An invalid value that error messages must not contain."""


def url(value: str) -> str:
    """The base URL of the API, without a slash at the end."""
    expected = "the address of the API, like https://send-mail-api.example.workers.dev"
    try:
        parts = urlsplit(value)
        is_port_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InvalidValue(expected) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_port_valid:
        raise InvalidValue(expected)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise InvalidValue(expected + ", without user, query and fragment")
    return value.rstrip("/")


def whole_number(minimum: int) -> Callable[[str], int]:
    """A parser for whole numbers from ``minimum`` to ``_MAX_NUMBER``."""

    def parse(value: str) -> int:
        is_number = value.isascii() and value.isdigit()
        if not is_number or not minimum <= int(value[:12]) <= _MAX_NUMBER:
            raise InvalidValue(f"a whole number, at least {minimum} and at most {_MAX_NUMBER}")
        return int(value)

    return parse


def seconds(value: str) -> float:
    """A duration in seconds."""
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number <= 86_400:
        raise InvalidValue("a number of seconds, more than 0 and at most a day")
    return number


def port(value: str) -> int:
    """A TCP port. 0 is any free port."""
    if not value.isascii() or not value.isdigit() or int(value[:6]) > 65_535:
        raise InvalidValue("a port, from 1 to 65535, or 0 for any free one")
    return int(value)


def port_or_off(value: str) -> int | None:
    """A TCP port, or None for ``off``."""
    try:
        return None if value.lower() == "off" else port(value)
    except InvalidValue as error:
        raise InvalidValue(f"{error}, or off") from None


def boolean(value: str) -> bool:
    """``true`` or ``false``."""
    if value.lower() not in ("true", "false"):
        raise InvalidValue("true or false")
    return value.lower() == "true"


def secret(value: str) -> str:
    """A password, made of printable characters."""
    if not value.isprintable():
        raise InvalidSecret("made of printable characters")
    return value


def hostname(value: str) -> str:
    """A host name."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidValue("a host name")
    return value


def file(value: str) -> Path:
    """The path of an existing file."""
    path = Path(value)
    if not path.is_file():
        raise InvalidValue("a file that exists")
    return path
