"""The settings: one field per environment variable, with its parser, default and help.

All settings are read and checked once, before the relay listens. ``--help`` and docs/smtp.md show
the help texts.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from smtp_relay import setting_parsers as parse
from smtp_relay.network import is_loopback

Parsed = TypeVar("Parsed")
Default = TypeVar("Default")

# Half of MemoryMax in the systemd unit.
DEFAULT_MEMORY_MB = 512

# The largest values with which the API accepts every message that the relay accepts.
_API_MAXIMUMS = {"smtp_max_bytes": 5 * 1024 * 1024, "smtp_max_recipients": 50}


class SettingsError(Exception):
    """A setting is invalid, or two contradict each other. The text names them."""


def _setting(parser: Callable[[str], Parsed], default: Default, text: str) -> Parsed | Default:
    metadata = {"parser": parser, "help": text}
    field: Default = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. The name of a field in capital letters is its environment variable."""

    api_url: str = _setting(parse.url, "http://localhost:8787", "URL of the API.")
    site_password: str | None = _setting(
        parse.secret, None, "One of the API's `PASSWORDS`, if the API has any."
    )
    api_seconds: float = _setting(
        parse.seconds,
        60.0,
        "Timeout for the API's response to a message. The API itself waits up to 30 s for the "
        "provider. A shorter timeout makes the outcome of slow messages unknown. Connecting may "
        "take a third of the timeout, at most 10 s. Before that, the relay may wait just as long "
        "for a free connection, in addition to the timeout.",
    )
    api_connections: int = _setting(
        parse.whole_number(1),
        100,
        "Maximum number of messages that the relay sends to the API at the same time. One user can "
        "use at most half of these connections. Logins have a tenth as many of their own.",
    )
    smtp_host: str = _setting(
        str, "localhost", "Name or address to listen on; `0.0.0.0` or `::` for all interfaces."
    )
    smtp_port: int = _setting(
        parse.port,
        8025,
        "Port for plain SMTP, and STARTTLS if there is a certificate; 0 for any free port.",
    )
    smtp_tls_port: int | None = _setting(
        parse.port, None, "Port for TLS from the first byte. By default there is none."
    )
    smtp_tls_cert: Path | None = _setting(
        parse.file, None, "File with the certificate chain, in PEM format."
    )
    smtp_tls_key: Path | None = _setting(
        parse.file, None, "File with the key of the certificate, without a passphrase."
    )
    smtp_allow_plain_auth: bool = _setting(
        parse.boolean, False, "Let clients on other machines log in without TLS."
    )
    smtp_hostname: str | None = _setting(
        parse.hostname, None, "Host name in the greeting. The machine's host name by default."
    )
    smtp_max_connections: int = _setting(
        parse.whole_number(1), 1000, "Maximum number of open SMTP connections."
    )
    smtp_max_connections_per_client: int = _setting(
        parse.whole_number(1),
        200,
        "Maximum number of open SMTP connections from one IP address (one /64 network for IPv6).",
    )
    smtp_max_bytes: int = _setting(
        parse.whole_number(1024),
        5 * 1024 * 1024,
        "Maximum size of a message in bytes, announced as SIZE. The API accepts 5 MiB.",
    )
    smtp_memory_mb: int | None = _setting(
        parse.whole_number(1),
        None,
        "Memory for messages under way, over all connections, in MiB. An eighth of it is for small "
        "messages: each connection has an equal part of this. By default half of the "
        "memory limit of the service or the container, or "
        f"{DEFAULT_MEMORY_MB} if there is no limit.",
    )
    smtp_max_recipients: int = _setting(
        parse.whole_number(1), 50, "Maximum number of recipients of a message. The API accepts 50."
    )
    smtp_max_hops: int = _setting(
        parse.whole_number(1),
        30,
        "Maximum number of `Received` fields. A message with more is rejected as a mail loop.",
    )
    smtp_strict: bool = _setting(
        parse.boolean,
        False,
        "Reject a message that the relay would have to change, instead of changing it.",
    )
    smtp_idle_seconds: float = _setting(
        parse.seconds, 300.0, "Timeout for the next command of a client."
    )
    smtp_data_seconds: float = _setting(
        parse.seconds,
        600.0,
        "Timeout for receiving a whole message. Each 64 KiB of it must arrive within a tenth of "
        "this time.",
    )
    smtp_stop_seconds: float = _setting(
        parse.seconds,
        75.0,
        "How long the relay waits for open transactions when it stops. Must be longer than "
        "`API_SECONDS` plus the wait for a free connection.",
    )
    status_host: str = _setting(
        str, "localhost", "Name or address to serve `/healthz` and `/metrics` on."
    )
    status_port: int | None = _setting(
        parse.port_or_off, 8026, "Port for `/healthz` and `/metrics`, or `off`."
    )

    @property
    def api_connection_seconds(self) -> float:
        """Seconds to wait for a free connection to the API, and again to connect (TCP and TLS).

        Each is shorter than ``api_seconds``. So this timeout comes first, and the request is known
        not to have been sent.
        """
        return min(10.0, self.api_seconds / 3)


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read and check the settings. An empty variable counts as not set.

    :raises SettingsError: a setting is invalid. The text says which, and what it must be.
    """
    given: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        name = field.name.upper()
        value = variables.get(name, "").strip()
        if value:
            given[field.name] = _parsed(name, value, field.metadata["parser"])
    settings = Settings(**given)
    _check(settings)
    return settings


def beyond_api(settings: Settings) -> dict[str, int]:
    """What the API accepts, for each setting with which the relay accepts more than the API."""
    return {
        name.upper(): maximum
        for name, maximum in _API_MAXIMUMS.items()
        if getattr(settings, name) > maximum
    }


def settings_help() -> list[tuple[str, str, str]]:
    """Name, default and help of each setting, for ``--help`` and docs/smtp.md."""
    return [
        (field.name.upper(), _shown(field.default), field.metadata["help"])
        for field in dataclasses.fields(Settings)
    ]


def _parsed(name: str, value: str, parser: Callable[[str], Any]) -> Any:
    try:
        return parser(value)
    except parse.InvalidSecret as error:
        raise SettingsError(f"{name} must be {error}") from None
    except parse.InvalidValue as error:
        raise SettingsError(f"{name} must be {error}; it is {value!r}") from None


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    return "" if default is None else str(default)


def _check(settings: Settings) -> None:
    if (settings.smtp_tls_cert is None) != (settings.smtp_tls_key is None):
        raise SettingsError("SMTP_TLS_CERT and SMTP_TLS_KEY must be set together")
    if settings.smtp_tls_cert is None:
        if settings.smtp_tls_port is not None:
            raise SettingsError("SMTP_TLS_PORT needs SMTP_TLS_CERT and SMTP_TLS_KEY")
        if not is_loopback(settings.smtp_host) and not settings.smtp_allow_plain_auth:
            raise SettingsError(
                f"Other machines can reach SMTP_HOST={settings.smtp_host}, and without a "
                "certificate passwords would cross the network as plain text: set SMTP_TLS_CERT "
                "and SMTP_TLS_KEY, or SMTP_ALLOW_PLAIN_AUTH=true if the network is trusted"
            )
    longest = settings.api_seconds + settings.api_connection_seconds
    if settings.smtp_stop_seconds <= longest:
        raise SettingsError(
            f"SMTP_STOP_SECONDS must be more than {longest:g}, the longest time for a message with "
            f"API_SECONDS={settings.api_seconds:g}; it is {settings.smtp_stop_seconds:g}"
        )
