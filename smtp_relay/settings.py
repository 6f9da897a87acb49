"""The settings: environment variables, and a file ``.env`` beneath them.

All of them are read and checked here, before anything listens.
"""

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_DEFAULT_PORT = 8025
_DEFAULT_STATUS_PORT = 8026


class SettingsError(Exception):
    """A setting can't be read, or two don't go together; the text names them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; ``docs/smtp.md`` explains each under its name, in capital letters.

    ``smtp_tls_port`` and ``status_port`` are None where nothing is to listen there, port 0 is any
    free one.
    """

    api_url: str
    site_password: str | None
    api_seconds: float
    api_connections: int
    smtp_host: str
    smtp_port: int
    smtp_tls_port: int | None
    smtp_tls_cert: Path | None
    smtp_tls_key: Path | None
    smtp_allow_plain_auth: bool
    smtp_hostname: str
    smtp_max_connections: int
    smtp_max_connections_per_client: int
    smtp_max_bytes: int
    smtp_max_line_bytes: int
    smtp_max_recipients: int
    smtp_max_hops: int
    smtp_idle_seconds: float
    smtp_data_seconds: float
    smtp_stop_seconds: float
    status_host: str
    status_port: int | None

    @property
    def api_connection_seconds(self) -> float:
        """How long to wait for a connection to the API to be free, then for TCP, then for TLS.

        The last two end before ``api_seconds``: a mail that can't have left is known not to have.
        """
        return min(10.0, self.api_seconds / 3)


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read and check the settings.

    :raises SettingsError: naming the variable, what it must be, and what it is.
    """
    read = _Reader(variables)
    settings = Settings(
        api_url=read("API_URL", _url, "http://localhost:8787"),
        site_password=read("SITE_PASSWORD", _site_password, None),
        api_seconds=read("API_SECONDS", _seconds, 60.0),
        api_connections=read("API_CONNECTIONS", _whole(1), 100),
        smtp_host=read("SMTP_HOST", str, "localhost"),
        smtp_port=read("SMTP_PORT", _port, _DEFAULT_PORT),
        smtp_tls_port=read("SMTP_TLS_PORT", _port, None),
        smtp_tls_cert=read("SMTP_TLS_CERT", _file, None),
        smtp_tls_key=read("SMTP_TLS_KEY", _file, None),
        smtp_allow_plain_auth=read("SMTP_ALLOW_PLAIN_AUTH", _boolean, False),
        smtp_hostname=read("SMTP_HOSTNAME", _hostname, socket.gethostname()),
        smtp_max_connections=read("SMTP_MAX_CONNECTIONS", _whole(1), 1000),
        smtp_max_connections_per_client=read("SMTP_MAX_CONNECTIONS_PER_CLIENT", _whole(1), 200),
        smtp_max_bytes=read("SMTP_MAX_BYTES", _whole(1024), 5 * 1024 * 1024),
        smtp_max_line_bytes=read("SMTP_MAX_LINE_BYTES", _whole(998), 64 * 1024),
        smtp_max_recipients=read("SMTP_MAX_RECIPIENTS", _whole(1), 50),
        smtp_max_hops=read("SMTP_MAX_HOPS", _whole(1), 30),
        smtp_idle_seconds=read("SMTP_IDLE_SECONDS", _seconds, 300.0),
        smtp_data_seconds=read("SMTP_DATA_SECONDS", _seconds, 600.0),
        smtp_stop_seconds=read("SMTP_STOP_SECONDS", _seconds, 75.0),
        status_host=read("STATUS_HOST", str, "localhost"),
        status_port=read("STATUS_PORT", _port_or_off, _DEFAULT_STATUS_PORT),
    )
    _check(settings)
    return settings


def read_env_file(path: Path) -> dict[str, str]:
    """The ``NAME=value`` lines of ``path``, without quotes; none where there is no such file.

    :raises SettingsError: a line is of no such form, or the file can't be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    variables = {}
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path}, line {number}: this is not of the form NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        variables[name.strip()] = value
    return variables


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach ``host``, a name or an address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _check(settings: Settings) -> None:
    if (settings.smtp_tls_cert is None) != (settings.smtp_tls_key is None):
        raise SettingsError("SMTP_TLS_CERT and SMTP_TLS_KEY must be set together")
    if settings.smtp_tls_cert is None:
        if settings.smtp_tls_port is not None:
            raise SettingsError("SMTP_TLS_PORT needs SMTP_TLS_CERT and SMTP_TLS_KEY")
        if not is_loopback(settings.smtp_host) and not settings.smtp_allow_plain_auth:
            raise SettingsError(
                f"SMTP_HOST={settings.smtp_host} can be reached from other machines, and without a "
                "certificate passwords would cross the network as plain text: set SMTP_TLS_CERT "
                "and SMTP_TLS_KEY, or SMTP_ALLOW_PLAIN_AUTH=true where the network is safe"
            )
    longest = settings.api_seconds + settings.api_connection_seconds
    if settings.smtp_stop_seconds <= longest:
        raise SettingsError(
            f"SMTP_STOP_SECONDS must be more than {longest:g}, which a mail may take with "
            f"API_SECONDS={settings.api_seconds:g}; it is {settings.smtp_stop_seconds:g}"
        )


class _Unreadable(ValueError):
    """The value is not of the form that the text names."""


@dataclass(frozen=True, slots=True)
class _Reader:
    variables: Mapping[str, str]

    def __call__(self, name: str, parse: Callable[[str], Any], default: Any) -> Any:
        value = self.variables.get(name, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except _Unreadable as error:
            raise SettingsError(f"{name} must be {error}; it is {value!r}") from None


def _url(value: str) -> str:
    expected = "the address of the API, like https://send-mail-api.example.workers.dev"
    try:
        parts = urlsplit(value)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError as error:
        raise _Unreadable(expected) from error
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise _Unreadable(expected)
    if not is_plain:
        raise _Unreadable(expected + ", without user, query and fragment")
    return value.rstrip("/")


def _whole(minimum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not minimum <= int(value[:12]) < 10**11:
            raise _Unreadable(f"a whole number, at least {minimum}")
        return int(value)

    return parse


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86_400:
        raise _Unreadable("a number of seconds, more than 0 and at most a day")
    return seconds


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value[:6]) > 65_535:
        raise _Unreadable("a port, from 1 to 65535, or 0 for any free one")
    return int(value)


def _port_or_off(value: str) -> int | None:
    try:
        return None if value.lower() == "off" else _port(value)
    except _Unreadable as error:
        raise _Unreadable(f"{error}, or off") from None


def _boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise _Unreadable("true or false")
    return value.lower() == "true"


def _site_password(value: str) -> str:
    if not value.isprintable():  # and it is not shown
        raise SettingsError("SITE_PASSWORD must be of printable characters")
    return value


def _hostname(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise _Unreadable("a host name")
    return value


def _file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise _Unreadable("a file that exists")
    return path
