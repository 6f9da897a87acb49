"""The deployment's settings: every variable and secret, read and checked in one place.

Lists may be TOML arrays, JSON strings or comma-separated; booleans ``true`` or ``"true"``.
A variable that can't be read is an error that names it, never a silent default.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.naming import ROLE_NAMES, NameRules
from brake import Brake
from mail.address import InvalidAddress, ascii_domain
from rates import RateLimit
from refusals import ServerFault

LANGUAGES = ("en", "zh")
_ADMIN_MAX_NAME_LENGTH = 30
_TURNSTILE_URL = "https://challenges.cloudflare.com/turnstile/v0/siteverify"

_RATE_LIMIT = re.compile(r"([1-9][0-9]{0,8})\s*/\s*([1-9][0-9]{0,4})?\s*([a-z]+)", re.IGNORECASE)
_SECONDS = {
    **dict.fromkeys(("", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 86_400),
}
_MAX_WINDOW_SECONDS = 31 * 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one deployment; the names are those of the variables, in lower case."""

    jwt_secret: str | None
    jwt_secret_previous: tuple[str, ...]
    credential_ttl_days: int
    admin_passwords: tuple[str, ...]
    disable_admin_password_check: bool
    passwords: tuple[str, ...]
    password_pepper: str | None
    default_lang: str
    title: str
    domains: tuple[str, ...]
    default_domains: tuple[str, ...]
    create_address_default_domain_first: bool
    prefix: str
    address_regex: re.Pattern[str]
    address_check_regex: re.Pattern[str] | None
    min_address_len: int
    max_address_len: int
    enable_user_create_email: bool
    disable_anonymous_user_create_email: bool
    disable_custom_address_name: bool
    enable_user_delete_email: bool
    enable_address_password: bool
    max_addresses_per_client_per_day: int
    default_send_balance: int
    send_mail_domains: tuple[str, ...]
    sending_paused: bool
    send_rate_limit: RateLimit | None
    batch_inline: int
    pause_failed_percent: int
    pause_last_messages: int
    retry_hours: int
    retention_days: int
    retention_metadata_days: int
    cf_turnstile_site_key: str | None
    cf_turnstile_secret_key: str | None
    cf_turnstile_verify_url: str
    smtp_imap_proxy_config: dict[str, Any]

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        """Every secret that verifies tokens, the one that signs them first."""
        return (self.jwt_secret, *self.jwt_secret_previous) if self.jwt_secret else ()

    @property
    def brake(self) -> Brake | None:
        """When an address is paused, if ever."""
        percent = self.pause_failed_percent
        return Brake(percent, self.pause_last_messages) if percent else None

    @property
    def creation_domains(self) -> tuple[str, ...]:
        """The domains in which anybody may create an address."""
        return self.default_domains or self.domains

    @property
    def public_name_rules(self) -> NameRules:
        return NameRules(
            removed=self.address_regex,
            required=self.address_check_regex,
            min_length=self.min_address_len,
            max_length=self.max_address_len,
            prefix=self.prefix,
            reserved=ROLE_NAMES,
        )

    def admin_name_rules(self, *, with_prefix: bool) -> NameRules:
        return NameRules(
            removed=None,
            required=None,
            min_length=1,
            max_length=_ADMIN_MAX_NAME_LENGTH,
            prefix=self.prefix if with_prefix else "",
            reserved=frozenset(),
        )


def read_settings(variables: Mapping[str, Any]) -> Settings:
    """Read the settings from the worker's variables and secrets.

    :raises ServerFault: ``invalid_setting``, naming the variable that can't be read.
    """
    read = _Reader(variables)
    min_length = read("MIN_ADDRESS_LEN", _positive, 1)
    return Settings(
        jwt_secret=read("JWT_SECRET", _text, None),
        jwt_secret_previous=read("JWT_SECRET_PREVIOUS", _list, ()),
        credential_ttl_days=read("CREDENTIAL_TTL_DAYS", _at_least(0), 0),
        admin_passwords=read("ADMIN_PASSWORDS", _list, ()),
        disable_admin_password_check=read("DISABLE_ADMIN_PASSWORD_CHECK", _boolean, False),
        passwords=read("PASSWORDS", _list, ()),
        password_pepper=read("PASSWORD_PEPPER", _text, None),
        default_lang=read("DEFAULT_LANG", _language, "en"),
        title=read("TITLE", _text, "Send Mail API"),
        domains=read("DOMAINS", _domains, ()),
        default_domains=read("DEFAULT_DOMAINS", _domains, ()),
        create_address_default_domain_first=read(
            "CREATE_ADDRESS_DEFAULT_DOMAIN_FIRST", _boolean, False
        ),
        prefix=read("PREFIX", _prefix, ""),
        address_regex=read("ADDRESS_REGEX", _pattern, re.compile("[^a-z0-9]")),
        address_check_regex=read("ADDRESS_CHECK_REGEX", _pattern, None),
        min_address_len=min_length,
        max_address_len=read("MAX_ADDRESS_LEN", _at_least(min_length), max(30, min_length)),
        enable_user_create_email=read("ENABLE_USER_CREATE_EMAIL", _boolean, False),
        disable_anonymous_user_create_email=read(
            "DISABLE_ANONYMOUS_USER_CREATE_EMAIL", _boolean, False
        ),
        disable_custom_address_name=read("DISABLE_CUSTOM_ADDRESS_NAME", _boolean, False),
        enable_user_delete_email=read("ENABLE_USER_DELETE_EMAIL", _boolean, False),
        enable_address_password=read("ENABLE_ADDRESS_PASSWORD", _boolean, False),
        max_addresses_per_client_per_day=read("MAX_ADDRESSES_PER_CLIENT_PER_DAY", _at_least(0), 0),
        default_send_balance=read("DEFAULT_SEND_BALANCE", _at_least(0), 0),
        send_mail_domains=read("SEND_MAIL_DOMAINS", _domains, ()),
        sending_paused=read("SENDING_PAUSED", _boolean, False),
        send_rate_limit=read("SEND_RATE_LIMIT", _rate_limit, None),
        batch_inline=read("BATCH_INLINE", _positive, 25),
        pause_failed_percent=read("PAUSE_FAILED_PERCENT", _at_least(0), 50),
        pause_last_messages=read("PAUSE_LAST_MESSAGES", _positive, 50),
        retry_hours=read("RETRY_HOURS", _at_least(0), 72),
        retention_days=read("RETENTION_DAYS", _at_least(0), 30),
        retention_metadata_days=read("RETENTION_METADATA_DAYS", _at_least(0), 90),
        cf_turnstile_site_key=read("CF_TURNSTILE_SITE_KEY", _text, None),
        cf_turnstile_secret_key=read("CF_TURNSTILE_SECRET_KEY", _text, None),
        cf_turnstile_verify_url=read("CF_TURNSTILE_VERIFY_URL", _url, _TURNSTILE_URL),
        smtp_imap_proxy_config=read("SMTP_IMAP_PROXY_CONFIG", _object, {}),
    )


class _Unreadable(ValueError):
    """The value is not of the form that the message names."""


@dataclass(frozen=True, slots=True)
class _Reader:
    variables: Mapping[str, Any]

    def __call__(self, name: str, parse: Callable[[Any], Any], default: Any) -> Any:
        value = self.variables.get(name)
        if value is None or value == "":
            return default
        try:
            return parse(value)
        except _Unreadable as error:
            raise ServerFault("invalid_setting", name=name, expected=str(error)) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unreadable("a text")
    return value


def _url(value: Any) -> str:
    url = _text(value).strip()
    if re.fullmatch(r"https?://[!-~]+", url) is None:
        raise _Unreadable("an address that begins with https:// or http://")
    return url


def _prefix(value: Any) -> str:
    prefix = _text(value).strip().lower()
    if re.fullmatch(r"[a-z0-9][a-z0-9._+-]{0,31}", prefix) is None:
        raise _Unreadable("at most 32 letters, digits and . _ + -, a letter or digit first")
    return prefix


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise _Unreadable("true or false")


def _at_least(minimum: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        expected = f"a whole number, at least {minimum}"
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= 2**53:
            raise _Unreadable(expected)
        return value

    return parse


_positive = _at_least(1)


def _rate_limit(value: Any) -> RateLimit:
    match = _RATE_LIMIT.fullmatch(_text(value).strip())
    unit = match[3].lower().rstrip("s") if match else ""
    seconds = _SECONDS.get(unit, 0) * int(match[2] or 1) if match else 0
    if match is None or not 0 < seconds <= _MAX_WINDOW_SECONDS:
        raise _Unreadable("a number and a period up to 31 days, like 100/minute or 5/10s")
    return RateLimit(int(match[1]), seconds)


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise _Unreadable("a list: a JSON array, or words with commas") from error
        else:
            value = [entry.strip() for entry in text.split(",")]
            if not any(value):
                raise _Unreadable("a list with at least one entry")
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _Unreadable("a list of texts")
    return tuple(entry for entry in value if entry)


def _domains(value: Any) -> tuple[str, ...]:
    try:
        return tuple(ascii_domain(entry.strip()) for entry in _list(value))
    except InvalidAddress as error:
        raise _Unreadable("a list of domain names") from error


def _pattern(value: Any) -> re.Pattern[str]:
    try:
        return re.compile(_text(value))
    except (re.error, OverflowError, RecursionError) as error:
        raise _Unreadable("a regular expression") from error


def _language(value: Any) -> str:
    if value not in LANGUAGES:
        raise _Unreadable("one of " + ", ".join(LANGUAGES))
    return str(value)


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise _Unreadable("a JSON object") from error
    if not isinstance(value, dict):
        raise _Unreadable("a JSON object")
    return value
