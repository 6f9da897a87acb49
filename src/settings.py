"""The deployment's settings: every variable and secret, read and checked in one place.

Each field of ``Settings`` declares one setting: its parser, its default and its help text. The
variable has the field's name in upper case. ``make settings-table`` writes the help texts into
docs/configuration.md. If a variable can't be read, the error names it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from accounts.names import ROLE_NAMES, NameRules
from accounts.sending_limits import PausePolicy, RateLimit
from errors import ServerFault
from log import log
from setting_parsers import (
    Unreadable,
    anything,
    at_least,
    boolean,
    domain_list,
    name_prefix,
    one_of,
    password_list,
    rate_limit,
    regex,
    smtp_server,
    text,
    text_list,
    url,
)

if TYPE_CHECKING:
    from transport.routing import Routing

VERSION = "0.1.0"  # of this service; pyproject.toml has the same
LANGUAGES = ("en", "zh")
ERROR_FORMATS = ("json", "text")
_GOOD_SECRET_BYTES = 32  # RFC 7518, section 3.2
_TURNSTILE_URL = "https://challenges.cloudflare.com/turnstile/v0/siteverify"

_T = TypeVar("_T")


def setting(
    parse: Callable[[Any], _T],
    default: _T,
    help: str,
    *,
    not_below: str | None = None,
    secret: bool = False,
) -> _T:
    """Declare a setting as a field of ``Settings``.

    :param help: Markdown, for docs/configuration.md.
    :param not_below: the name of an earlier field. Its value is the minimum of this setting; a
        lower default is raised to the minimum.
    :param secret: whether the value is a secret of the Worker instead of a variable.
    """
    metadata = {"parse": parse, "help": help, "not_below": not_below, "secret": secret}
    return field(default_factory=lambda: default, metadata=metadata)


def secret(parse: Callable[[Any], _T], default: _T, help: str) -> _T:
    """Declare a setting whose value is a secret of the Worker."""
    return setting(parse, default, help, secret=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one deployment."""

    jwt_secret: str | None = secret(
        text, None, "Signs the credentials (HS256). Required. `make secret` prints one."
    )
    jwt_secret_previous: tuple[str, ...] = secret(
        text_list, (), "Older secrets. They still verify credentials but never sign them."
    )
    cf_turnstile_secret_key: str | None = secret(
        text, None, "Secret key of [Turnstile](#turnstile)."
    )
    admin_passwords: tuple[str, ...] = secret(
        password_list, (), "Passwords of [administrators](#site-and-admin-passwords)."
    )
    passwords: tuple[str, ...] = secret(
        password_list, (), "Passwords of the [whole site](#site-and-admin-passwords)."
    )
    password_pepper: str | None = secret(
        text,
        None,
        "Key in the hashes of address passwords. Changing it invalidates these passwords.",
    )
    webhook_secret: str | None = secret(
        text,
        None,
        "Derives the secrets of [webhooks](webhooks.md#secrets). Default: `JWT_SECRET`.",
    )
    transport_secrets: object = secret(
        anything,
        None,
        "JSON object: the secrets of each of the [transports](transports.md), by its name.",
    )
    resend_token: str | None = secret(
        text,
        None,
        "API key of [Resend](transports.md#resend). `RESEND_TOKEN_EXAMPLE_COM` is that of the"
        " sender domain `example.com`.",
    )
    smtp_config: object = secret(
        anything,
        None,
        "JSON object: the [SMTP server](transports.md#smtp) of each sender domain.",
    )
    domains: tuple[str, ...] = setting(
        domain_list, (), "Sender domains. Administrators can create addresses in all of them."
    )
    default_domains: tuple[str, ...] = setting(
        domain_list, (), "Domains in which users create addresses. Empty means `DOMAINS`."
    )
    create_address_default_domain_first: bool = setting(
        boolean, False, "A request without a domain gets the first domain instead of a random one."
    )
    enable_user_create_email: bool = setting(
        boolean, False, "Users can create addresses with `POST /api/new_address`."
    )
    disable_anonymous_user_create_email: bool = setting(
        boolean, False, "`POST /api/new_address` rejects anonymous requests."
    )
    disable_custom_address_name: bool = setting(
        boolean, False, "Names are random. Users can't choose them."
    )
    prefix: str = setting(
        name_prefix, "", "Prefix of new names, in lower case: letters, digits and `. _ + -`."
    )
    address_regex: re.Pattern[str] = setting(
        regex,
        re.compile("[^a-z0-9]"),
        "Regular expression. Its matches are removed from names that users request.",
    )
    address_check_regex: re.Pattern[str] | None = setting(
        regex, None, "Regular expression. A name that a user creates must contain a match."
    )
    min_address_len: int = setting(at_least(1), 1, "Minimum length of a name, without the prefix.")
    max_address_len: int = setting(
        at_least(1),
        30,
        "Maximum length of a name; at least `MIN_ADDRESS_LEN`.",
        not_below="min_address_len",
    )
    enable_address_password: bool = setting(
        boolean, False, "A new address also gets a [password](#credentials-and-passwords)."
    )
    credential_ttl_days: int = setting(
        at_least(0), 0, "Days until a new credential expires. 0: never."
    )
    max_addresses_per_client_per_day: int = setting(
        at_least(0), 0, "Addresses that one [client](#clients) can create per day. 0: no limit."
    )
    max_credential_changes_per_day: int = setting(
        at_least(0),
        20,
        "[Credential rotations](#daily-limits) of one address per day, and separately password"
        " changes. 0: no limit.",
    )
    max_webhook_calls_per_day: int = setting(
        at_least(0),
        500,
        "Calls of one address per day that [create, change, test or replay](#daily-limits)"
        " webhooks. 0: no limit.",
    )
    max_sandbox_recipients_per_day: int = setting(
        at_least(0),
        200,
        "[Sandbox recipients](#daily-limits) that one address can send to per day. 0: no limit.",
    )
    max_sandbox_bytes_per_day: int = setting(
        at_least(0),
        20_000_000,
        "Size of the [sandbox messages](#daily-limits) of one address per day, in bytes. 0: no"
        " limit.",
    )
    max_withdrawals_per_day: int = setting(
        at_least(0),
        1000,
        "Messages of one address per day that [fail or are cancelled](#daily-limits), and"
        " separately reschedules. 0: no limit.",
    )
    enable_user_delete_email: bool = setting(
        boolean, False, "The owner of an address can delete its messages and the address."
    )
    default_send_balance: int = setting(
        at_least(0), 0, "Number of recipients that a new address can send to, granted once."
    )
    send_mail_domains: tuple[str, ...] = setting(
        domain_list, (), "Sender domains that the `SEND_MAIL` binding serves. Empty means all."
    )
    transports: object = setting(
        anything, None, "JSON array: [transports](transports.md) beside the `SEND_MAIL` binding."
    )
    routes: object = setting(
        anything,
        None,
        "JSON object: for a sender domain, or `*`, the [transports](transports.md#routes) to try,"
        " in this order.",
    )
    send_rate_limit: RateLimit | None = setting(
        rate_limit,
        None,
        "[Messages per period](#rate-limits) of one credential, like `100/minute`.",
    )
    subrequests: int = setting(
        at_least(50),
        50,
        "[Subrequests](#subrequests) that the plan allows per invocation: 50 on Workers Free,"
        " 10000 on Workers Paid.",
    )
    batch_inline: int = setting(
        at_least(1), 25, "Number of messages of a [batch](#batches) sent before the response."
    )
    pause_failed_percent: int = setting(
        at_least(0, 100),
        50,
        "Percentage of failed messages that [pauses](#pauses) an address; 0: never.",
    )
    pause_last_messages: int = setting(
        at_least(1), 50, "Number of last messages that `PAUSE_FAILED_PERCENT` refers to."
    )
    retry_hours: int = setting(
        at_least(0), 72, "Hours during which a message is [retried](#retries)."
    )
    retention_days: int = setting(at_least(0), 30, "Days that message texts are kept. 0: forever.")
    retention_metadata_days: int = setting(
        at_least(0), 90, "Days that messages, recipients and histories are kept. 0: forever."
    )
    sending_paused: bool = setting(
        boolean, False, "Stops all sending. Requests to send get a 503 error."
    )
    default_lang: str = setting(
        one_of(LANGUAGES), "en", "Language of errors, `en` or `zh`, if a request has no `x-lang`."
    )
    error_format: str = setting(
        one_of(ERROR_FORMATS),
        "json",
        "Format of errors outside of `/emails`: `json`, or `text` for only a sentence.",
    )
    title: str = setting(text, "Send Mail API", "Name of the site, sent to clients.")
    smtp_imap_proxy_config: dict[str, Any] = setting(
        smtp_server,
        {},
        "Host and port of the [SMTP relay](#smtp-relay), which the console shows to users.",
    )
    cf_turnstile_site_key: str | None = setting(
        text, None, "Site key of [Turnstile](#turnstile), sent to clients."
    )
    cf_turnstile_verify_url: str = setting(
        url, _TURNSTILE_URL, "URL that verifies Turnstile tokens. Only tests change it."
    )
    enable_local_webhooks: bool = setting(
        boolean, False, "Allows webhooks on `http://localhost`, for local development only."
    )
    disable_admin_password_check: bool = setting(
        boolean, False, "Opens `/admin/` to all clients, for local development only."
    )

    # What the settings about transports mean together; None if the deployment has none of them.
    routing: "Routing | None" = None

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        """The secrets that verify tokens, first the one that also signs them. Empty if unset."""
        return (self.jwt_secret, *self.jwt_secret_previous) if self.jwt_secret else ()

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets from which those of webhooks are derived. The first one is shown to users."""
        first = self.webhook_secret or self.jwt_secret
        return (first, *self.jwt_secret_previous) if first else ()

    @property
    def verifies_humans(self) -> bool:
        """Whether anonymous clients and logins need a Turnstile token."""
        return bool(self.cf_turnstile_site_key and self.cf_turnstile_secret_key)

    @property
    def pause_policy(self) -> PausePolicy | None:
        """The policy that pauses addresses. None if addresses are never paused."""
        percent = self.pause_failed_percent
        return PausePolicy(percent, self.pause_last_messages) if percent else None

    @property
    def creation_domains(self) -> tuple[str, ...]:
        """The domains in which users can create addresses."""
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
        return NameRules(prefix=self.prefix if with_prefix else "")


# The settings that are variables or secrets.
DECLARED = tuple(one for one in fields(Settings) if one.metadata)

# The beginnings of the names of the variables that ``routing`` is read from.
_OF_TRANSPORTS = ("RESEND_TOKEN", "ROUTES", "SMTP_CONFIG", "TRANSPORT")


@lru_cache(maxsize=1)
def cached_settings(variables: str) -> Settings:
    """The settings in ``variables``, a JSON object. Cached, because variables never change.

    :raises ServerFault: ``invalid_setting``, naming the variable that can't be read.
    """
    settings = read_settings(json.loads(variables))
    for problem in _problems(settings):
        log("WARNING", problem=problem)
    return settings


def _problems(settings: Settings) -> Iterator[str]:
    if settings.disable_admin_password_check:
        yield "DISABLE_ADMIN_PASSWORD_CHECK is on: every client is an administrator"
    if not settings.domains:
        yield "DOMAINS is empty: no sender domain is configured"
    yield from doubtful_settings(settings)


def doubtful_settings(settings: Settings) -> Iterator[str]:
    """A sentence about each setting that can be read but is probably a mistake."""
    unknown = [one for one in settings.default_domains if one not in settings.domains]
    if settings.domains and unknown:
        yield (
            f"DEFAULT_DOMAINS contains {', '.join(unknown)}, but DOMAINS does not: addresses in "
            "such a domain can't send. Add it to DOMAINS"
        )
    if has_short_secret(settings):
        yield (
            "JWT_SECRET or JWT_SECRET_PREVIOUS is shorter than 32 bytes, so it may be guessed. "
            "`make secret` prints a good one"
        )
    unused = settings.routing.unused if settings.routing else ()
    if unused:
        yield f"TRANSPORTS has {', '.join(unused)}, but ROUTES does not: no mail goes that way"
    if bool(settings.cf_turnstile_site_key) != bool(settings.cf_turnstile_secret_key):
        yield (
            "Turnstile is off, because only one of its keys is set: set both "
            "CF_TURNSTILE_SITE_KEY and CF_TURNSTILE_SECRET_KEY, or neither"
        )


def has_short_secret(settings: Settings) -> bool:
    """Whether a secret that verifies credentials is so short that it may be guessed."""
    return any(len(secret.encode()) < _GOOD_SECRET_BYTES for secret in settings.jwt_secrets)


def read_settings(variables: Mapping[str, Any]) -> Settings:
    """Read the settings from the Worker's variables and secrets.

    :raises ServerFault: ``invalid_setting``, naming the variable that can't be read.
    """
    defaults = Settings()
    values: dict[str, Any] = {}
    for declared in DECLARED:
        parse, default = declared.metadata["parse"], getattr(defaults, declared.name)
        lower_bound = declared.metadata["not_below"]
        if lower_bound is not None:
            minimum = values[lower_bound]
            parse, default = at_least(minimum), max(default, minimum)
        name = declared.name.upper()
        value = variables.get(name)
        try:
            values[declared.name] = default if value is None or value == "" else parse(value)
        except Unreadable as error:
            raise ServerFault("invalid_setting", name=name, expected=str(error)) from None
    if any(name.startswith(_OF_TRANSPORTS) for name in variables):
        values["routing"] = _routing(variables, values["send_mail_domains"])
    return Settings(**values)


def _routing(variables: Mapping[str, Any], binding_domains: tuple[str, ...]) -> "Routing | None":
    # Imported here, because most deployments have only the binding.
    from transport_settings import UnreadableSetting, read_routing

    try:
        return read_routing(variables, binding_domains)
    except UnreadableSetting as error:
        raise ServerFault("invalid_setting", name=error.name, expected=error.expected) from None
